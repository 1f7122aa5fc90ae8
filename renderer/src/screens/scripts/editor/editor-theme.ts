/** How the editor looks: the app's own colours, each with a contrast of 4.5 : 1 on its ground. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const LIGHT = { key: '#006161', text: '#8f3a00', number: '#5f3dc4', word: '#1864ab', sign: '#495057' };
const DARK = { key: '#77d0d0', text: '#ffc078', number: '#b197fc', word: '#74c0fc', sign: '#adb5bd' };

export function editorTheme(isDark: boolean): Extension {
  const colors = isDark ? DARK : LIGHT;
  return [
    EditorView.theme(
      {
        '&': {
          height: '100%',
          fontSize: '13px',
          color: 'var(--mantine-color-text)',
          backgroundColor: isDark ? 'var(--mantine-color-dark-8)' : 'var(--mantine-color-white)',
        },
        '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '-2px' },
        '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
        '.cm-content': { caretColor: 'var(--mantine-color-text)', paddingBlock: '8px' },
        '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
        '.cm-gutters': {
          backgroundColor: 'transparent',
          color: 'var(--mantine-color-dimmed)',
          border: 'none',
        },
        '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: isDark ? '#ffffff0a' : '#00000008' },
        '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
          backgroundColor: isDark ? '#1f6f70' : '#b9dede',
        },
        '.cm-step-now': { backgroundColor: isDark ? '#3b3000' : '#fff3bf' },
        '.cm-tooltip': {
          backgroundColor: 'var(--mantine-color-body)',
          color: 'var(--mantine-color-text)',
          border: '1px solid var(--mantine-color-default-border)',
          borderRadius: 'var(--mantine-radius-sm)',
        },
        '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
          backgroundColor: 'var(--mantine-primary-color-filled)',
          color: 'var(--mantine-primary-color-contrast, white)',
        },
        '.cm-completionDetail': { fontStyle: 'normal', opacity: 0.85 },
        '.cm-panels': {
          backgroundColor: 'var(--mantine-color-body)',
          color: 'var(--mantine-color-text)',
          borderColor: 'var(--mantine-color-default-border)',
        },
      },
      { dark: isDark },
    ),
    syntaxHighlighting(
      HighlightStyle.define([
        { tag: tags.propertyName, color: colors.key },
        { tag: tags.string, color: colors.text },
        { tag: tags.number, color: colors.number },
        { tag: [tags.bool, tags.null], color: colors.word },
        { tag: [tags.separator, tags.brace, tags.squareBracket], color: colors.sign },
      ]),
    ),
  ];
}

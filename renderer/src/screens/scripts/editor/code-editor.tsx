/** The editor of a script's text: CodeMirror, made once; what is shown beside it comes in through effects. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonLanguage } from '@codemirror/lang-json';
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { Box, useComputedColorScheme } from '@mantine/core';
import { useEffect, useImperativeHandle, useRef, type ReactNode, type Ref } from 'react';
import schema from '../../../../../resources/schema/script.schema.json';
import type { Problem } from '../../../../../agent/script/problem.ts';
import { editorTheme } from './editor-theme.ts';
import { diagnosticsOf, markStep, positionOf, stepField } from './marks.ts';
import { schemaCompletion, type Schema } from './schema-completion.ts';

export interface CodeEditorHandle {
  /** Puts the cursor there and the editor in the person's hands; one-based. */
  jump(line: number, column: number): void;
  /** Another text, that can be undone. */
  replace(text: string): void;
}

export interface CodeEditorProps {
  /** What it begins with; later texts come through {@link CodeEditorHandle.replace}. */
  initialText: string;
  label: string;
  onChange: (text: string) => void;
  onSave: () => void;
  problems: readonly Problem[];
  /** Path of the step that a run is at. */
  stepPath: string | null;
  ref: Ref<CodeEditorHandle>;
}

const completion = jsonLanguage.data.of({
  autocomplete: schemaCompletion(schema as unknown as Schema),
});

export function CodeEditor({
  initialText,
  label,
  onChange,
  onSave,
  problems,
  stepPath,
  ref,
}: CodeEditorProps): ReactNode {
  const scheme = useComputedColorScheme('light');
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const theme = useRef(new Compartment());
  const told = useRef({ onChange, onSave });
  const first = useRef({ initialText, label, isDark: scheme === 'dark' });
  useEffect(() => {
    told.current = { onChange, onSave };
  });
  useEffect(() => {
    const { initialText, label, isDark } = first.current;
    const made = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: initialText,
        extensions: [
          lineNumbers(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          EditorView.lineWrapping,
          foldGutter(),
          codeFolding(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightSelectionMatches(),
          autocompletion({ activateOnTyping: true }),
          json(),
          completion,
          stepField,
          // Tab leaves the editor, as everywhere: nobody is caught in it who has no mouse.
          keymap.of([
            {
              key: 'Mod-s',
              preventDefault: true,
              run: () => {
                told.current.onSave();
                return true;
              },
            },
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...foldKeymap,
            ...defaultKeymap,
          ]),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current.onChange(update.state.doc.toString());
          }),
          theme.current.of(editorTheme(isDark)),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, []);
  useEffect(() => {
    view.current?.dispatch({ effects: theme.current.reconfigure(editorTheme(scheme === 'dark')) });
  }, [scheme]);
  useEffect(() => {
    const { current } = view;
    if (current) current.dispatch(setDiagnostics(current.state, diagnosticsOf(current.state, problems)));
  }, [problems]);
  useEffect(() => {
    if (view.current) markStep(view.current, stepPath);
  }, [stepPath]);
  useImperativeHandle(ref, () => ({
    jump: (line, column) => {
      const { current } = view;
      if (!current) return;
      const at = positionOf(current.state.doc, line, column);
      current.dispatch({
        selection: { anchor: at },
        effects: EditorView.scrollIntoView(at, { y: 'center' }),
      });
      current.focus();
    },
    replace: (text) => {
      const { current } = view;
      current?.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: text } });
    },
  }));
  return (
    <Box
      ref={place}
      h="100%"
      style={{
        border: '1px solid var(--mantine-color-default-border)',
        borderRadius: 'var(--mantine-radius-md)',
        overflow: 'hidden',
      }}
    />
  );
}

/** What is different between two texts, one below the other; to be read only. */
import { json } from '@codemirror/lang-json';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { Box, useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { editorTheme } from './editor-theme.ts';

/** Lines that are the same are shown around each change; more of them are folded away. */
const CONTEXT_LINES = 3;
const FOLDED_LINES = 6;

export function DiffView({
  before,
  after,
  label,
}: {
  before: string;
  after: string;
  label: string;
}): ReactNode {
  const isDark = useComputedColorScheme('light') === 'dark';
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const view = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: after,
        extensions: [
          lineNumbers(),
          EditorView.lineWrapping,
          json(),
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
          unifiedMergeView({
            original: before,
            mergeControls: false,
            syntaxHighlightDeletions: false,
            collapseUnchanged: { margin: CONTEXT_LINES, minSize: FOLDED_LINES },
          }),
          editorTheme(isDark),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, label, isDark]);
  return <Box ref={place} h="min(60vh, 560px)" style={{ overflow: 'hidden' }} />;
}

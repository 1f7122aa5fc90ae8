/** Places in the text: where the agent's problems are, and where the step stands that a run is at. */
import { ensureSyntaxTree } from '@codemirror/language';
import type { Diagnostic } from '@codemirror/lint';
import { StateEffect, StateField, type EditorState, type Text } from '@codemirror/state';
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view';
import type { SyntaxNode } from '@lezer/common';
import type { Problem } from '../../../../../agent/script/problem.ts';

/** How long the whole text may be read, in milliseconds: a script has 256 KiB at most. */
const PARSE_MS = 200;

export function diagnosticsOf(state: EditorState, problems: readonly Problem[]): Diagnostic[] {
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS);
  return problems.map(({ line = 1, column = 1, severity, message, suggestion }) => {
    const from = positionOf(state.doc, line, column);
    const node = tree?.resolveInner(from, 1);
    // Of an object or a list only its first line: a squiggle below everything says nothing.
    const end = Math.min(node && node.from === from ? node.to : from + 1, state.doc.lineAt(from).to);
    return {
      from,
      to: Math.max(from, end),
      severity,
      message: suggestion === undefined ? message : `${message} Did you mean ${suggestion}?`,
    };
  });
}

/** @param line one-based, as `column` is; beyond the text means its end */
export function positionOf(doc: Text, line: number, column: number): number {
  const found = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(found.from + Math.max(0, column - 1), found.to);
}

/** Where the step begins and ends that a path such as `$.steps[2].then[0]` means. */
export function rangeOfPath(state: EditorState, path: string): { from: number; to: number } | null {
  if (!path.startsWith('$')) return null;
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS);
  let node: SyntaxNode | null = tree?.topNode.firstChild ?? null;
  for (const [, key, index] of path.matchAll(/\.([\w-]+)|\[(\d+)\]/g)) {
    node = index === undefined ? valueAt(state, node, key ?? '') : itemAt(node, Number(index));
    if (!node) return null;
  }
  return node ? { from: node.from, to: node.to } : null;
}

function valueAt(state: EditorState, object: SyntaxNode | null, key: string): SyntaxNode | null {
  for (const property of object?.getChildren('Property') ?? []) {
    const name = property.getChild('PropertyName');
    if (name && state.sliceDoc(name.from, name.to) === JSON.stringify(key)) return property.lastChild;
  }
  return null;
}

function itemAt(list: SyntaxNode | null, index: number): SyntaxNode | null {
  let at = -1;
  for (let child = list?.firstChild ?? null; child; child = child.nextSibling) {
    if (!/^[[\],⚠]$/.test(child.name)) at += 1;
    if (at === index) return child;
  }
  return null;
}

/** Above the step that is shown. */
const MARGIN_PX = 60;

const setStep = StateEffect.define<{ from: number; to: number } | null>();
const stepLine = Decoration.line({ class: 'cm-step-now' });

/** The lines of the step that a run is at. */
export const stepField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, { changes, effects, state }) => {
    const effect = effects.find((one) => one.is(setStep));
    if (!effect) return marks.map(changes);
    const range = effect.value as { from: number; to: number } | null;
    if (!range) return Decoration.none;
    const first = state.doc.lineAt(range.from).number;
    const last = state.doc.lineAt(range.to).number;
    const lines = Array.from({ length: last - first + 1 }, (_, index) => state.doc.line(first + index));
    return Decoration.set(lines.map(({ from }) => stepLine.range(from)));
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** @param path of the step; null for none */
export function markStep(view: EditorView, path: string | null): void {
  const range = path === null ? null : rangeOfPath(view.state, path);
  view.dispatch({ effects: setStep.of(range) });
  if (!range) return;
  // Within the editor alone: the page stays with the buttons that the person steps with.
  const { top, bottom } = view.lineBlockAt(range.from);
  const { scrollTop, clientHeight } = view.scrollDOM;
  if (top < scrollTop || bottom > scrollTop + clientHeight) view.scrollDOM.scrollTop = top - MARGIN_PX;
}

/** The thread that looks for patterns. What it is at may take for ever: the process ends it (pattern.ts). */
import { answerCalls } from './answer-calls.ts';
import { compilePattern, type PatternAnswer, type PatternRequest } from './pattern.ts';

answerCalls((request: PatternRequest): PatternAnswer => {
  const expression = compilePattern(request);
  return request.kind === 'test'
    ? { kind: 'test', found: request.texts.some((text) => isFound(expression, text)) }
    : { kind: 'find', found: allOf(expression, request.texts, request.max) };
});

function isFound(expression: RegExp, text: string): boolean {
  // With `g` or `y` it would begin where it ended in the text before.
  expression.lastIndex = 0;
  return expression.test(text);
}

function allOf(expression: RegExp, texts: readonly string[], max: number): string[] {
  const found: string[] = [];
  for (const text of texts) {
    for (const match of text.matchAll(expression)) {
      if (found.length >= max) return found;
      found.push((match[1] ?? match[0]).trim());
    }
  }
  return found;
}

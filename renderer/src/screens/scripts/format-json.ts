/** JSON as people write it: what fits stays on one line, what does not is opened up. */

/** As wide as the lines of the samples. */
const WIDTH = 96;

export function formatJson(value: unknown): string {
  return `${write(value, '', 0)}\n`;
}

/** Whether both texts are the same JSON, however they are laid out. */
export function isSameJson(one: string, other: string): boolean {
  try {
    return one === other || JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
  } catch {
    return false;
  }
}

/** @param used what stands before the value on its line, in characters */
function write(value: unknown, indent: string, used: number): string {
  const line = onOneLine(value);
  // The outermost level is always open: a script is read from top to bottom.
  if (indent !== '' && indent.length + used + line.length <= WIDTH) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.length > 0) {
    return `[\n${value.map((item) => inner + write(item, inner, 1)).join(',\n')}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    const lines = Object.entries(value).map(([key, item]) => {
      const head = `${JSON.stringify(key)}: `;
      return inner + head + write(item, inner, head.length + 1);
    });
    return `{\n${lines.join(',\n')}\n${indent}}`;
  }
  return line;
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${onOneLine(item)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return JSON.stringify(value);
}

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resourceFolder } from '../../../../agent/base/resources.ts';
import { formatJson } from './format-json.ts';

test('what fits stays on one line, what does not is opened up', () => {
  const value = {
    name: 'x',
    steps: [
      { action: 'click', selector: '#a' },
      { action: 'navigate', url: `https://example.com/${'long/'.repeat(20)}` },
    ],
    empty: {},
  };
  expect(formatJson(value)).toBe(`{
  "name": "x",
  "steps": [
    { "action": "click", "selector": "#a" },
    {
      "action": "navigate",
      "url": "https://example.com/${'long/'.repeat(20)}"
    }
  ],
  "empty": {}
}
`);
});

test('nothing is lost or changed', () => {
  const folder = resourceFolder('samples');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const value = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as unknown;
    expect(JSON.stringify(JSON.parse(formatJson(value))), file).toBe(JSON.stringify(value));
  }
});

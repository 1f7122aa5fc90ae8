import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { renderPageScript } from '../../../scripts/page-script.ts';

test('page-script.ts is the bundle of these modules; after a change: npm run generate', async () => {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  await expect(await renderPageScript(path('masker.ts'))).toMatchFileSnapshot(path('../page-script.ts'));
});

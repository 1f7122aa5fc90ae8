import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { renderConfigurationReference } from './reference.ts';

test('docs/configuration.md says what the schema says', async () => {
  await expect(renderConfigurationReference()).toMatchFileSnapshot(
    fileURLToPath(new URL('../../docs/configuration.md', import.meta.url)),
  );
});

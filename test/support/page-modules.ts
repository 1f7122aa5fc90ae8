import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { BUNDLE_NAME, bundleForPage } from '../../scripts/page-script.ts';

/** Loads a module of agent/recording/page/ into a page, where its exports are `lbaPage`. */
export async function loadModule(page: Page, name: string): Promise<void> {
  const entry = fileURLToPath(new URL(`../../agent/recording/page/${name}`, import.meta.url));
  const bundle = await bundleForPage(entry);
  await page.addScriptTag({ content: `${bundle} globalThis.${BUNDLE_NAME} = ${BUNDLE_NAME};` });
}

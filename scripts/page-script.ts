/** Bundles modules that run inside pages into text. */
import { build } from 'vite';

/** The variable that holds the exports of a bundle. */
export const BUNDLE_NAME = 'lbaPage';

/** The script `var lbaPage = { …exports of the module };`, in one line of ASCII. */
export async function bundleForPage(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'chrome120',
      minify: true,
      lib: { entry, formats: ['iife'], name: BUNDLE_NAME },
    },
  });
  const [bundle] = Array.isArray(built) ? built : [built];
  if (!bundle || !('output' in bundle)) throw new Error(`${entry} could not be bundled`);
  return bundle.output[0].code.trim();
}

/** The generated module that the agent reads the script from. */
export async function renderPageScript(entry: string): Promise<string> {
  return `/**
 * Generated from agent/recording/page/: change the modules there, then run \`npm run generate\`.
 */
export const PAGE_SCRIPT = ${JSON.stringify(await bundleForPage(entry))};
`;
}

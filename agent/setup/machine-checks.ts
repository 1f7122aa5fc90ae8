/** What configuration cannot check, because it knows nothing of browsers: browser and ffmpeg, for `doctor` and setup. */
import { chooseBrowser, findFfmpeg } from '../browser/detect.ts';
import { browserChoice } from '../config/browser-choice.ts';
import type { ExtraCheck } from '../config/doctor.ts';
import type { Settings } from '../config/schema.ts';

export function machineChecks(settings: Settings): ExtraCheck[] {
  return [
    {
      id: 'browser',
      title: 'Browser',
      run: async () => {
        const browser = await chooseBrowser(browserChoice(settings.browser));
        return {
          status: 'ok',
          detail: `${browser.name} ${browser.version ?? ''} at ${browser.executablePath}`,
        };
      },
    },
    {
      id: 'ffmpeg',
      title: 'ffmpeg',
      run: async () => {
        const ffmpeg = findFfmpeg();
        if (ffmpeg !== null) return { status: 'ok', detail: ffmpeg };
        return {
          status: 'warn',
          detail: 'not found: runs have no video',
          fix: 'install ffmpeg (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg), or run: npx playwright install ffmpeg',
        };
      },
    },
  ];
}

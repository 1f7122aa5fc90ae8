/**
 * The list of a hundred thousand runs as a person scrolls it, in a plain Chromium: frames while the wheel
 * turns, what each takes of the page's one thread, and how soon the last run is there after the key End.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { openTestApi } from '../fixtures/api.ts';
import { openTestApp } from '../fixtures/app.ts';
import { writeTable } from './docs-table.ts';
import { fillRuns, RUNS } from './runs-list.ts';

const GOAL_FRAMES = 60;
/** Turns of the wheel, and how far each goes, in CSS pixels: about 40 rows a second. */
const TURNS = 120;
const TURN_PX = 60;

export async function benchRunsScroll(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'lba-bench-'));
  fillRuns(home);
  const api = await openTestApi({ home });
  const app = await openTestApp({ api });
  try {
    const page = await app.open('/runs', { viewport: { width: 1_200, height: 800 } });
    const grid = page.getByRole('grid', { name: 'Runs' });
    await grid.getByRole('link').first().waitFor();
    await grid.hover();
    const scrolled = await whileScrolling(page);
    await grid.focus();
    const begin = performance.now();
    await page.keyboard.press('End');
    await page
      .locator(`[aria-rowindex="${RUNS + 1}"]`)
      .getByRole('link')
      .waitFor();
    const endMs = performance.now() - begin;
    const table = [
      '| scrolling 100,000 runs | |',
      '|---|---:|',
      `| frames a second | ${scrolled.perSecond.toFixed(1)} |`,
      `| work of the page a frame, ms | ${scrolled.workMs.toFixed(1)} |`,
      `| the last run after the key End, ms | ${endMs.toFixed(0)} |`,
    ].join('\n');
    console.log(`\n${table}`);
    writeTable('runs-scroll', table, 'api.md');
    if (scrolled.perSecond < GOAL_FRAMES * 0.95) {
      console.log('BELOW THE GOAL');
      process.exitCode = 1;
    }
  } finally {
    await app.close();
    await api.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function whileScrolling(page: Page): Promise<{ perSecond: number; workMs: number }> {
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('Performance.enable');
  const work = async (): Promise<number> => {
    const { metrics } = await protocol.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000;
  };
  await page.evaluate(() => {
    const times: number[] = [];
    const note = (time: number): void => {
      times.push(time);
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    Object.assign(window, { frameTimes: times });
  });
  const before = await work();
  for (let turn = 0; turn < TURNS; turn += 1) await page.mouse.wheel(0, TURN_PX);
  const times = await page.evaluate(() => (window as unknown as { frameTimes: number[] }).frameTimes.slice());
  const spent = (await work()) - before;
  const frames = times.length - 1;
  return { perSecond: (frames * 1_000) / (times.at(-1)! - times[0]!), workMs: spent / frames };
}

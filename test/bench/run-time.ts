/**
 * What recording costs in run time: the same fifteen short steps by the agent at each level and by plain
 * Playwright programs, in turn, as ratios to the plain program that records nothing, round by round. Writes
 * the table of docs/recording-levels.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright';
import type { Agent } from '../../agent/agent.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { RECORDING_LEVELS, type RecordingLevel } from '../../agent/base/words.ts';
import { chooseBrowser } from '../../agent/browser/detect.ts';
import { browserFlags } from '../../agent/browser/flags.ts';
import { writeTable } from './docs-table.ts';
import { fifteenSteps, plainFifteenSteps } from './steps.ts';
import { median, withAgent, type Stage } from './stage.ts';
import { withSurroundings } from './surroundings.ts';

const GOALS: Record<RecordingLevel, number | null> = {
  NONE: 1.03,
  ERROR: null,
  INFO: 1.1,
  DEBUG: 1.25,
  TRACE: 1.5,
};
const PLAIN = 'plain program, records nothing';
const PLAIN_RECORDING = 'plain program: screenshot and HTML per step, trace with screenshots';

export async function benchRunTime(rounds: number): Promise<void> {
  // What is kept here is what is uploaded: the cost of each level alone.
  const results = new Map<string, number[]>();
  const add = (name: string, ms: number): void => {
    results.set(name, [...(results.get(name) ?? []), ms]);
  };
  const options = { keepWarm: true, flags: { 'recording.keep_level': 'NONE' } };
  const measure = async ({ agent }: Pick<Stage, 'agent'>, portal: string): Promise<void> => {
    const { executablePath } = await chooseBrowser();
    const browser = await chromium.launch({
      executablePath,
      args: browserFlags(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    });
    const folder = mkdtempSync(join(tmpdir(), 'lba-plain-'));
    try {
      await agent.warm?.start();
      for (let round = 0; round <= rounds; round += 1) {
        const keep = round > 0; // The first round warms both sides up.
        const note = (name: string, ms: number): void => {
          if (keep) add(name, ms);
        };
        note(PLAIN, await timed(() => plain(browser, portal, null)));
        for (const level of RECORDING_LEVELS) note(level, await timed(() => ours(agent, portal, level)));
        note(PLAIN_RECORDING, await timed(() => plain(browser, portal, folder)));
        await agent.uploads.settle('', { deadlineMs: 0 });
      }
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };
  await withSurroundings((around) => withAgent(options, around, (one) => measure(one, around.portalUrl)));
  const base = results.get(PLAIN) ?? [];
  const table = ['| run | median ms | ratio to plain, median | goal |', '|---|---:|---:|---:|'];
  for (const [name, values] of results) {
    const ratios = values.map((value, index) => value / base[index]!);
    const goal = GOALS[name as RecordingLevel];
    table.push(`| ${name} | ${median(values).toFixed(0)} | ${median(ratios).toFixed(2)} | ${goal ?? '–'} |`);
  }
  console.log(
    `\nRun time of 15 short steps, ${rounds} rounds in turn, whole runs from a warm browser to the closed context\n${table.join('\n')}`,
  );
  writeTable('run-time', table.join('\n'));
}

async function ours(agent: Agent, portal: string, level: RecordingLevel): Promise<void> {
  const outcome = await agent.engine.execute(
    {
      runId: newRunId(),
      input: { kind: 'script', script: fifteenSteps(portal) },
      level: { level, reason: 'bench' },
    },
    { signal: new AbortController().signal },
  );
  if (outcome.state !== 'succeeded') throw new Error(`${level}: ${outcome.error?.message}`);
}

async function plain(browser: Browser, portal: string, record: string | null): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  if (record !== null) await context.tracing.start({ screenshots: true, snapshots: true });
  let step = 0;
  await plainFifteenSteps(page, portal, async () => {
    step += 1;
    if (record === null) return;
    // Chromium now and then answers that it cannot capture; a plain program would try again.
    await page.screenshot().then(
      (data) => writeFile(join(record, `${step}.png`), data),
      () => page.screenshot(),
    );
    await writeFile(join(record, `${step}.html`), await page.content());
  });
  if (record !== null) await context.tracing.stop({ path: join(record, 'trace.zip') });
  await context.close();
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  // Spare pages, uploads and closing contexts of this run must not cost the next one.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return ms;
}

/** Time for the spare page that the kept browser makes after a short run, and for uploads. */
const SETTLE_MS = 2_000;

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { openAgent } from '../../agent.ts';
import { AgentError, messageOf } from '../../base/errors.ts';
import type { AgentEvent } from '../../base/events.ts';
import { newRunId } from '../../base/ids.ts';
import { JsonError, readJsonFile } from '../../base/json.ts';
import { createLogger } from '../../base/log.ts';
import type { JsonObject, RecordingLevel } from '../../base/words.ts';
import { parseLevel } from '../../recording/resolve-level.ts';
import { cliActor } from '../audit.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { formatDuration, note, printJson } from '../output.ts';

interface ExecOptions extends VerbOptions {
  level?: string;
  var: string[];
  vars?: string;
  profile?: string;
  headed?: boolean;
  out?: string;
  upload?: boolean;
  logLevel: string;
}

/** How long `--upload` waits for the evidence after the run. */
const UPLOAD_WAIT_MS = 10 * 60_000;

/** One run without Step Functions, through the same engine as tasks; the result as JSON on standard output. */
export async function exec(options: ExecOptions, args: string[]): Promise<void> {
  const file = args[0] ?? '-';
  const level = readLevel(options.level);
  const variables = readVariables(options);
  const script = await readScript(file);
  const runId = newRunId();
  const agent = await openAgent({
    home: options.home,
    env: process.env,
    log: createLogger({ level: options.logLevel }),
    uploads: options.upload === true ? { onlyRun: runId } : 'none',
    keepWarm: false,
    by: cliActor(),
  });
  const cancel = new AbortController();
  const onSignal = (): void => {
    cancel.abort(new AgentError('BrowserAgent.Cancelled', 'cancelled with Ctrl+C'));
    try {
      agent.audit.append({ by: cliActor(), action: 'run.cancel', target: `run/${runId}` });
    } catch (thrown) {
      // Nothing may keep a person from stopping a run; its end is written down as well.
      agent.log.error({ err: thrown }, 'the audit log could not be written');
    }
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const forget = agent.events.on('progress', showProgress);
  const answer = (): void => {
    agent.humans.resume(runId);
  };
  if (process.stdin.isTTY && file !== '-') process.stdin.on('data', answer);
  try {
    const outcome = await agent.engine.execute(
      {
        runId,
        input: { kind: 'script', script, variables },
        ...(level === undefined ? {} : { level: { level, reason: '--level on the command line' } }),
        overrides: {
          ...(options.profile === undefined ? {} : { profile: options.profile }),
          ...(options.headed === true ? { headed: true } : {}),
          ...(options.out === undefined ? {} : { outDir: resolve(options.out) }),
        },
      },
      { signal: cancel.signal },
    );
    if (options.upload === true) await agent.uploads.settle(runId, { deadlineMs: UPLOAD_WAIT_MS });
    printJson(outcome.result);
    if (outcome.state !== 'succeeded') throw new Failed('');
  } finally {
    forget();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    process.stdin.off('data', answer).pause();
    await agent.close();
  }
}

function readLevel(given: string | undefined): RecordingLevel | undefined {
  try {
    return parseLevel(given, '--level');
  } catch (thrown) {
    throw new WrongUse(messageOf(thrown));
  }
}

async function readScript(file: string): Promise<string> {
  try {
    if (file !== '-') return await readFile(file, 'utf8');
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  } catch (thrown) {
    throw new AgentError('BrowserAgent.InvalidInput', `${file} cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

function readVariables(options: ExecOptions): JsonObject {
  const variables: JsonObject = {};
  if (options.vars !== undefined) {
    const where = `--vars ${options.vars}`;
    try {
      Object.assign(variables, readJsonFile(options.vars, z.record(z.string(), z.json()), where));
    } catch (thrown) {
      if (!(thrown instanceof JsonError) || thrown.fault !== 'shape') throw thrown;
      throw new WrongUse(`${where} must hold a JSON object of names and values`);
    }
  }
  for (const pair of options.var) {
    const at = pair.indexOf('=');
    if (at <= 0) {
      throw new WrongUse(`--var ${pair}: write it as --var name=value`);
    }
    variables[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return variables;
}

function showProgress(event: AgentEvent): void {
  switch (event.type) {
    case 'run.started':
      note(
        `${event.scriptName}: level ${event.level.level} (${event.level.reason}), profile ${event.profile ?? 'temporary'}`,
      );
      break;
    case 'run.waiting':
      note(`waiting for profile ${event.profile}, which another run uses`);
      break;
    case 'step.finished':
      note(
        `  ${event.success ? '✓' : '✗'} ${event.stepNumber} ${event.name} (${event.action}, ${formatDuration(event.durationMs)})${event.error ? `: ${event.error.message}` : ''}`,
      );
      break;
    case 'human.requested':
      note(`  ⏸ ${event.message}${process.stdin.isTTY ? ' (Enter: done)' : ''}`);
      break;
    case 'upload.finished':
      note(`  ↑ ${event.key}`);
      break;
    case 'upload.failed':
      note(`  ↑ ${event.key} failed: ${event.message}`);
      break;
    default:
      break;
  }
}

/**
 * Three agents, each a process with a data directory of its own, share the tasks of one activity. One is killed
 * with SIGKILL while it holds tasks, and started again when the others have done all the rest. Some tasks have
 * timed out by then, others wait patiently to be told of: each is to end in exactly one way.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { homePaths } from '../../agent/base/paths.ts';
import { storeCredentials } from '../../agent/config/credentials.ts';
import { FileVault } from '../../agent/config/vault.ts';
import {
  seedEnvironment,
  startPortal,
  startSandbox,
  type Execution,
  type Portal,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';
import { openDatabase, type Database } from '../../agent/store/database.ts';
import { childrenOf, makeHome, removeHome } from '../fixtures/home.ts';
import { judge, type Verdict } from './checker.ts';
import { objectsOf, openWorkIn, readLog, startLife, type Life, type LogFacts } from './life.ts';
import { startFaultyLine, type FaultyLine } from './proxy.ts';
import { planTask, type PlannedTask, type TaskKind } from './workload.ts';

const MAIN = fileURLToPath(new URL('../../dist/agent/cli/main.js', import.meta.url));
const ENV = 'fleet';
const NAMES = ['fleet-1', 'fleet-2', 'fleet-3'];
const SLOTS = 2;
/** Polls end soon, so that an agent that drains does not wait a minute; milliseconds. */
const POLL_MS = 1_000;
/** A lease is three of them, and must outlive a busy machine. */
const HEARTBEAT_SECONDS = 3;
/** For tasks that are given up while their agent is dead. */
const BRIEF_SECONDS = 12;
/** For tasks that are still open when it is back: longer than the others take for the rest. */
const PATIENT_SECONDS = 200;
const KINDS: readonly TaskKind[] = ['quick', 'evidence', 'fails', 'long'];
/** So many of all have ended when the one to be killed is chosen: on the way. */
const KILL_AFTER = 0.2;
/**
 * Then as many long ones as all have slots, patient and brief by turns: an odd number of each, so that among
 * agents with two slots each at least one holds one of both.
 */
const LONG = NAMES.length * SLOTS;
/** A long task with so many requests at the portal is amid its steps: 20 are to come. */
const AMID = { from: 2, to: 14 };
const LOOK_MS = 50;
const PATIENCE_MS = 240_000;

/** What `npm test` shares out, and `npm run test:faults -- --fleet`. */
export const FLEET_TASKS = { quick: 24, full: 100 };

export interface FleetResult {
  tasks: number;
  /** Tasks that each agent was given, by its name in the history. */
  given: Record<string, number>;
  killed: string;
  /** The killed agent's tasks at that moment, and how each ended. */
  held: { name: string; isPatient: boolean; end: string }[];
  ends: Verdict['ends'];
  /** Everything that must not be, in words. */
  problems: string[];
  durationMs: number;
}

export async function proveFleet(tasks: number): Promise<FleetResult> {
  const folder = makeHome('fleet');
  const sandbox = await startSandbox({ pollMs: POLL_MS });
  const portal = await startPortal();
  // Injects nothing: it writes down who was given what, and which reports were taken.
  const line = await startFaultyLine(sandbox.url, 0);
  line.intensity = 0;
  const fleet = new Fleet(folder, sandbox, portal, line);
  try {
    return await fleet.prove(tasks);
  } finally {
    await fleet.close();
    await line.close();
    await portal.close();
    await sandbox.close();
    removeHome(folder);
  }
}

interface FleetTask {
  planned: PlannedTask;
  isPatient: boolean;
  executionArn: string;
  execution: Execution | undefined;
}

class Fleet {
  readonly #folder: string;
  readonly #sandbox: Sandbox;
  readonly #portal: Portal;
  readonly #line: FaultyLine;
  readonly #log: LogFacts = { fences: new Map(), errors: new Map() };
  readonly #tasks: FleetTask[] = [];
  readonly #lives = new Map<string, Life>();
  readonly #databases = new Map<string, Database>();

  constructor(folder: string, sandbox: Sandbox, portal: Portal, line: FaultyLine) {
    this.#folder = folder;
    this.#sandbox = sandbox;
    this.#portal = portal;
    this.#line = line;
  }

  async prove(tasks: number): Promise<FleetResult> {
    const startedMs = performance.now();
    const seeded = await seedEnvironment(this.#sandbox, { env: ENV });
    const begin = await this.#beginner(seeded);
    const short = KINDS.filter((kind) => kind !== 'long');
    const first = Math.floor(tasks * KILL_AFTER);
    for (let turn = 0; turn < first; turn += 1) await begin(short[turn % short.length]!);
    await Promise.all(NAMES.map(async (name) => this.#start(name, seeded)));
    await until('the first have ended', () => this.#tasks.every(({ execution }) => execution));
    for (let turn = 0; turn < LONG; turn += 1) await begin('long');
    for (let turn = 0; turn < tasks - first - LONG; turn += 1) await begin(KINDS[turn % KINDS.length]!);
    const { killed, held } = await this.#killOneAmid();
    const waiting = new Set(held.filter(({ isPatient }) => isPatient));
    await until('the others have done the rest', () =>
      this.#tasks.every((task) => task.execution || waiting.has(task)),
    );
    await this.#start(killed, seeded);
    await until('all have ended', () => this.#tasks.every(({ execution }) => execution));
    const databases = [...this.#databases.values()];
    await until('all is reported and uploaded', () => databases.every((db) => openWorkIn(db).length === 0));
    const problems: string[] = [];
    for (const [name, life] of this.#lives) {
      const code = await life.end('SIGTERM');
      if (code !== 0) problems.push(`${name} ended with ${code}`);
    }
    const { given, verdicts } = await this.#judge(seeded, problems);
    return {
      tasks,
      given,
      killed,
      held: held.map(({ planned, isPatient, execution }) => ({
        name: planned.name,
        isPatient,
        end: execution?.error ?? execution?.status ?? 'open',
      })),
      ends: verdicts.reduce(
        (sum, { ends }) => ({
          succeeded: sum.succeeded + ends.succeeded,
          failed: sum.failed + ends.failed,
          interrupted: sum.interrupted + ends.interrupted,
          timedOut: sum.timedOut + ends.timedOut,
        }),
        { succeeded: 0, failed: 0, interrupted: 0, timedOut: 0 },
      ),
      problems,
      durationMs: performance.now() - startedMs,
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lives.values()].map(async (life) => life.end('SIGKILL')));
    for (const db of this.#databases.values()) db.close();
  }

  /** Puts one more task into the queue of the activity, patient and brief by turns. */
  async #beginner(seeded: SeededEnvironment): Promise<(kind: TaskKind) => Promise<void>> {
    const machine = async (name: string, heartbeatSeconds: number): Promise<string> => {
      const state = { Type: 'Task', Resource: seeded.activityArn, TimeoutSeconds: 300, End: true };
      const { stateMachineArn } = await this.#sandbox.call('states', 'CreateStateMachine', {
        name,
        roleArn: seeded.roleArn,
        definition: JSON.stringify({
          StartAt: 'Browser',
          States: { Browser: { ...state, HeartbeatSeconds: heartbeatSeconds } },
        }),
      });
      return String(stateMachineArn);
    };
    const brief = await machine('brief', BRIEF_SECONDS);
    const patient = await machine('patient', PATIENT_SECONDS);
    return async (kind) => {
      const number = this.#tasks.length + 1;
      const planned = planTask(number, this.#portal.url, kind);
      const isPatient = number % 2 === 1;
      const { executionArn } = await this.#sandbox.call('states', 'StartExecution', {
        stateMachineArn: isPatient ? patient : brief,
        name: planned.name,
        input: JSON.stringify(planned.input),
      });
      const task: FleetTask = {
        planned,
        isPatient,
        executionArn: String(executionArn),
        execution: undefined,
      };
      this.#tasks.push(task);
      this.#sandbox.executionEnded(task.executionArn).then(
        (execution) => (task.execution = execution),
        () => undefined,
      );
    };
  }

  async #start(name: string, seeded: SeededEnvironment): Promise<void> {
    const home = join(this.#folder, name);
    mkdirSync(home, { recursive: true });
    await storeCredentials(new FileVault(home), ENV, seeded.accessKey);
    const life = await startLife({
      main: MAIN,
      home,
      name,
      onLine: (text) => readLog(text, this.#log),
      env: {
        PATH: process.env['PATH'] ?? '',
        ...(process.env['HOME'] === undefined ? {} : { HOME: process.env['HOME'] }),
        AWS_ENDPOINT_URL: this.#line.url,
        AWS_REGION: this.#sandbox.region,
        BROWSER_AGENT_ENV: ENV,
        ACTIVITY_ARN: seeded.activityArn,
        S3_BUCKET: seeded.bucket,
        LBA_API_PORT: '0',
        LBA_WORKER_NAME: name,
        LBA_WORKER_CONCURRENCY: String(SLOTS),
        LBA_WORKER_HEARTBEAT_SECONDS: String(HEARTBEAT_SECONDS),
      },
    });
    this.#lives.set(name, life);
    if (!this.#databases.has(name)) this.#databases.set(name, openDatabase(homePaths(home).database));
  }

  /** The first agent that is seen amid a long patient task and a long brief one. */
  async #killOneAmid(): Promise<{ killed: string; held: FleetTask[] }> {
    let killed = '';
    await until('an agent is amid tasks of both kinds', async () => {
      const amid = new Map<string, Set<boolean>>();
      for (const task of this.#tasks.filter((one) => !one.execution && this.#isAmid(one))) {
        for (const worker of await this.#workersOf(task)) {
          amid.set(worker, (amid.get(worker) ?? new Set()).add(task.isPatient));
        }
      }
      killed = [...amid].find(([, kinds]) => kinds.size === 2)?.[0] ?? '';
      return killed !== '';
    });
    await this.#lives.get(killed)?.end('SIGKILL');
    const held: FleetTask[] = [];
    for (const task of this.#tasks) {
      if (!task.execution && (await this.#workersOf(task)).includes(killed)) held.push(task);
    }
    return { killed, held };
  }

  #isAmid({ planned }: FleetTask): boolean {
    if (planned.kind !== 'long') return false;
    const asked = this.#portal.requests
      .all()
      .filter(({ query }) => new URLSearchParams(query).get('task') === planned.name).length;
    return asked >= AMID.from && asked <= AMID.to;
  }

  /** Whom the service gave the task, by its history. */
  async #workersOf({ executionArn }: FleetTask): Promise<string[]> {
    const { events } = await this.#sandbox.call('states', 'GetExecutionHistory', { executionArn });
    return (events as { activityStartedEventDetails?: { workerName?: string } }[]).flatMap(
      ({ activityStartedEventDetails: started }) => (started ? [started.workerName ?? 'nobody'] : []),
    );
  }

  /** Each agent is judged by the tasks that the service gave it. */
  async #judge(
    seeded: SeededEnvironment,
    problems: string[],
  ): Promise<{ given: Record<string, number>; verdicts: Verdict[] }> {
    const byWorker = new Map<string, FleetTask[]>(NAMES.map((name) => [name, []]));
    for (const task of this.#tasks) {
      const workers = await this.#workersOf(task);
      if (workers.length !== 1) problems.push(`${task.planned.name} was given ${workers.length} times`);
      for (const worker of workers) byWorker.get(worker)?.push(task);
      problems.push(...(await this.#endsOf(task)));
    }
    const verdicts: Verdict[] = [];
    for (const [name, tasks] of byWorker) {
      const db = this.#databases.get(name)!;
      const { n: known } = db.prepare('SELECT count(*) AS n FROM tasks').get() as { n: number };
      if (known > tasks.length) problems.push(`${name} knows ${known} tasks and was given ${tasks.length}`);
      const left = await childrenOf(join(this.#folder, name));
      const verdict = await judge({
        planned: tasks.map(({ planned }) => planned),
        executions: new Map(
          tasks.flatMap(({ planned, execution }) => (execution ? [[planned.name, execution]] : [])),
        ),
        line: this.#line.tasks,
        portal: this.#portal.requests.all().filter(({ query }) => query.includes('task=')),
        fences: this.#log.fences,
        db,
        object: objectsOf(this.#sandbox, seeded.bucket),
        bucket: seeded.bucket,
        processesLeft: left.map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`),
        unsettled: openWorkIn(db),
      });
      verdicts.push(verdict);
      for (const [what, list] of Object.entries(verdict.problems)) {
        problems.push(...list.map((problem) => `${name}, ${what}: ${problem}`));
      }
    }
    const given = Object.fromEntries([...byWorker].map(([name, tasks]) => [name, tasks.length]));
    return { given, verdicts };
  }

  /** Exactly one end in the service's own history. */
  async #endsOf({ planned, executionArn }: FleetTask): Promise<string[]> {
    const { events } = await this.#sandbox.call('states', 'GetExecutionHistory', { executionArn });
    const ends = (events as { type: string }[]).filter(({ type }) =>
      ['ActivitySucceeded', 'ActivityFailed', 'ActivityTimedOut'].includes(type),
    );
    return ends.length === 1 ? [] : [`${planned.name} ended ${ends.length} times`];
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`after ${PATIENCE_MS} ms it is not so that ${what}`);
    await delay(LOOK_MS);
  }
}

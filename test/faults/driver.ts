/**
 * Drives an agent through faults: tasks all the while, a faulty line to AWS, and SIGKILL at random moments,
 * by seed; then lets everything settle on a good line. What was seen is for checker.ts to judge.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
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
} from '../../agent/sandbox/index.ts';
import { randomFrom } from '../../agent/sandbox/portal/images.ts';
import { openDatabase, type Database } from '../../agent/store/database.ts';
import { childrenOf } from '../fixtures/home.ts';
import { objectsOf, openWorkIn, readLog, startLife, type Life, type LogFacts } from './life.ts';
import { startFaultyLine, type FaultyLine } from './proxy.ts';
import { drawKind, planTask, type PlannedTask } from './workload.ts';

const MAIN = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url));

const ENV = 'faults';
type PortalRequest = ReturnType<Portal['requests']['all']>[number];

/** Polls end soon, so that an agent that drains does not wait a minute; milliseconds. */
const POLL_MS = 1_000;
/** The agent's lease is three heartbeats; the service waits longer than that, as the docs advise. */
const HEARTBEAT_SECONDS = 1;
const SERVICE_HEARTBEAT_SECONDS = 10;
/** Tasks that are under way or wait: enough for every slot, few enough to settle soon. */
const SLOTS = 4;
const OPEN_TASKS = 8;
/**
 * How long a life lasts at the most once the agent is at work, milliseconds: killed by time, or by a moment,
 * for which runs must have come to their end.
 */
const LIFE_MAX_MS = 4_000;
const MOMENT_MAX_MS = 8_000;
/** Shares, added up: of kills by time, and of kills after so many steps at the most; the rest by a moment. */
const BY_TIME = 0.2;
const BY_STEPS = 0.6;
const STEPS_MAX = 25;
const LOOK_MS = 20;
/** What is left when faults have ended: reports, uploads, heartbeat times. */
const SETTLE_MAX_MS = 120_000;

/** Moments that a kill by time would seldom meet: just before and just after the service is told. */
const MOMENTS = [
  { operation: 'GetActivityTask', moment: 'done' },
  { operation: 'SendTaskSuccess', moment: 'arrived' },
  { operation: 'SendTaskSuccess', moment: 'done' },
  { operation: 'SendTaskFailure', moment: 'arrived' },
  { operation: 'SendTaskFailure', moment: 'done' },
  { operation: 's3:PUT', moment: 'arrived' },
  { operation: 's3:PUT', moment: 'done' },
] as const;

export interface FaultRunOptions {
  home: string;
  seed: number;
  kills: number;
  /** Goes on beyond the kills until so many faults were injected. */
  faults: number;
  /** Said once in a while. */
  onProgress?: (text: string) => void;
}

/** What there is to judge. */
export interface FaultRun {
  seed: number;
  kills: number;
  injected: FaultyLine['injected'];
  requests: number;
  planned: PlannedTask[];
  /** By the name of the task. */
  executions: Map<string, Execution>;
  line: FaultyLine['tasks'];
  portal: PortalRequest[];
  /** When the agent said that a task's lease is lost, by task id; milliseconds since the epoch. */
  fences: Map<string, number>;
  /** Lines of level error and above that the agent logged, by message. */
  errors: Map<string, number>;
  db: Database;
  /** An object of the bucket as S3 has it; null when it is not there. */
  object: (key: string) => Promise<Buffer | null>;
  bucket: string;
  /** Browsers and encoders that live after the agent has ended. */
  processesLeft: string[];
  /** What did not settle. */
  unsettled: string[];
  durationMs: number;
}

/** Runs it all, and gives what was seen to `judge` while the services are still there. */
export async function driveFaults<T>(
  options: FaultRunOptions,
  judge: (run: FaultRun) => Promise<T>,
): Promise<T> {
  const sandbox = await startSandbox({ pollMs: POLL_MS });
  const portal = await startPortal();
  const line = await startFaultyLine(sandbox.url, options.seed);
  let agent: Life | undefined;
  let db: Database | undefined;
  try {
    const startedMs = performance.now();
    const stage = await Stage.make(options, { sandbox, portal, line });
    let kills = 0;
    while (kills < options.kills || countOf(line.injected) < options.faults) {
      await stage.topUp();
      agent = await stage.start();
      await stage.untilKill(agent);
      await agent.end('SIGKILL');
      kills += 1;
      stage.collect();
      if (kills % 10 === 0) options.onProgress?.(stage.progress(kills));
    }
    line.intensity = 0;
    agent = await stage.start();
    db = openDatabase(homePaths(options.home).database);
    const unsettled = await stage.settle(db);
    const code = await agent.end('SIGTERM');
    if (code !== 0) unsettled.push(`the last agent ended with ${code}`);
    stage.collect();
    const left = await childrenOf(options.home);
    return await judge({
      ...stage.facts(),
      seed: options.seed,
      kills,
      injected: line.injected,
      requests: line.requests,
      line: line.tasks,
      db,
      processesLeft: left.map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`),
      unsettled,
      durationMs: performance.now() - startedMs,
    });
  } finally {
    await agent?.end('SIGKILL');
    db?.close();
    await line.close();
    await portal.close();
    await sandbox.close();
  }
}

export function countOf(injected: FaultyLine['injected']): number {
  return Object.values(injected).reduce((sum, count) => sum + count, 0);
}

class Stage {
  readonly #options: FaultRunOptions;
  readonly #services: { sandbox: Sandbox; portal: Portal; line: FaultyLine };
  readonly #stateMachineArn: string;
  readonly #bucket: string;
  readonly #agentEnv: Record<string, string>;
  readonly #chance: () => number;
  readonly #tasks: () => number;
  readonly #planned: PlannedTask[] = [];
  readonly #executions = new Map<string, Execution>();
  readonly #arns = new Map<string, string>();
  readonly #portal: PortalRequest[] = [];
  readonly #log: LogFacts = { fences: new Map(), errors: new Map() };

  private constructor(
    options: FaultRunOptions,
    services: { sandbox: Sandbox; portal: Portal; line: FaultyLine },
    made: { stateMachineArn: string; bucket: string; agentEnv: Record<string, string> },
  ) {
    this.#options = options;
    this.#services = services;
    this.#stateMachineArn = made.stateMachineArn;
    this.#bucket = made.bucket;
    this.#agentEnv = made.agentEnv;
    this.#chance = randomFrom(options.seed + 1);
    this.#tasks = randomFrom(options.seed + 2);
  }

  static async make(
    options: FaultRunOptions,
    services: { sandbox: Sandbox; portal: Portal; line: FaultyLine },
  ): Promise<Stage> {
    const { sandbox, line } = services;
    mkdirSync(options.home, { recursive: true });
    const seeded = await seedEnvironment(sandbox, { env: ENV });
    await storeCredentials(new FileVault(options.home), ENV, seeded.accessKey);
    const { stateMachineArn } = await sandbox.call('states', 'CreateStateMachine', {
      name: 'faults',
      roleArn: seeded.roleArn,
      definition: JSON.stringify({
        StartAt: 'Browser',
        States: {
          Browser: {
            Type: 'Task',
            Resource: seeded.activityArn,
            HeartbeatSeconds: SERVICE_HEARTBEAT_SECONDS,
            TimeoutSeconds: 300,
            End: true,
          },
        },
      }),
    });
    return new Stage(options, services, {
      stateMachineArn: String(stateMachineArn),
      bucket: seeded.bucket,
      agentEnv: {
        PATH: process.env['PATH'] ?? '',
        ...(process.env['HOME'] === undefined ? {} : { HOME: process.env['HOME'] }),
        AWS_ENDPOINT_URL: line.url,
        AWS_REGION: sandbox.region,
        BROWSER_AGENT_ENV: ENV,
        ACTIVITY_ARN: seeded.activityArn,
        S3_BUCKET: seeded.bucket,
        LBA_API_PORT: '0',
        LBA_WORKER_CONCURRENCY: String(SLOTS),
        LBA_WORKER_HEARTBEAT_SECONDS: String(HEARTBEAT_SECONDS),
      },
    });
  }

  /** Begins executions until enough are open. */
  async topUp(): Promise<void> {
    const { sandbox, portal } = this.#services;
    while (this.#arns.size - this.#executions.size < OPEN_TASKS) {
      const task = planTask(this.#planned.length + 1, portal.url, drawKind(this.#tasks));
      this.#planned.push(task);
      const { executionArn } = await sandbox.call('states', 'StartExecution', {
        stateMachineArn: this.#stateMachineArn,
        name: task.name,
        input: JSON.stringify(task.input),
      });
      this.#arns.set(task.name, String(executionArn));
      sandbox.executionEnded(String(executionArn)).then(
        (execution) => this.#executions.set(task.name, execution),
        () => undefined,
      );
    }
  }

  /** Resolves when the agent is at work. */
  async start(): Promise<Life> {
    return startLife({
      main: MAIN,
      home: this.#options.home,
      env: this.#agentEnv,
      name: `seed ${this.#options.seed}`,
      onLine: (text) => readLog(text, this.#log),
    });
  }

  /** Some kills come at a random time, some amid the steps of runs, some at a moment that matters. */
  async untilKill(life: Life): Promise<void> {
    const { line, portal } = this.#services;
    const over = new AbortController();
    const pause = (ms: number): Promise<unknown> =>
      delay(ms, undefined, { signal: over.signal }).catch(() => undefined);
    const way = this.#chance();
    const amount = this.#chance();
    const at = MOMENTS[Math.floor(this.#chance() * MOMENTS.length)]!;
    const met = Promise.withResolvers<unknown>();
    if (way < BY_TIME) {
      met.resolve(pause(amount * LIFE_MAX_MS));
    } else if (way < BY_STEPS) {
      const steps = 1 + Math.floor(amount * STEPS_MAX);
      const asked = (): number => portal.requests.all().filter(({ query }) => query.includes('task=')).length;
      met.resolve(
        (async () => {
          while (asked() < steps && !over.signal.aborted) await pause(LOOK_MS);
          await pause((amount * LOOK_MS * 1_000) % 200);
        })(),
      );
    } else {
      let toPass = Math.floor(amount * 3);
      line.onRequest = (operation, moment) => {
        if (operation !== at.operation || moment !== at.moment) return;
        if (toPass === 0) met.resolve(undefined);
        toPass -= 1;
      };
    }
    await Promise.race([met.promise, pause(MOMENT_MAX_MS), life.gone]);
    over.abort();
    line.onRequest = () => undefined;
  }

  /** Takes over what the portal has counted: it keeps a bounded number. */
  collect(): void {
    const { requests } = this.#services.portal;
    this.#portal.push(...requests.all().filter(({ query }) => query.includes('task=')));
    requests.clear();
  }

  progress(kill: number): string {
    const { line } = this.#services;
    return `${kill} kills, ${countOf(line.injected)} faults in ${line.requests} requests, ${this.#executions.size} of ${this.#arns.size} tasks ended`;
  }

  /** On a good line everything comes to its end. @returns what did not */
  async settle(db: Database): Promise<string[]> {
    const open = (): string[] => {
      const executions = this.#arns.size - this.#executions.size;
      return [...(executions > 0 ? [`${executions} executions are open`] : []), ...openWorkIn(db)];
    };
    const retryAfter = performance.now() + 2_000;
    const until = performance.now() + SETTLE_MAX_MS;
    let hasRetried = false;
    while (open().length > 0 && performance.now() < until) {
      await delay(100);
      if (hasRetried || performance.now() < retryAfter) continue;
      hasRetried = true;
      await this.#retryUploads();
    }
    return open();
  }

  facts(): Pick<FaultRun, 'planned' | 'executions' | 'portal' | 'fences' | 'errors' | 'bucket' | 'object'> {
    return {
      planned: this.#planned,
      executions: this.#executions,
      portal: this.#portal,
      ...this.#log,
      bucket: this.#bucket,
      object: objectsOf(this.#services.sandbox, this.#bucket),
    };
  }

  /** As a person does who knows that the line is good again: an upload that was denied waits for long. */
  async #retryUploads(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, 'uploads', '--retry', '--home', this.#options.home], {
      env: this.#agentEnv,
      stdio: 'ignore',
    });
    await once(child, 'exit');
  }
}

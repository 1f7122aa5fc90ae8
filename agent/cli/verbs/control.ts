import { existsSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { homePaths } from '../../base/paths.ts';
import { Processes } from '../../browser/processes.ts';
import { AgentControl, type AgentStatus, type Wish } from '../../control.ts';
import { AgentStateStore } from '../../store/agent-state.ts';
import { openDatabase } from '../../store/database.ts';
import { ProcessRepository } from '../../store/processes.ts';
import { UploadStore } from '../../store/uploads.ts';
import { AuditLog } from '../../audit/index.ts';
import { cliActor } from '../audit.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { formatTime, note, print, printJson } from '../output.ts';

/** What the audit log calls each wish. */
const ACTIONS: Record<Wish['verb'], string> = {
  pause: 'agent.pause',
  resume: 'agent.resume',
  drain: 'agent.drain',
  'resume-run': 'run.resume',
};

interface Reached {
  audit: AuditLog;
  control: AgentControl;
  status: AgentStatus | null;
  alive: boolean;
  uploads: { pending: number; done: number; failed: number };
}

/** What the agent on this data directory is doing; exit code 1 when none runs. */
export async function status(options: VerbOptions): Promise<void> {
  await withAgent(options, async ({ status: now, alive, uploads }) => {
    if (options.json === true) printJson({ running: alive, ...now, uploads });
    else if (!now || !alive)
      note(`No agent runs on ${options.home}. Start one with: local-browser-agent run`);
    else {
      print(`state      ${now.state}${now.detail ? ` (${now.detail})` : ''}`);
      print(`process    ${now.pid}, since ${formatTime(now.startedAt)}`);
      print(`activity   ${now.activityArn ?? 'none'}`);
      for (const run of now.runs) print(`run        ${run.runId} ${run.scriptName}`);
      for (const wait of now.waitingForPerson)
        print(`waits      ${wait.runId} for a person: ${wait.message}`);
      print(`uploads    ${uploads.pending} pending, ${uploads.failed} failed`);
    }
    if (!alive) throw new Failed('');
  });
}

export async function pause(options: VerbOptions): Promise<void> {
  await send(options, { verb: 'pause' }, 'The agent takes no new tasks until: local-browser-agent resume');
}

export async function resume(options: VerbOptions, args: string[]): Promise<void> {
  const runId = args[0];
  if (runId === undefined) await send(options, { verb: 'resume' }, 'The agent takes tasks again.');
  else await send(options, { verb: 'resume-run', runId }, `Run ${runId} goes on.`);
}

export async function drain(options: VerbOptions): Promise<void> {
  await send(options, { verb: 'drain' }, 'The agent finishes what it has begun, then ends.');
}

async function send(options: VerbOptions, wish: Wish, done: string): Promise<void> {
  await withAgent(options, async ({ audit, control, status: now, alive }) => {
    if (!alive) throw new Failed(`No agent runs on ${options.home}.`);
    if (wish.verb === 'resume-run' && !now?.waitingForPerson.some((wait) => wait.runId === wish.runId)) {
      throw new Failed(
        `Run ${wish.runId} does not wait for a person. "local-browser-agent status" shows which do.`,
      );
    }
    const target = wish.verb === 'resume-run' ? `run/${wish.runId}` : 'agent';
    await audit.around({ by: cliActor(), action: ACTIONS[wish.verb], target }, async () => {
      if (!(await control.wish(wish)))
        throw new Failed('The agent did not answer within 5 s. Is it hung? See its log.');
    });
    note(done);
  });
}

async function withAgent(options: VerbOptions, work: (reached: Reached) => Promise<void>): Promise<void> {
  const { database } = homePaths(options.home);
  if (!existsSync(database)) {
    if (options.json === true) printJson({ running: false });
    throw new Failed(`No agent has run on ${options.home} yet.`);
  }
  const db = openDatabase(database);
  try {
    const control = new AgentControl({ state: new AgentStateStore(db), clock: systemClock });
    const now = control.status()?.value ?? null;
    const processes = await Processes.open({
      repository: new ProcessRepository(db),
      home: options.home,
      log: silentLogger,
    });
    const alive = now !== null && now.state !== 'stopped' && (await processes.isAlive(now));
    await work({
      audit: new AuditLog({ db }),
      control,
      status: now,
      alive,
      uploads: new UploadStore(db).counts(),
    });
  } finally {
    db.close();
  }
}

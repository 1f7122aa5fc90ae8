/**
 * The agent as the desktop app runs it: a process of its own under Electron's main process, which steers it
 * by messages (base/shell-messages.ts) and keeps its credentials. What the window shows comes over the API.
 */
import { readFileSync } from 'node:fs';
import { messageOf } from './base/errors.ts';
import { keepCompiledCode } from './base/compile-cache.ts';
import { dialled } from './base/dialled.ts';
import { keepHeapSmall } from './base/memory.ts';
import type { ToAgent, ToShell } from './base/shell-messages.ts';
import { openShellPort } from './desktop/shell-port.ts';
import { moveSecrets, ShellVault } from './desktop/shell-vault.ts';
import { ShellVariables } from './desktop/shell-variables.ts';
import type { KeepServingOptions, Life } from './serve-loop.ts';

type Start = Extract<ToAgent, { type: 'start' }>;
type End = Omit<Extract<ToShell, { type: 'ended' }>, 'type'>;

/** What became of the credentials that a file held before. */
interface Moved {
  names: string[];
  /** Why some were not moved; null: all were. */
  problem: string | null;
}

const NOTHING_MOVED: Moved = { names: [], problem: null };
/** The last message must leave the process before it ends. */
const LAST_WORD_MS = 100;

keepHeapSmall();
const port = openShellPort();
const variables = new ShellVariables((message) => port.send(message));
let vault: ShellVault | null = null;
let life: Life | null = null;
let stop: (deadlineMs: number | null) => void = () => process.exit(0);

port.listen(
  (message) => {
    switch (message.type) {
      case 'start':
        start(message).then(
          (end) => leave(end),
          (thrown: unknown) => leave({ reason: 'failed', problem: messageOf(thrown) }),
        );
        return;
      case 'vault.answer':
        vault?.answer(message);
        return;
      case 'variable.answer':
        variables.answer(message);
        return;
      case 'suspend':
        life?.agent.log.info('the machine goes to sleep');
        return;
      case 'resume':
        life?.agent.log.info('the machine woke up: leases are verified before anything goes on');
        life?.serving.worker.woke();
        return;
      case 'stop':
        stop(message.deadlineMs);
        return;
      default:
        message satisfies never;
    }
  },
  // Nobody is there to show or steer anything; the next start takes up what is left.
  () => stop(0),
);

async function start({ home, origin, vault: kept }: Start): Promise<End> {
  keepCompiledCode(home);
  const [{ keepServing }, { followSnapshot }] = await Promise.all([
    import('./serve-loop.ts'),
    import('./desktop/snapshot.ts'),
  ]);
  const moved = kept ? await openVault(home, kept.protection) : NOTHING_MOVED;
  let unfollow: () => void = () => undefined;
  const options: KeepServingOptions = {
    home,
    env: process.env,
    variable: (name) => process.env[name] ?? variables.read(name),
    // The app shows it in the terminal it was started in.
    onLogProblem: (words) => process.stderr.write(`${words}\n`),
    // The window speaks the API: without it there is nothing to see.
    flags: { 'api.enabled': true },
    windowOrigin: origin,
    ...(vault ? { vault } : {}),
    onReady: (ready) => {
      life = ready;
      const { log, config, events } = ready.agent;
      if (moved.names.length > 0) {
        log.info({ names: moved.names.splice(0) }, 'credentials were moved into the vault');
      }
      if (moved.problem !== null) log.warn(moved.problem);
      log.info({ identity: ready.agent.identity }, 'the agent is at work for the desktop app');
      unfollow();
      const following = followSnapshot(ready, (snapshot) => port.send({ type: 'snapshot', snapshot }));
      const forget = events.on('desktop restart', ({ type }) => {
        if (type === 'agent.restarting') port.send({ type: 'restarting' });
      });
      unfollow = () => {
        following();
        forget();
      };
      const { api } = ready.serving;
      if (!api) throw new Error('the desktop agent has no API');
      port.send({
        type: 'ready',
        url: dialled(api.url),
        token: api.token,
        certificate: certificateOf(config.settings.api.tls_cert_file),
      });
    },
  };
  const loop = keepServing(options);
  stop = (deadlineMs) => {
    const ms = deadlineMs ?? (life?.agent.config.settings.worker.drain_deadline_seconds ?? 0) * 1_000;
    loop.stop({ deadlineMs: ms }).catch((thrown: unknown) => {
      leave({ reason: 'failed', problem: messageOf(thrown) });
    });
  };
  const end = await loop.done;
  return { reason: end.reason, problem: end.error ? messageOf(end.error) : null };
}

/** The vault of the main process, with what a file held before. */
async function openVault(home: string, protection: string): Promise<Moved> {
  vault = new ShellVault({ protection, send: (message) => port.send(message) });
  const { openFileVault } = await import('./config/vault.ts');
  try {
    return { names: await moveSecrets(openFileVault(home, process.env), vault), problem: null };
  } catch (thrown) {
    // E.g. sealed with a passphrase that only the command line is given: it stays where it is.
    return {
      names: [],
      problem: `credentials of before were not moved into the vault: ${messageOf(thrown)}`,
    };
  }
}

function certificateOf(path: string | null): string | null {
  return path === null ? null : readFileSync(path, 'utf8');
}

/** A poll may still be open, which keeps a process alive: it ends here all the same. */
function leave(end: End): void {
  port.send({ type: 'ended', ...end });
  setTimeout(() => process.exit(end.reason === 'failed' ? 1 : 0), LAST_WORD_MS);
}

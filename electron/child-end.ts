/** Why a process of the agent ended: facts for the log, and a sentence for the person. Pure. */

/** Facts about the end; which are known depends on how the process was started. */
export interface EndFacts {
  exitCode?: number | null;
  /** Of a process that was started as Node, e.g. `SIGKILL`. */
  signal?: NodeJS.Signals | null;
  /** Chromium's word for the end of a utility process, e.g. `oom`. */
  reason?: string;
  /** Where V8 gave up, e.g. when its heap was full. */
  fatalAt?: string;
  /** It was never started. */
  startError?: string;
  /** Its last lines say that the heap of JavaScript was full. */
  heapWasFull?: boolean;
}

export type EndKind = 'not-started' | 'out-of-memory' | 'killed' | 'crashed' | 'exited';

export interface ChildEnd {
  kind: EndKind;
  /** A whole sentence. */
  words: string;
  facts: EndFacts;
}

/** What V8 writes when it ends a process. */
const HEAP_FULL = /JavaScript heap out of memory|Reached heap limit/;

const NEVER_RAN_REASONS: ReadonlySet<string> = new Set(['launch-failed', 'integrity-failure']);
const OUT_OF_MEMORY_REASONS: ReadonlySet<string> = new Set(['oom', 'memory-eviction']);
const CRASH_SIGNALS: ReadonlySet<string> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);
/** The exit code of a crash on Windows is an NTSTATUS of severity "error", or that of a breakpoint (a failed check). */
const isNtStatusError = (status: number): boolean =>
  (status >= 0xc000_0000 && status < 0xd000_0000) || status === 0x8000_0003;
/** Chromium's own exception for failed allocations, and STATUS_NO_MEMORY. */
const WINDOWS_OUT_OF_MEMORY: ReadonlySet<number> = new Set([0xe000_0008, 0xc000_0017]);

export function saysHeapIsFull(line: string): boolean {
  return HEAP_FULL.test(line);
}

export function describeEnd(facts: EndFacts): ChildEnd {
  const kind = kindOf(facts);
  return { kind, words: wordsOf(kind, facts), facts };
}

function kindOf({ exitCode, signal, reason, fatalAt, startError, heapWasFull }: EndFacts): EndKind {
  if (startError !== undefined || NEVER_RAN_REASONS.has(reason ?? '')) return 'not-started';
  if (heapWasFull === true || OUT_OF_MEMORY_REASONS.has(reason ?? '')) return 'out-of-memory';
  const status = (exitCode ?? 0) >>> 0;
  if (WINDOWS_OUT_OF_MEMORY.has(status)) return 'out-of-memory';
  if (fatalAt !== undefined || reason === 'crashed') return 'crashed';
  if (signal) return CRASH_SIGNALS.has(signal) ? 'crashed' : 'killed';
  if (reason === 'killed') return 'killed';
  return isNtStatusError(status) ? 'crashed' : 'exited';
}

function wordsOf(kind: EndKind, { exitCode, signal, startError, reason }: EndFacts): string {
  switch (kind) {
    case 'not-started':
      return `The agent could not be started: ${startError ?? `the system refused it (${reason}, code ${exitCode})`}.`;
    case 'out-of-memory':
      return 'The agent ran out of memory. Run fewer tasks at a time, or close other programs.';
    case 'killed':
      return `The agent was ended from outside${signal ? ` (${signal})` : ''}: by a person, by another program, or by the system because memory was short.`;
    case 'crashed':
      return `The agent crashed (${signal ?? statusOf(exitCode)}).`;
    case 'exited':
      return `The agent ended unexpectedly (exit code ${exitCode ?? 'unknown'}).`;
    default:
      return kind satisfies never;
  }
}

/** In hexadecimal where it is one of Windows, as its documentation has them. */
function statusOf(exitCode: number | null | undefined): string {
  const status = (exitCode ?? 0) >>> 0;
  return status > 0xffff ? `status 0x${status.toString(16)}` : `status ${status}`;
}

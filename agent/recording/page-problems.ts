import type { CDPSession } from 'playwright';

/** Something that went wrong in a page: what a person would see in red in the browser's console. */
export interface PageProblem {
  kind: 'console' | 'exception' | 'network' | 'browser';
  text: string;
  url?: string;
  line?: number;
}

/**
 * Reports console errors, exceptions, and what the browser's own log says: failed requests and error statuses
 * are in it without a listener on the network. Needs `Runtime.enable` and `Log.enable`.
 */
export function watchProblems(session: CDPSession, report: (problem: PageProblem) => void): void {
  session.on('Log.entryAdded', ({ entry }) => {
    if (entry.level !== 'error') return;
    report({
      kind: entry.source === 'network' ? 'network' : 'browser',
      text: entry.text,
      ...(entry.url === undefined ? {} : { url: entry.url }),
    });
  });
  session.on('Runtime.exceptionThrown', ({ exceptionDetails: details }) => {
    report({
      kind: 'exception',
      text: details.exception?.description ?? details.text,
      ...(details.url === undefined ? {} : { url: details.url, line: details.lineNumber + 1 }),
    });
  });
  session.on('Runtime.consoleAPICalled', ({ type, args, stackTrace }) => {
    if (type !== 'error' && type !== 'assert') return;
    const top = stackTrace?.callFrames[0];
    report({
      kind: 'console',
      text: args.map((arg) => String('value' in arg ? arg.value : (arg.description ?? arg.type))).join(' '),
      ...(top ? { url: top.url, line: top.lineNumber + 1 } : {}),
    });
  });
}

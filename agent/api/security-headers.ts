/** The headers that Helmet would set on each answer: the same each time, so they are made once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

export function securityHeaders({ tls }: { tls: boolean }): Record<string, string> {
  const headers: Record<string, string> = {};
  const set = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: tls,
  });
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  // Without functions among the directives it is done when it returns.
  set({} as IncomingMessage, response as unknown as ServerResponse, (thrown) => {
    if (thrown !== undefined) throw thrown;
  });
  return headers;
}

/**
 * The parts of prom-client, one by one: its index also loads a pusher, a cluster registry and OpenTelemetry's
 * API, which is 12 MB of memory instead of 1 and nothing that is used here.
 */
declare module 'prom-client/lib/registry.js' {
  export { Registry as default } from 'prom-client';
}
declare module 'prom-client/lib/counter.js' {
  export { Counter as default } from 'prom-client';
}
declare module 'prom-client/lib/gauge.js' {
  export { Gauge as default } from 'prom-client';
}
declare module 'prom-client/lib/histogram.js' {
  export { Histogram as default } from 'prom-client';
}

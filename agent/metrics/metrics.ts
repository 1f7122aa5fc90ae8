/**
 * Metrics in the text format of Prometheus. Counters and histograms follow the events of this process;
 * gauges are read when somebody asks. No timers. Names and units: https://prometheus.io/docs/practices/naming/
 *
 * Every label has a bounded set of values: nothing that a script, a page or a caller chooses becomes one.
 */
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { AwsCall, ServiceHealth } from '../aws/resilience.ts';
import { ERROR_NAMES } from '../base/errors.ts';
import type { AgentEvent, EventBus } from '../base/events.ts';
import type { ServiceState } from '../base/services.ts';
import type { RecordingLevel } from '../base/words.ts';
import { ACTIONS, CONTROL_ACTIONS } from '../script/schema.ts';
import type { ArtifactRepository } from '../store/artifacts.ts';
import type { RunRepository } from '../store/run-rows.ts';
import type { UploadStore } from '../store/uploads.ts';
import { addProcessGauges } from './process.ts';

/** Seconds. Runs take from a second to half an hour, which is the default limit. */
const RUN_BUCKETS = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
/** Seconds. Steps take from a click to a wait for a person. */
const STEP_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Seconds. Requests to the local API. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5];
/** More routes than the API has, and more keys than anybody makes; those beyond count as `other`. */
const MAX_ROUTES = 200;
const MAX_KEYS = 200;

/** As a number, so that it can be drawn and alerted on. */
const SERVICE_VALUE: Record<ServiceState, number> = { closed: 0, half_open: 0.5, open: 1 };

const WORKER_STATES = ['made', 'starting', 'working', 'paused', 'draining', 'stopping', 'stopped'];
const OPEN_STATES = ['queued', 'waiting', 'running'] as const;
const KNOWN_ERRORS: ReadonlySet<string> = new Set(ERROR_NAMES);
const KNOWN_ACTIONS: ReadonlySet<string> = new Set<string>([...ACTIONS, ...CONTROL_ACTIONS]);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface MetricsOptions {
  events: EventBus;
  runs: Pick<RunRepository, 'unfinished'> & Pick<ArtifactRepository, 'artifacts'>;
  uploads: Pick<UploadStore, 'counts'>;
  services: () => readonly Pick<ServiceHealth, 'service' | 'state'>[];
  /** Of this program. */
  version: string;
}

export interface Metrics {
  readonly contentType: string;
  /** Everything, as it is now. */
  text(): Promise<string>;
  /**
   * A request that the local API has answered; `route` is the pattern (`/api/v1/runs/:id`), not the address;
   * `keyId` is the public part of the key, `owner`, or null where there was none that is known.
   */
  request(answered: {
    method: string;
    route: string;
    status: number;
    durationMs: number;
    keyId?: string | null;
  }): void;
  /** A call to an AWS service that has ended. */
  awsCall(call: AwsCall): void;
  /** The same as data, for other formats. */
  json(): Promise<MetricObjectWithValues<MetricValue<string>>[]>;
  /** One more gauge, read at each scrape; the caller sees to it that its label values are bounded. */
  gauge(gauge: {
    name: `browser_agent_${string}`;
    help: string;
    labels: readonly string[];
    read: () => readonly { labels: Record<string, string>; value: number }[];
  }): void;
  /** Follows the events no longer. */
  close(): void;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { events, runs } = options;
  const registry = new Registry();
  const instruments = makeInstruments(registry);
  let workerState = '';
  addGauges(registry, options, () => workerState);
  addProcessGauges(registry);

  const levels = new Map<string, RecordingLevel>();
  const routes = new Set<string>();
  const keys = new Set<string>();
  const unsubscribe = events.on('metrics', (event) => {
    if (event.type === 'agent.state') workerState = event.state;
    if (event.type === 'run.started') levels.set(event.runId, event.level.level);
    count(event, instruments);
    if (event.type !== 'run.finished') return;
    const level = levels.get(event.runId);
    levels.delete(event.runId);
    // A run that never started has no evidence.
    if (level === undefined) return;
    const artifacts = runs.artifacts(event.runId);
    instruments.artifacts.inc({ level }, artifacts.length);
    instruments.artifactBytes.inc(
      { level },
      artifacts.reduce((total, artifact) => total + artifact.size_bytes, 0),
    );
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    json: () => registry.getMetricsAsJSON(),
    awsCall: ({ service, result, retries }) => {
      instruments.awsCalls.inc({ service, result });
      if (retries > 0) instruments.awsRetries.inc({ service }, retries);
    },
    request: ({ method, route, status, durationMs, keyId = null }) => {
      const key = keyId ?? 'none';
      if (keys.size < MAX_KEYS) keys.add(key);
      instruments.keyRequests.inc({
        key: keys.has(key) ? key : 'other',
        result: status < 400 ? 'ok' : status === 429 ? 'limited' : 'refused',
      });
      if (routes.size < MAX_ROUTES) routes.add(route);
      instruments.requestDuration.observe(
        {
          method: METHODS.has(method) ? method : 'other',
          route: routes.has(route) ? route : 'other',
          status: status >= 100 && status <= 599 ? String(status) : 'other',
        },
        durationMs / 1_000,
      );
    },
    gauge: ({ name, help, labels, read }) => {
      addGauge(registry, { name, help, labelNames: [...labels], read });
    },
    close: unsubscribe,
  };
}

type Instruments = ReturnType<typeof makeInstruments>;

function makeInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
    new Counter({ name: `browser_agent_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    buckets: number[],
  ): Histogram<L> => new Histogram({ name: `browser_agent_${name}`, help, labelNames, buckets, registers });

  return {
    runs: counter('runs_total', 'Runs that ended, by end state and error name', ['state', 'error']),
    runDuration: histogram('run_duration_seconds', 'Duration of runs that ended', ['state'], RUN_BUCKETS),
    steps: counter('steps_total', 'Steps that ended, by action and result', ['action', 'result']),
    stepDuration: histogram('step_duration_seconds', 'Duration of steps', ['action'], STEP_BUCKETS),
    artifacts: counter('artifacts_total', 'Files of evidence that runs left, by recording level', ['level']),
    artifactBytes: counter('artifact_bytes_total', 'Size of these files', ['level']),
    uploads: counter('uploads_total', 'Files that were uploaded'),
    uploadBytes: counter('upload_bytes_total', 'Bytes that were uploaded'),
    uploadRetries: counter('upload_retries_total', 'Uploads that failed and are tried again'),
    awsCalls: counter('aws_calls_total', 'Calls to AWS services, by how they ended', ['service', 'result']),
    awsRetries: counter('aws_retries_total', 'Requests to AWS services that were sent again', ['service']),
    polls: counter('polls_total', 'Answers to GetActivityTask', ['outcome']),
    tasksReceived: counter('tasks_received_total', 'Tasks that were handed over'),
    tasksReported: counter('tasks_reported_total', 'Tasks whose report was taken', ['outcome']),
    leasesLost: counter('leases_lost_total', 'Tasks whose lease was lost'),
    browserStarts: counter('browser_starts_total', 'Browsers that were started'),
    humanRequests: counter('human_requests_total', 'Times that a run asked for a person'),
    humanResolved: counter('human_resolved_total', 'How waiting for a person ended', ['by']),
    keyRequests: counter('api_key_requests_total', 'Requests to the local API, by key and result', [
      'key',
      'result',
    ]),
    requestDuration: histogram(
      'api_request_duration_seconds',
      'Duration of requests to the local API',
      ['method', 'route', 'status'],
      REQUEST_BUCKETS,
    ),
  };
}

function count(event: AgentEvent, to: Instruments): void {
  switch (event.type) {
    case 'run.finished':
      to.runs.inc({ state: event.state, error: errorLabel(event.errorName) });
      to.runDuration.observe({ state: event.state }, event.durationMs / 1_000);
      break;
    case 'step.finished': {
      const action = KNOWN_ACTIONS.has(event.action) ? event.action : 'other';
      to.steps.inc({ action, result: event.success ? 'ok' : 'failed' });
      to.stepDuration.observe({ action }, event.durationMs / 1_000);
      break;
    }
    case 'upload.finished':
      to.uploads.inc();
      to.uploadBytes.inc(event.sizeBytes);
      break;
    case 'upload.failed':
      to.uploadRetries.inc();
      break;
    case 'poll.answered':
      to.polls.inc({ outcome: event.outcome });
      break;
    case 'task.received':
      to.tasksReceived.inc();
      break;
    case 'task.reported':
      to.tasksReported.inc({ outcome: event.outcome });
      break;
    case 'lease.lost':
      to.leasesLost.inc();
      break;
    case 'browser.started':
      to.browserStarts.inc();
      break;
    case 'human.requested':
      to.humanRequests.inc();
      break;
    case 'human.resolved':
      to.humanResolved.inc({ by: event.by });
      break;
    default:
      break;
  }
}

/** One of the closed list; a name that a script chose itself is `script`; none: empty. */
function errorLabel(name: string | undefined): string {
  if (name === undefined) return '';
  return KNOWN_ERRORS.has(name) ? name : 'script';
}

function addGauges(
  registry: Registry,
  { runs, uploads, services, version }: MetricsOptions,
  workerState: () => string,
): void {
  addGauge(registry, {
    name: 'browser_agent_worker_state',
    help: 'What the worker is doing: 1 for the state that it is in',
    labelNames: ['state'],
    read: () => WORKER_STATES.map((state) => ({ labels: { state }, value: state === workerState() ? 1 : 0 })),
  });
  addGauge(registry, {
    name: 'browser_agent_open_runs',
    help: 'Runs that have not ended: queued, waiting for their profile, running',
    labelNames: ['state'],
    read: () => {
      const open = runs.unfinished();
      return OPEN_STATES.map((state) => ({
        labels: { state },
        value: open.filter((run) => run.state === state).length,
      }));
    },
  });
  addGauge(registry, {
    name: 'browser_agent_upload_queue',
    help: 'Uploads on record: pending, and those that can never be done',
    labelNames: ['state'],
    read: () => {
      const { pending, failed } = uploads.counts();
      return [
        { labels: { state: 'pending' }, value: pending },
        { labels: { state: 'failed' }, value: failed },
      ];
    },
  });
  addGauge(registry, {
    name: 'browser_agent_aws_service_state',
    help: 'Circuit breaker of each AWS service: 0 closed, 0.5 half open, 1 open',
    labelNames: ['service'],
    read: () =>
      services().map(({ service, state }) => ({ labels: { service }, value: SERVICE_VALUE[state] })),
  });
  addGauge(registry, {
    name: 'browser_agent_info',
    help: 'The program',
    labelNames: ['version'],
    read: () => [{ labels: { version }, value: 1 }],
  });
}

function addGauge(
  registry: Registry,
  {
    name,
    help,
    labelNames,
    read,
  }: {
    name: string;
    help: string;
    labelNames: string[];
    read: () => readonly { labels: Record<string, string>; value: number }[];
  },
): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      labelNames,
      registers: [],
      collect() {
        // What is no longer there must not keep its last value.
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    }),
  );
}

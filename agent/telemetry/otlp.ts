/** The SDK of OpenTelemetry, put together: spans in batches, metrics at intervals, both as JSON over HTTP. */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { maskText } from '../base/mask-sensitive.ts';
import { wait } from '../base/wait.ts';
import type { Telemetry, TelemetryOptions } from './index.ts';
import { metricProducer } from './metric-producer.ts';
import { traceRuns } from './spans.ts';

/** A collector that takes longer to answer has no time for us. */
const EXPORT_TIMEOUT_MS = 5_000;
/** Spans travel together: those of a short run in one request. */
const BATCH_MS = 2_000;
/** Spans that wait while the collector is away, about 1 kB each; beyond that they are dropped. */
const MAX_WAITING_SPANS = 2_048;

export function openOtlp(
  options: Omit<TelemetryOptions, 'endpoint' | 'headers'> & {
    endpoint: string;
    headers: Record<string, string>;
  },
): Telemetry {
  const { headers, log, events, metrics, version } = options;
  const to = (path: string): { url: string; headers: Record<string, string>; timeoutMillis: number } => ({
    url: `${options.endpoint.replace(/\/+$/, '')}/v1/${path}`,
    headers,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const resource = resourceFromAttributes({
    'service.name': 'local-browser-agent',
    'service.version': version,
    'service.instance.id': options.instance,
  });
  const tracers = new TracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: quiet(new OTLPTraceExporter(to('traces')), 'traces', log),
        scheduledDelayMillis: BATCH_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        maxQueueSize: MAX_WAITING_SPANS,
      }),
    ],
  });
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: quiet(new OTLPMetricExporter(to('metrics')), 'metrics', log),
        exportIntervalMillis: options.metricsMs,
        exportTimeoutMillis: Math.min(EXPORT_TIMEOUT_MS, options.metricsMs),
        metricProducers: [metricProducer(metrics, resource)],
      }),
    ],
  });
  const unsubscribe = traceRuns(events, tracers.getTracer('local-browser-agent', version));
  log.info('traces and metrics go to the OpenTelemetry collector');

  return {
    close: async ({ deadlineMs }) => {
      unsubscribe();
      const timer = new AbortController();
      const late = wait(deadlineMs, timer.signal).catch(() => undefined);
      const sent = Promise.allSettled([tracers.shutdown(), meters.shutdown()]);
      await Promise.race([sent, late]);
      timer.abort();
    },
  };
}

interface Result {
  /** 0: sent. */
  code: number;
  error?: Error;
}

/** Says once that the collector cannot be reached, and once that it can again; between, what is lost is lost. */
function quiet<E extends { export(items: never, done: (result: Result) => void): void }>(
  exporter: E,
  what: string,
  log: Logger,
): E {
  let failures = 0;
  const send = exporter.export.bind(exporter) as (items: unknown, done: (result: Result) => void) => void;
  exporter.export = (items: unknown, done: (result: Result) => void): void =>
    send(items, (result) => {
      if (result.code === 0) {
        if (failures > 0) log.info({ what, failures }, 'the OpenTelemetry collector takes it again');
        failures = 0;
      } else {
        failures += 1;
        const reason = maskText(messageOf(result.error));
        if (failures === 1) log.warn({ what, reason }, 'the OpenTelemetry collector did not take it');
      }
      // Never a failure to the SDK: it would be told to everybody in the process, each time.
      done({ code: 0 });
    });
  return exporter;
}

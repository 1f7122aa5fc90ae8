/**
 * OpenTelemetry, where a collector is configured: traces and metrics over OTLP/HTTP. The SDK (some 15 MB of
 * memory) is loaded only then. Nothing that goes wrong here ever reaches a run.
 */
import type { EventBus } from '../base/events.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../metrics/index.ts';
import { readHeaders } from './headers.ts';

export interface TelemetryOptions {
  /** Of the collector, e.g. `http://127.0.0.1:4318`; null: none. */
  endpoint: string | null;
  /** As `telemetry.otlp_headers` has them. */
  headers: string | null;
  metricsMs: number;
  /** What `{{secret:NAME}}` in the headers stands for. */
  secret: (name: string) => Promise<string>;
  events: EventBus;
  metrics: Pick<Metrics, 'json'>;
  log: Logger;
  /** Names this agent among others. */
  instance: string;
  version: string;
}

export interface Telemetry {
  /** Sends what is left, within `deadlineMs`. Never throws. */
  close(options: { deadlineMs: number }): Promise<void>;
}

/** @returns null when no collector is configured, or when it cannot be used, which is logged */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry | null> {
  const { endpoint, log } = options;
  if (endpoint === null) return null;
  try {
    const headers = await readHeaders(options.headers ?? '', options.secret);
    const { openOtlp } = await import('./otlp.ts');
    return openOtlp({ ...options, endpoint, headers });
  } catch (thrown) {
    log.error({ reason: messageOf(thrown) }, 'OpenTelemetry could not be started; the agent goes on without');
    return null;
  }
}

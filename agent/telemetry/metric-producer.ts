/**
 * The agent's metrics as OpenTelemetry has them. They live once, in the registry that `/metrics` is made
 * from: same names, same labels, same values.
 */
import { ValueType, type HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Metrics } from '../metrics/index.ts';

type Registered = Awaited<ReturnType<Metrics['json']>>[number];
type Sample = Registered['values'][number] & { metricName?: string };

export function metricProducer(metrics: Pick<Metrics, 'json'>, resource: Resource): MetricProducer {
  const startTime = toHrTime(Date.now() - process.uptime() * 1_000);
  return {
    collect: async () => {
      const endTime = toHrTime(Date.now());
      const times = { startTime, endTime };
      const found = (await metrics.json()).map((metric) => toMetricData(metric, times));
      const scope = { name: 'local-browser-agent' };
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics: found }] }, errors: [] };
    },
  };
}

interface Times {
  startTime: HrTime;
  endTime: HrTime;
}

function toMetricData(metric: Registered, times: Times): MetricData {
  const { name, help, type } = metric;
  const base = {
    descriptor: { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  // Declared as an enum, given as text.
  const kind = String(type);
  if (kind === 'histogram') {
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints: histograms(metric, times) };
  }
  const dataPoints = metric.values.map(({ labels, value }) => ({
    ...times,
    attributes: { ...labels } as Record<string, string>,
    value,
  }));
  if (kind === 'counter') {
    return { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  }
  return { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** The registry counts "up to"; here each bucket counts its own. */
function histograms({ name, values }: Registered, times: Times): DataPoint<Histogram>[] {
  const groups = Map.groupBy(values as Sample[], ({ labels }) => {
    const { le: _bound, ...rest } = labels as Record<string, unknown>;
    return JSON.stringify(rest);
  });
  return [...groups].map(([key, samples]) => {
    const buckets = samples
      .filter(({ metricName }) => metricName === `${name}_bucket`)
      .map(({ labels, value }) => ({ bound: Number((labels as { le: string | number }).le), upTo: value }))
      .map(({ bound, upTo }) => ({ bound: Number.isNaN(bound) ? Infinity : bound, upTo }))
      .sort((a, b) => a.bound - b.bound);
    const valueOf = (suffix: string): number =>
      samples.find(({ metricName }) => metricName === `${name}_${suffix}`)?.value ?? 0;
    return {
      ...times,
      attributes: JSON.parse(key) as Record<string, string>,
      value: {
        buckets: {
          boundaries: buckets.map(({ bound }) => bound).filter(Number.isFinite),
          counts: buckets.map(({ upTo }, index) => upTo - (buckets[index - 1]?.upTo ?? 0)),
        },
        sum: valueOf('sum'),
        count: valueOf('count'),
      },
    };
  });
}

/** By the units that Prometheus puts into names (https://ucum.org). */
function unitOf(name: string): string {
  if (/_seconds(_total)?$/.test(name)) return 's';
  return /_bytes(_total)?$/.test(name) ? 'By' : '';
}

function toHrTime(ms: number): HrTime {
  return [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];
}

import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

export const telemetry = settingGroup({
  doc: 'OpenTelemetry ([metrics.md](metrics.md)).',
  applies: 'restart',
  schema: z.strictObject({
    otlp_endpoint: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'OpenTelemetry collector that traces and metrics are sent to, over OTLP/HTTP (JSON): `/v1/traces` and `/v1/metrics` are added. When it is not set, nothing is sent and nothing is loaded.',
        env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
      }),
    otlp_headers: z
      .string()
      .min(1)
      .max(4_096)
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'Headers for that collector, as `name=value,name=value` (values percent-encoded where needed). `{{secret:NAME}}` in a value is replaced by what `config secret NAME` stored, so that no credential stands in a file of settings.',
        allowed: 'a text of up to 4096 characters; never shown',
        env: ['OTEL_EXPORTER_OTLP_HEADERS'],
        secret: true,
      }),
    metrics_seconds: z.number().min(1).max(86_400).default(60).register(settingDocs, {
      doc: 'Time between two exports of the metrics.',
    }),
  }),
});

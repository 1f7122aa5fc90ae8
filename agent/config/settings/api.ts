import { z } from 'zod';
import { optionalText, settingDocs, settingGroup } from './group.ts';

const perMinute = z.int().min(1).max(1_000_000);
const streams = z.int().min(0).max(1_000);
const perDay = z.int().min(1).max(1_000_000_000);
const sessions = z.int().min(0).max(1_000);

export const api = settingGroup({
  doc: 'The local API ([api.md](api.md)).',
  applies: 'restart',
  schema: z.strictObject({
    enabled: z.boolean().default(true).register(settingDocs, {
      doc: 'Whether the agent answers on its local API.',
    }),
    host: z.string().min(1).max(255).default('127.0.0.1').register(settingDocs, {
      doc: 'Address that the local API listens on. Anything that is not this machine alone needs `api.tls_cert_file`.',
    }),
    port: z.int().min(0).max(65_535).default(4_590).register(settingDocs, {
      doc: 'Port of the local API; 0 picks a free one. When the default is taken, a free one is picked; when a port that was set here is taken, the agent does not start. `api.json` in the data directory has the address.',
    }),
    allowed_origins: z
      .array(z.url({ protocol: /^https?$/ }))
      .default([])
      .register(settingDocs, {
        doc: 'Origins of web pages that may use the API, beside its own; each also counts as a name for this machine in `Host`.',
        allowed: 'a list of origins such as `https://tools.example.com`',
      }),
    tls_cert_file: optionalText().register(settingDocs, {
      doc: 'Certificate chain of the API (PEM), for https.',
      ownerOnly: true,
    }),
    tls_key_file: optionalText().register(settingDocs, {
      doc: 'Private key of that certificate (PEM).',
      ownerOnly: true,
    }),
    basic_per_minute: perMinute.default(60).register(settingDocs, {
      doc: 'Requests that a key of the tier basic may make in a minute.',
      applies: 'now',
    }),
    basic_per_day: perDay.default(1_000).register(settingDocs, {
      doc: 'Requests that a key of the tier basic may make in a day (UTC).',
      applies: 'now',
    }),
    standard_per_minute: perMinute.default(300).register(settingDocs, {
      doc: 'Requests that a key of the tier standard may make in a minute.',
      applies: 'now',
    }),
    standard_per_day: perDay.default(10_000).register(settingDocs, {
      doc: 'Requests that a key of the tier standard may make in a day (UTC).',
      applies: 'now',
    }),
    premium_per_minute: perMinute.default(1_500).register(settingDocs, {
      doc: 'Requests that a key of the tier premium may make in a minute.',
      applies: 'now',
    }),
    premium_per_day: perDay.default(100_000).register(settingDocs, {
      doc: 'Requests that a key of the tier premium may make in a day (UTC).',
      applies: 'now',
    }),
    basic_streams: streams.default(10).register(settingDocs, {
      doc: 'Streams of events that a key of the tier basic may have open at a time.',
      applies: 'now',
    }),
    standard_streams: streams.default(50).register(settingDocs, {
      doc: 'Streams of events that a key of the tier standard may have open at a time.',
      applies: 'now',
    }),
    premium_streams: streams.default(500).register(settingDocs, {
      doc: 'Streams of events that a key of the tier premium may have open at a time.',
      applies: 'now',
    }),
    event_rows: z.int().min(100).max(100_000).default(10_000).register(settingDocs, {
      doc: 'About how many events the history keeps; the oldest go first.',
      applies: 'now',
    }),
    event_days: z.number().min(0).max(3_650).default(7).register(settingDocs, {
      doc: 'Days after which events are removed from the history.',
      applies: 'now',
    }),
    max_runs: z.int().min(1).max(1_000).default(4).register(settingDocs, {
      doc: 'Runs of the API at a time, beside those of tasks and sessions; each is a browser that takes memory.',
      applies: 'now',
    }),
    basic_sessions: sessions.default(1).register(settingDocs, {
      doc: 'Sessions that a key of the tier basic may have open at a time.',
      applies: 'now',
    }),
    standard_sessions: sessions.default(3).register(settingDocs, {
      doc: 'Sessions that a key of the tier standard may have open at a time.',
      applies: 'now',
    }),
    premium_sessions: sessions.default(10).register(settingDocs, {
      doc: 'Sessions that a key of the tier premium may have open at a time.',
      applies: 'now',
    }),
    max_sessions: sessions.default(16).register(settingDocs, {
      doc: 'Sessions that may be open on this machine at a time, those of the owner included.',
      applies: 'now',
    }),
    session_idle_seconds: z.int().min(1).max(86_400).default(600).register(settingDocs, {
      doc: 'How long a session stays open with nothing to do when it names no `idle_timeout_seconds`.',
      applies: 'now',
    }),
    live_ticket_seconds: z.int().min(1).max(3_600).default(60).register(settingDocs, {
      doc: 'How long a ticket of the live view can be used, in seconds.',
      applies: 'now',
    }),
  }),
});

import { z } from 'zod';
import { RECORDING_LEVELS } from '../base/words.ts';
import { ARTIFACT_KINDS } from './artifact-kinds.ts';

/** `manifest.json`: what was recorded of a run, and what was not and why. Names are as in the script format. */
export const manifestSchema = z.object({
  version: z.literal(1),
  run: z.object({
    run_id: z.string(),
    task_id: z.string().optional(),
    script_name: z.string(),
    agent: z.string().optional(),
    environment: z.string().optional(),
    profile: z.string().nullable().optional(),
    state: z.enum(['succeeded', 'failed', 'cancelled', 'lost']),
    error: z.object({ name: z.string(), message: z.string() }).optional(),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime(),
    duration_ms: z.number().int().nonnegative(),
  }),
  recording: z.object({
    level: z.enum(RECORDING_LEVELS),
    reason: z.string(),
    keep_level: z.enum(RECORDING_LEVELS),
  }),
  steps: z.array(
    z.object({
      step_number: z.number().int(),
      name: z.string(),
      action: z.string(),
      success: z.boolean(),
      duration_ms: z.number().optional(),
      url: z.string().optional(),
      error: z.object({ name: z.string(), message: z.string() }).optional(),
      /** Keys of the artifacts that show this step. */
      artifacts: z.array(z.string()),
    }),
  ),
  artifacts: z.array(
    z.object({
      kind: z.enum(ARTIFACT_KINDS),
      key: z.string(),
      content_type: z.string(),
      size_bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      masked: z.number().int().nonnegative(),
      step_number: z.number().int().optional(),
      /** False: kept on the machine only. */
      uploaded: z.boolean(),
    }),
  ),
  masked: z.object({
    /** Occurrences of values that were replaced. */
    values: z.number().int().nonnegative(),
    /** Fields and passages that were hidden, added up over all artifacts. */
    fields: z.number().int().nonnegative(),
    /** Pictures that were dropped because masks were not in place yet. */
    frames_dropped: z.number().int().nonnegative(),
  }),
  video: z.object({ recorded: z.boolean(), reason: z.string().optional() }),
  problems: z.array(z.string()),
  machine: z.object({
    platform: z.string(),
    arch: z.string(),
    node: z.string(),
    cores: z.number().int(),
  }),
  browser: z.object({ kind: z.string(), version: z.string(), headless: z.boolean() }).optional(),
  more: z.record(z.string(), z.json()).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;

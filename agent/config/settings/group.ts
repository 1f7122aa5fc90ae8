/** What a setting and a group of settings say about themselves. */
import { z } from 'zod';

export interface SettingMeta {
  /** One or two sentences for the person who sets it. */
  doc: string;
  /** The allowed values, as text for people, where the type does not say it all. */
  allowed?: string;
  /** Further environment variables, weaker than `LBA_…`, strongest first. */
  env?: readonly string[];
  /** May come from a parameter in AWS; never for what decides which program runs or what it may read. */
  fromAws?: boolean;
  /** Only the environment can set it. */
  envOnly?: boolean;
  /** What a value that cannot be read counts as; absent: as not set. For limits, which must not fall open. */
  whenInvalid?: unknown;
  /** When a change reaches a running agent; default: that of its group. */
  applies?: Applies;
  /** Its value is a credential: never shown, logged, or kept anywhere but where it was set. */
  secret?: boolean;
  /** Decides which program runs or which file is read: through the API only the owner sets it. */
  ownerOnly?: boolean;
}

/** When a changed setting counts: at once, for runs that start after it, or when the agent starts again. */
export const APPLIES = ['now', 'next run', 'restart'] as const;
export type Applies = (typeof APPLIES)[number];

export const settingDocs = z.registry<SettingMeta>();

export interface SettingGroupSpec<Schema extends z.ZodObject> {
  /** The introduction of its section in docs/configuration.md. */
  doc: string;
  /** When a change to one of its settings takes effect, unless the setting says otherwise ({@link SettingMeta}). */
  applies: Applies;
  schema: Schema;
}

/** A group of settings; schema.ts lists all of them. */
export function settingGroup<Schema extends z.ZodObject>(
  spec: SettingGroupSpec<Schema>,
): SettingGroupSpec<Schema> {
  return spec;
}

/** An optional text. A new schema each time: the registry knows a setting by its schema object. */
export const optionalText = () => z.string().min(1).nullable().default(null);

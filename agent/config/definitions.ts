/** The settings of the schema as a list: key, environment variables, allowed values, when a change takes effect. */
import { z } from 'zod';
import { settingGroups, type SettingGroup } from './schema.ts';
import { settingDocs, type Applies, type SettingGroupSpec, type SettingMeta } from './settings/group.ts';

export interface SettingDefinition {
  /** e.g. `recording.max_level`. */
  key: string;
  /** The part of the key before the dot. */
  group: SettingGroup;
  schema: z.ZodType;
  meta: SettingMeta;
  default: unknown;
  /** The allowed values, as text for people. */
  readonly allowed: string;
  /** Environment variables that set it, strongest first. */
  env: string[];
  applies: Applies;
}

/** All settings, in the order of the schema. */
export const settingDefinitions: readonly SettingDefinition[] = groupEntries().flatMap(
  ([group, { schema: object, applies }]) =>
    Object.entries(object.shape).map(([name, schema]) => {
      const key = `${group}.${name}`;
      const meta = settingDocs.get(schema);
      if (!meta) throw new Error(`${key} has no documentation`);
      let allowed = meta.allowed;
      const own = `LBA_${key.toUpperCase().replace('.', '_')}`;
      return {
        key,
        group,
        schema,
        meta,
        default: schema.parse(undefined),
        // Worked out when somebody first reads it: a start takes 20 ms less.
        get allowed() {
          return (allowed ??= describeType(schema));
        },
        env: meta.envOnly ? [...(meta.env ?? [])] : [own, ...(meta.env ?? [])],
        applies: meta.applies ?? applies,
      };
    }),
);

/** `Object.entries`, with the names of the groups as their type. */
function groupEntries(): [SettingGroup, SettingGroupSpec<z.ZodObject<Record<string, z.ZodType>>>][] {
  return Object.entries(settingGroups) as ReturnType<typeof groupEntries>;
}

const byKey = new Map(settingDefinitions.map((definition) => [definition.key, definition]));

export function settingDefinition(key: string): SettingDefinition | undefined {
  return byKey.get(key);
}

interface JsonSchema {
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

/** The words a setting allows, when it allows only some. */
export function enumOf(schema: z.ZodType): readonly string[] | undefined {
  return withoutNull(schema).enum;
}

/** The JSON type a setting has when it is set: what text from the environment is read as. */
export function jsonTypeOf(schema: z.ZodType): string {
  return withoutNull(schema).type ?? 'object';
}

/** The least and the most that a number may be; null: no such bound, or no number. */
export function rangeOf(schema: z.ZodType): { minimum: number | null; maximum: number | null } {
  const { minimum, maximum } = withoutNull(schema);
  return { minimum: minimum ?? null, maximum: maximum ?? null };
}

function withoutNull(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
  return json.anyOf?.find((part) => part.type !== 'null') ?? json;
}

function describeType(schema: z.ZodType): string {
  const json = withoutNull(schema);
  if (json.enum) return `one of ${json.enum.join(', ')}`;
  switch (json.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
    case 'number': {
      const what = json.type === 'integer' ? 'a whole number' : 'a number';
      return `${what} from ${json.minimum ?? '−∞'} to ${json.maximum ?? '∞'}`;
    }
    case 'array':
      return 'a list of texts';
    case 'string':
      return json.maxLength === undefined ? 'a text' : `a text of up to ${json.maxLength} characters`;
    case undefined:
    default:
      return json.type ?? 'an object';
  }
}

/**
 * What can stand where the cursor is, from the JSON Schema of scripts: keys of the object, and values of
 * the key. Of `if` and `then` it knows as much as the schema of steps uses: which action a step has.
 */
import {
  snippetCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import type { SyntaxNode } from '@lezer/common';

/** The part of JSON Schema that is looked at. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  const?: unknown;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
  not?: Schema;
  if?: Schema;
  then?: Schema;
}

/** The values of an object's keys as far as they are texts; others are there, and unknown. */
type Known = ReadonlyMap<string, string | undefined>;

/** References inside references: the schema has a handful. */
const MAX_DEPTH = 12;

export function schemaCompletion(root: Schema): (context: CompletionContext) => CompletionResult | null {
  return ({ state, pos, explicit }) => {
    const place = placeAt(state, pos);
    if (place === null || (place.isEmpty && !explicit)) return null;
    const options =
      place.kind === 'key'
        ? keysOf(root, state, place)
        : valuesOf(schemasOf(root, state, place.node, place.key), root, place.isInArray);
    return options.length === 0
      ? null
      : { from: place.from, to: place.to, options, validFor: /^"?[\w-]*"?$/ };
  };
}

interface Place {
  kind: 'key' | 'value';
  /** The object or list that it is in. */
  node: SyntaxNode;
  /** Of a value in an object. */
  key: string | null;
  isInArray: boolean;
  from: number;
  to: number;
  /** Nothing is written yet: only who asks gets an answer. */
  isEmpty: boolean;
}

function placeAt(state: EditorState, pos: number): Place | null {
  const node = syntaxTree(state).resolveInner(pos, -1);
  const parent = node.parent;
  const written = { from: node.from, to: node.to, isEmpty: false };
  if (node.name === 'PropertyName' && parent?.parent && pos > node.from) {
    return { kind: 'key', node: parent.parent, key: null, isInArray: false, ...written };
  }
  if (isScalar(node) && parent?.name === 'Property' && parent.parent && pos > node.from) {
    return { kind: 'value', node: parent.parent, key: keyOf(state, parent), isInArray: false, ...written };
  }
  if (isScalar(node) && parent?.name === 'Array' && pos > node.from) {
    return { kind: 'value', node: parent, key: null, isInArray: true, ...written };
  }
  const nothing = { from: pos, to: pos, isEmpty: true };
  const before = state.sliceDoc(0, pos).trimEnd();
  if (before.endsWith(':')) {
    const property = closest(syntaxTree(state).resolveInner(before.length - 1, -1), 'Property');
    if (!property?.parent) return null;
    const key = keyOf(state, property);
    return { kind: 'value', node: property.parent, key, isInArray: false, ...nothing };
  }
  const around = syntaxTree(state).resolveInner(before.length, -1);
  const container = closest(around, 'Object', 'Array');
  if (!container) return null;
  if (container.name === 'Array') {
    const isBetween = /[[,]$/.test(before);
    return isBetween ? { kind: 'value', node: container, key: null, isInArray: true, ...nothing } : null;
  }
  return /[{,]$/.test(before)
    ? { kind: 'key', node: container, key: null, isInArray: false, ...nothing }
    : null;
}

function isScalar({ name }: SyntaxNode): boolean {
  return name === 'String' || name === 'True' || name === 'False' || name === 'Null' || name === 'Number';
}

function closest(node: SyntaxNode | null, ...names: string[]): SyntaxNode | null {
  for (let at = node; at; at = at.parent) if (names.includes(at.name)) return at;
  return null;
}

function keyOf(state: EditorState, property: SyntaxNode): string | null {
  const name = property.getChild('PropertyName');
  return name ? textOf(state, name) : null;
}

function textOf(state: EditorState, node: SyntaxNode): string {
  return state.sliceDoc(node.from, node.to).replace(/^"|"$/g, '');
}

function knownOf(state: EditorState, object: SyntaxNode): Known {
  const known = new Map<string, string | undefined>();
  for (const property of object.getChildren('Property')) {
    const key = keyOf(state, property);
    const value = property.getChild('String');
    if (key !== null) known.set(key, value ? textOf(state, value) : undefined);
  }
  return known;
}

/** The schemas of a container, or of what stands in it under a key, or as an item. */
function schemasOf(root: Schema, state: EditorState, container: SyntaxNode, key?: string | null): Schema[] {
  const own = schemasOfContainer(root, state, container);
  if (container.name === 'Array') return own.flatMap((schema) => (schema.items ? [schema.items] : []));
  if (key === null || key === undefined) return [];
  return own.flatMap(({ properties, additionalProperties }) => {
    const found = properties?.[key];
    if (found) return [found];
    return typeof additionalProperties === 'object' ? [additionalProperties] : [];
  });
}

/** With references followed and alternatives laid open, for what is known of the object. */
function schemasOfContainer(root: Schema, state: EditorState, container: SyntaxNode): Schema[] {
  const property = closest(container.parent, 'Property', 'Array');
  let found: Schema[];
  if (!property) found = [root];
  else if (property.name === 'Array') found = schemasOf(root, state, property);
  else found = property.parent ? schemasOf(root, state, property.parent, keyOf(state, property)) : [];
  const known = container.name === 'Object' ? knownOf(state, container) : new Map<string, undefined>();
  return found.flatMap((schema) => laidOpen(schema, root, known));
}

function laidOpen(schema: Schema, root: Schema, known: Known, depth = 0): Schema[] {
  if (depth > MAX_DEPTH) return [];
  const open = (next: Schema): Schema[] => laidOpen(next, root, known, depth + 1);
  const name = schema.$ref?.replace('#/$defs/', '');
  const target = name === undefined ? undefined : root.$defs?.[name];
  return [
    schema,
    ...(target ? open(target) : []),
    ...(schema.anyOf ?? []).flatMap(open),
    ...(schema.allOf ?? []).flatMap(open),
    ...(schema.if && schema.then && holds(schema.if, known) ? open(schema.then) : []),
  ];
}

/** Whether what is known of the object fits. */
function holds(schema: Schema, known: Known): boolean {
  if (schema.not && holds(schema.not, known)) return false;
  if (schema.anyOf && !schema.anyOf.some((one) => holds(one, known))) return false;
  if (schema.required?.some((key) => !known.has(key)) === true) return false;
  return Object.entries(schema.properties ?? {}).every(
    ([key, { enum: values }]) => !known.has(key) || !values || values.includes(known.get(key)),
  );
}

function keysOf(root: Schema, state: EditorState, place: Place): Completion[] {
  const schemas = schemasOfContainer(root, state, place.node);
  const known = knownOf(state, place.node);
  const written = state.sliceDoc(place.from, place.to).replace(/^"|"$/g, '');
  const isNamed = /^\s*:/.test(state.sliceDoc(place.to, place.to + 20));
  const comma = /^\s*"/.test(state.sliceDoc(place.to, place.to + 200)) ? ',' : '';
  const options = new Map<string, Completion>();
  for (const { properties = {}, required = [] } of schemas) {
    for (const [key, value] of Object.entries(properties)) {
      if ((known.has(key) && key !== written) || options.has(key)) continue;
      const open = laidOpen(value, root, new Map());
      const info = open.find(({ description }) => description !== undefined)?.description;
      const base = {
        label: `"${key}"`,
        displayLabel: key,
        type: 'property',
        detail: typesOf(open).join(' or '),
        boost: required.includes(key) ? 2 : FIRST.includes(key) ? 1 : 0,
        ...(info === undefined ? {} : { info }),
      };
      // In a name that has its value already, only the name is put right.
      options.set(
        key,
        isNamed ? base : snippetCompletion(`"${key}": ${templateOf(typesOf(open))}${comma}`, base),
      );
    }
  }
  return [...options.values()];
}

/** What most steps begin with. */
const FIRST = ['action', 'name', 'steps'];

function typesOf(schemas: readonly Schema[]): string[] {
  const types = schemas.flatMap(({ type, enum: values, const: only }) =>
    type === undefined ? (values ?? (only === undefined ? [] : [only])).map((value) => typeof value) : type,
  );
  return [...new Set(types)].filter((type) => type !== 'null');
}

function templateOf([type]: readonly string[]): string {
  if (type === 'string') return '"${}"';
  if (type === 'array') return '[${}]';
  return type === 'object' ? '{ ${} }' : '${}';
}

function valuesOf(schemas: readonly Schema[], root: Schema, isInArray: boolean): Completion[] {
  const open = schemas.flatMap((schema) => laidOpen(schema, root, new Map()));
  const values = open.flatMap(({ enum: values, const: only, type }) => [
    ...(values ?? (only === undefined ? [] : [only])),
    ...(type === 'boolean' ? [true, false] : []),
  ]);
  const isStep = isInArray && open.some(({ properties }) => properties?.['action'] !== undefined);
  return [
    ...[...new Set(values)].map((value) => ({
      label: JSON.stringify(value),
      displayLabel: String(value),
      type: 'enum',
    })),
    ...(isStep
      ? [snippetCompletion('{ "action": "${}", "name": "${}" }', { label: 'a step', type: 'class' })]
      : []),
  ];
}

/**
 * Types of every operation, from the OpenAPI document, in the form that openapi-fetch reads: what
 * openapi-typescript writes too, which needs the compiler's own programming interface, and TypeScript 7 has
 * none. It knows the part of JSON Schema that our shapes use, and throws at any other.
 */
import type { OpenAPIV3_1 } from 'openapi-types';

type Schema = OpenAPIV3_1.SchemaObject | OpenAPIV3_1.ReferenceObject;
type Operation = OpenAPIV3_1.OperationObject;
type Content = Record<string, OpenAPIV3_1.MediaTypeObject>;

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;

/** What every refusal is, as {@link contentType} writes it. */
const PROBLEM = `{
"application/problem+json": components['schemas']["Problem"];
}`;

const HEAD = `/**
 * What the local API takes and answers. Made from the routes' own schemas: change them in agent/api/routes,
 * then run \`npm run generate\`.
 */
`;

/** @throws Error for a schema that it cannot write down */
export function renderClientTypes(document: OpenAPIV3_1.Document): string {
  const paths = Object.entries(document.paths ?? {}).map(
    ([path, item]) => `${JSON.stringify(path)}: ${pathType(item as Record<string, Operation>)}`,
  );
  const shapes = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => `${JSON.stringify(name)}: ${typeOf(schema)}`,
  );
  return `${HEAD}export interface paths ${block(paths)}\n\nexport interface components { schemas: ${block(shapes)} }\n\n${ANSWERS}`;
}

/** One for each kind of answer, or the file would be twice as long. */
const ANSWERS = `interface Answer<Content> { headers: Record<string, unknown>; content: Content }
type Refused = Answer<{ 'application/problem+json': components['schemas']['Problem'] }>;
type Empty = { headers: Record<string, unknown>; content?: never };
`;

function pathType(item: Record<string, Operation>): string {
  const lines = METHODS.flatMap((method) => {
    const operation = item[method];
    if (!operation) return [];
    const says = [operation.summary, operation.description].filter(Boolean).join('\n\n');
    return [`${comment(says)}${method}: ${operationType(operation)}`];
  });
  return block(lines);
}

function operationType({ parameters = [], requestBody, responses = {} }: Operation): string {
  const all = parameters as OpenAPIV3_1.ParameterObject[];
  const places = (['query', 'header', 'path', 'cookie'] as const).flatMap((place) => {
    const own = all.filter((each) => each.in === place);
    if (own.length === 0) return [];
    const isNeeded = own.some(({ required }) => required === true);
    const lines = own.map(
      ({ name, required, schema, description }) =>
        `${comment(description)}${JSON.stringify(name)}${required === true ? '' : '?'}: ${typeOf((schema ?? {}) as Schema)}`,
    );
    return [`${place}${isNeeded ? '' : '?'}: ${block(lines)}`];
  });
  const body = requestBody as OpenAPIV3_1.RequestBodyObject | undefined;
  const answers = Object.entries(responses).map(([status, response]) => {
    const { content } = response as OpenAPIV3_1.ResponseObject;
    return `${status}: ${answerType(content)}`;
  });
  return block([
    places.length > 0 ? `parameters: ${block(places)}` : 'parameters: Record<string, never>',
    body
      ? `requestBody${body.required === true ? '' : '?'}: { content: ${contentType(body.content)} }`
      : 'requestBody?: never',
    `responses: ${block(answers)}`,
  ]);
}

function answerType(content: Content | undefined): string {
  if (!content) return 'Empty';
  const type = contentType(content);
  return type === PROBLEM ? 'Refused' : `Answer<${type}>`;
}

function contentType(content: Content): string {
  return block(
    Object.entries(content).map(
      ([type, { schema = {} }]) => `${JSON.stringify(type)}: ${typeOf(schema as Schema)}`,
    ),
  );
}

function typeOf(schema: Schema | boolean): string {
  if (typeof schema === 'boolean') return schema ? 'unknown' : 'never';
  if ('$ref' in schema) {
    const [, name] = /^#\/components\/schemas\/(.+)$/.exec(schema.$ref) ?? [];
    if (name === undefined) throw new Error(`a reference to elsewhere: ${schema.$ref}`);
    return `components['schemas'][${JSON.stringify(name)}]`;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.anyOf ?? schema.oneOf) return union((schema.anyOf ?? schema.oneOf ?? []).map(typeOf));
  if (schema.allOf) return schema.allOf.map((each) => `(${typeOf(each)})`).join(' & ');
  const { type } = schema;
  if (Array.isArray(type)) return union(type.map((one) => typeOf({ ...schema, type: one } as Schema)));
  switch (type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectType(schema);
    case undefined:
      if (Object.keys(schema).every((word) => WITHOUT_TYPE.has(word))) return 'unknown';
      break;
    default:
  }
  throw new Error(`this schema has no type here: ${JSON.stringify(schema)}`);
}

/** What may stand in a schema that takes anything. */
const WITHOUT_TYPE = new Set(['description', 'default', 'title']);

function objectType({ properties, required = [], additionalProperties }: OpenAPIV3_1.SchemaObject): string {
  const lines = Object.entries(properties ?? {}).map(([name, schema]) => {
    const says = 'description' in schema ? schema.description : undefined;
    return `${comment(says)}${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`;
  });
  const others =
    typeof additionalProperties === 'object' || additionalProperties === true
      ? `Record<string, ${typeOf(additionalProperties)}>`
      : undefined;
  if (lines.length === 0) return others ?? 'Record<string, never>';
  return others === undefined ? block(lines) : `${block(lines)} & ${others}`;
}

function union(types: readonly string[]): string {
  return types.length === 1 ? types[0]! : `(${[...new Set(types)].join(' | ')})`;
}

function block(lines: readonly string[]): string {
  return `{\n${lines.map((line) => `${line};`).join('\n')}\n}`;
}

function comment(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  const safe = text.replaceAll('*/', '*\\/').split('\n');
  return safe.length === 1
    ? `/** ${safe[0]} */\n`
    : `/**\n${safe.map((line) => ` * ${line}`).join('\n')}\n */\n`;
}

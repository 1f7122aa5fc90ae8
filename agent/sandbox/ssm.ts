/** The parameter part of Systems Manager (AmazonSSM, JSON 1.1). */
import { z } from 'zod';
import { ServiceError } from './errors.ts';
import { operation, paginate, seconds, type Operation } from './operation.ts';
import type { Records } from './records.ts';

interface Parameter {
  name: string;
  type: 'String' | 'StringList' | 'SecureString';
  value: string;
  version: number;
  lastModified: number;
  description?: string;
  arn: string;
  modifiedBy: string;
}

const MAX_STANDARD_BYTES = 4096;
const MAX_NAMES = 10;
const MAX_BY_PATH = 10;
const MAX_DESCRIBED = 50;
const NAME = /^[a-zA-Z0-9_.\-/]+$/;
/** What stands for a SecureString that was read without WithDecryption. */
const CIPHERTEXT_PREFIX = 'AQICAHsandbox';

const name = z.string().min(1).max(2048);
const filter = z.object({
  Key: z.string(),
  Option: z.string().optional(),
  Values: z.array(z.string()).default([]),
});

export function createSsm(records: Records, accountId: string): Record<string, Operation> {
  const parameters = records.collection<Parameter>('parameter');
  const byName = (full: string): Parameter => {
    const [base, version] = splitSelector(full);
    const found = parameters.get(base);
    if (!found) throw new ServiceError('ParameterNotFound', `Parameter ${full} not found.`);
    if (version !== undefined && String(found.version) !== version) {
      throw new ServiceError(
        'ParameterVersionNotFound',
        `Systems Manager could not find version ${version} of ${base}. Verify the version and try again.`,
      );
    }
    return found;
  };
  const sorted = (): Parameter[] => parameters.all().sort((a, b) => (a.name < b.name ? -1 : 1));

  return {
    PutParameter: operation(
      z.object({
        Name: name,
        Value: z.string().min(1),
        Type: z.enum(['String', 'StringList', 'SecureString']).optional(),
        Overwrite: z.boolean().default(false),
        Description: z.string().optional(),
      }),
      (input, { caller }) => {
        checkName(input.Name);
        if (Buffer.byteLength(input.Value) > MAX_STANDARD_BYTES) {
          throw new ServiceError(
            'ValidationException',
            'Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.',
          );
        }
        const existing = parameters.get(input.Name);
        if (existing && !input.Overwrite) {
          throw new ServiceError(
            'ParameterAlreadyExists',
            'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
          );
        }
        if (!existing && !input.Type) {
          throw new ServiceError(
            'ValidationException',
            'A parameter type is required when you create a parameter.',
          );
        }
        const description = input.Description ?? existing?.description;
        const stored: Parameter = {
          name: input.Name,
          type: input.Type ?? existing?.type ?? 'String',
          value: input.Value,
          version: (existing?.version ?? 0) + 1,
          lastModified: seconds(Date.now()),
          arn: `arn:aws:ssm:${caller.region}:${accountId}:parameter${input.Name.startsWith('/') ? '' : '/'}${input.Name}`,
          modifiedBy: caller.accessKeyId,
          ...(description === undefined ? {} : { description }),
        };
        parameters.put(input.Name, stored);
        return { Version: stored.version, Tier: 'Standard' };
      },
      'Name',
    ),
    GetParameter: operation(
      z.object({ Name: name, WithDecryption: z.boolean().default(false) }),
      (input) => ({ Parameter: shown(byName(input.Name), input.WithDecryption, input.Name) }),
      'Name',
    ),
    GetParameters: operation(
      z.object({ Names: z.array(name).min(1).max(MAX_NAMES), WithDecryption: z.boolean().default(false) }),
      (input) => {
        const found = input.Names.filter((each) => parameters.has(splitSelector(each)[0]));
        return {
          Parameters: found.map((each) => shown(byName(each), input.WithDecryption, each)),
          InvalidParameters: input.Names.filter((each) => !found.includes(each)),
        };
      },
    ),
    GetParametersByPath: operation(
      z.object({
        Path: name,
        Recursive: z.boolean().default(false),
        WithDecryption: z.boolean().default(false),
        MaxResults: z.number().int().min(1).max(MAX_BY_PATH).default(MAX_BY_PATH),
        NextToken: z.string().optional(),
      }),
      (input) => {
        if (!input.Path.startsWith('/')) {
          throw new ServiceError(
            'ValidationException',
            'The parameter path must begin with a forward slash (/).',
          );
        }
        const prefix = input.Path.endsWith('/') ? input.Path : `${input.Path}/`;
        const below = sorted().filter(
          (each) =>
            each.name.startsWith(prefix) &&
            (input.Recursive || !each.name.slice(prefix.length).includes('/')),
        );
        const { page, nextToken } = paginate(below, input.NextToken, input.MaxResults, invalidToken);
        return {
          Parameters: page.map((each) => shown(each, input.WithDecryption)),
          NextToken: nextToken,
        };
      },
      'Path',
    ),
    DeleteParameter: operation(
      z.object({ Name: name }),
      (input) => {
        byName(input.Name);
        parameters.delete(input.Name);
        return {};
      },
      'Name',
    ),
    DeleteParameters: operation(z.object({ Names: z.array(name).min(1).max(MAX_NAMES) }), (input) => {
      const deleted = input.Names.filter((each) => parameters.delete(each));
      return {
        DeletedParameters: deleted,
        InvalidParameters: input.Names.filter((each) => !deleted.includes(each)),
      };
    }),
    DescribeParameters: operation(
      z.object({
        ParameterFilters: z.array(filter).default([]),
        MaxResults: z.number().int().min(1).max(MAX_DESCRIBED).default(MAX_DESCRIBED),
        NextToken: z.string().optional(),
      }),
      (input) => {
        const matching = sorted().filter((each) =>
          input.ParameterFilters.every((wanted) => matchesFilter(each, wanted)),
        );
        const { page, nextToken } = paginate(matching, input.NextToken, input.MaxResults, invalidToken);
        return {
          Parameters: page.map((each) => ({
            Name: each.name,
            ARN: each.arn,
            Type: each.type,
            Description: each.description,
            LastModifiedDate: each.lastModified,
            LastModifiedUser: each.modifiedBy,
            Version: each.version,
            Tier: 'Standard',
            DataType: 'text',
            Policies: [],
          })),
          NextToken: nextToken,
        };
      },
    ),
  };
}

function shown(parameter: Parameter, decrypt: boolean, asked?: string): Record<string, unknown> {
  const selector =
    asked?.includes(':') && !asked.startsWith('arn:') ? `:${asked.split(':')[1] ?? ''}` : undefined;
  return {
    Name: parameter.name,
    Type: parameter.type,
    Value:
      parameter.type === 'SecureString' && !decrypt
        ? CIPHERTEXT_PREFIX + Buffer.from(String(parameter.version)).toString('base64')
        : parameter.value,
    Version: parameter.version,
    Selector: selector,
    LastModifiedDate: parameter.lastModified,
    ARN: parameter.arn,
    DataType: 'text',
  };
}

/** `name:version`, or an ARN in the name's place. */
function splitSelector(full: string): [name: string, version?: string] {
  const plain = full.startsWith('arn:') ? (full.split(':parameter')[1] ?? full) : full;
  const [base = plain, version] = plain.split(':');
  return version === undefined ? [base] : [base, version];
}

function checkName(value: string): void {
  if (!NAME.test(value)) {
    throw new ServiceError(
      'ValidationException',
      'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_',
    );
  }
  if (value.includes('/') && !value.startsWith('/')) {
    throw new ServiceError('ValidationException', 'Parameter name must be a fully qualified name.');
  }
  if (/^\/?(aws|ssm)/i.test(value)) {
    throw new ServiceError('AccessDeniedException', `No access to reserved parameter name: ${value}.`);
  }
}

function matchesFilter(parameter: Parameter, wanted: z.output<typeof filter>): boolean {
  const option = wanted.Option ?? 'Equals';
  switch (wanted.Key) {
    case 'Name':
      return wanted.Values.some((value) => {
        if (option === 'BeginsWith') return parameter.name.startsWith(value);
        if (option === 'Contains') return parameter.name.includes(value);
        return parameter.name === value;
      });
    case 'Type':
      return wanted.Values.includes(parameter.type);
    case 'Path':
      return wanted.Values.some((value) => {
        const prefix = value.endsWith('/') ? value : `${value}/`;
        const rest = parameter.name.startsWith(prefix) ? parameter.name.slice(prefix.length) : undefined;
        return rest !== undefined && (option === 'Recursive' || !rest.includes('/'));
      });
    default:
      throw new ServiceError('InvalidFilterKey', `The sandbox cannot filter by ${wanted.Key}`);
  }
}

function invalidToken(): ServiceError {
  return new ServiceError('InvalidNextToken', 'The specified token is not valid.');
}

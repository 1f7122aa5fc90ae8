/**
 * A template as CloudFormation would deploy it: conditions decided, functions replaced by their values, what
 * hangs on a false condition left out. As much of it as our own template uses; anything else throws.
 */
export interface Deployment {
  account: string;
  region: string;
  partition?: string;
  parameters: Record<string, string>;
}

export interface Deployed {
  resources: Record<string, DeployedResource>;
  outputs: Record<string, unknown>;
}

export interface DeployedResource {
  type: string;
  properties: Record<string, unknown>;
}

interface Template {
  Parameters: Record<
    string,
    { Type: string; Default?: string; AllowedValues?: string[]; AllowedPattern?: string }
  >;
  Conditions: Record<string, unknown>;
  Resources: Record<string, { Type: string; Condition?: string; Properties?: object }>;
  Outputs: Record<string, { Condition?: string; Value: unknown }>;
}

/** Stands for `AWS::NoValue`. */
const NOTHING = Symbol('AWS::NoValue');

/** @throws Error for a parameter that is missing, unknown or not allowed, and for a function that is not known */
export function evaluate(source: unknown, deployment: Deployment): Deployed {
  const template = source as Template;
  const parameters = givenParameters(template, deployment.parameters);
  const resolve = resolver(template, deployment, parameters);
  const isThere = ({ Condition: name }: { Condition?: string }) =>
    name === undefined || resolve({ Condition: name }) === true;
  return {
    resources: Object.fromEntries(
      Object.entries(template.Resources)
        .filter(([, resource]) => isThere(resource))
        .map(([id, { Type: type, Properties: properties = {} }]) => [
          id,
          { type, properties: resolve(properties) as Record<string, unknown> },
        ]),
    ),
    outputs: Object.fromEntries(
      Object.entries(template.Outputs)
        .filter(([, output]) => isThere(output))
        .map(([id, { Value: value }]) => [id, resolve(value)]),
    ),
  };
}

function givenParameters(template: Template, given: Record<string, string>): Map<string, unknown> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(template.Parameters, name));
  if (unknown !== undefined) throw new Error(`the template has no parameter ${unknown}`);
  return new Map(
    Object.entries(template.Parameters).map(([name, declared]): [string, unknown] => {
      const text = given[name] ?? declared.Default;
      if (text === undefined) throw new Error(`parameter ${name} must have a value`);
      const { AllowedValues: values, AllowedPattern: pattern } = declared;
      const isAllowed =
        (values?.includes(text) ?? true) && (pattern === undefined || new RegExp(pattern).test(text));
      if (!isAllowed) throw new Error(`parameter ${name} may not be ${JSON.stringify(text)}`);
      if (declared.Type === 'CommaDelimitedList') return [name, text === '' ? [] : text.split(',')];
      return [name, declared.Type === 'Number' ? Number(text) : text];
    }),
  );
}

function resolver(
  template: Template,
  { account, region, partition = 'aws' }: Deployment,
  parameters: ReadonlyMap<string, unknown>,
): (value: unknown) => unknown {
  const pseudo: Record<string, unknown> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': partition,
    'AWS::URLSuffix': partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
    'AWS::NoValue': NOTHING,
  };

  function reference(name: string): unknown {
    if (Object.hasOwn(pseudo, name)) return pseudo[name];
    if (parameters.has(name)) return parameters.get(name);
    const { id, arn } = physical(name);
    return REF_IS_ARN.has(template.Resources[name]!.Type) ? arn : id;
  }

  /** Names as the template gives them, and ARNs as the services make them of the names. */
  function physical(logicalId: string): { id: string; arn: string } {
    const resource = template.Resources[logicalId];
    if (!resource) throw new Error(`there is nothing named ${logicalId}`);
    const known = NAMES[resource.Type];
    if (!known) throw new Error(`what a ${resource.Type} is called is not known here`);
    const given = (resource.Properties as Record<string, unknown>)[known.name];
    const id = given === undefined ? logicalId : String(resolve(given));
    return { id, arn: known.arn(id, { partition, region, account }) };
  }

  function attribute(logicalId: string, name: string): string {
    // What only the service knows stands for itself.
    return name === 'Arn' ? physical(logicalId).arn : `${logicalId}.${name}`;
  }

  function substitute(text: string): string {
    return text.replaceAll(/\$\{([\w:.]+)\}/g, (_all, name: string) => {
      const [id = '', attributeName] = name.split('.', 2);
      return String(attributeName === undefined ? reference(id) : attribute(id, attributeName));
    });
  }

  const functions: Record<string, (argument: never) => unknown> = {
    Ref: (name: string) => reference(name),
    Condition: (name: string) => resolve(template.Conditions[name]),
    'Fn::Sub': (text: string) => substitute(text),
    'Fn::GetAtt': ([id, name]: [string, string]) => attribute(id, name),
    'Fn::If': ([name, yes, no]: [string, unknown, unknown]) =>
      resolve(resolve({ Condition: name }) === true ? yes : no),
    'Fn::Equals': ([left, right]: [unknown, unknown]) => resolve(left) === resolve(right),
    'Fn::Not': ([value]: [unknown]) => resolve(value) === false,
    'Fn::And': (values: unknown[]) => values.every((value) => resolve(value) === true),
    'Fn::Or': (values: unknown[]) => values.some((value) => resolve(value) === true),
    'Fn::Join': ([between, values]: [string, unknown]) => (resolve(values) as string[]).join(between),
  };

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== NOTHING);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, argument] = ['', undefined]] = entries;
    // A `Condition` among other keys is a statement's own.
    if (entries.length === 1 && Object.hasOwn(functions, name)) return functions[name]!(argument as never);
    if (name.startsWith('Fn::')) throw new Error(`${name} is not known here`);
    return Object.fromEntries(
      entries.map(([key, each]) => [key, resolve(each)]).filter(([, each]) => each !== NOTHING),
    );
  }
  return resolve;
}

interface Place {
  partition: string;
  region: string;
  account: string;
}

const iam =
  (kind: string) =>
  (id: string, { partition, account }: Place) =>
    `arn:${partition}:iam::${account}:${kind}/${id}`;
const regional = (service: string, prefix: string) => (id: string, place: Place) =>
  `arn:${place.partition}:${service}:${place.region}:${place.account}:${prefix}${id}`;

/** The property that names a resource, and how its ARN is made of the name. */
const NAMES: Record<string, { name: string; arn: (id: string, place: Place) => string }> = {
  'AWS::S3::Bucket': { name: 'BucketName', arn: (id, { partition }) => `arn:${partition}:s3:::${id}` },
  'AWS::KMS::Key': { name: '', arn: regional('kms', 'key/') },
  'AWS::StepFunctions::Activity': { name: 'Name', arn: regional('states', 'activity:') },
  'AWS::StepFunctions::StateMachine': { name: 'StateMachineName', arn: regional('states', 'stateMachine:') },
  // Secrets Manager adds six characters of its own.
  'AWS::SecretsManager::Secret': {
    name: 'Name',
    arn: (id, place) => regional('secretsmanager', 'secret:')(`${id}-AbCdEf`, place),
  },
  'AWS::IAM::ManagedPolicy': { name: 'ManagedPolicyName', arn: iam('policy') },
  'AWS::IAM::Role': { name: 'RoleName', arn: iam('role') },
  'AWS::IAM::User': { name: 'UserName', arn: iam('user') },
  'AWS::Lambda::Function': { name: 'FunctionName', arn: regional('lambda', 'function:') },
  'AWS::Events::Rule': { name: 'Name', arn: regional('events', 'rule/') },
  // Of a log group the attribute stands for the streams in it.
  'AWS::Logs::LogGroup': {
    name: 'LogGroupName',
    arn: (id, place) => regional('logs', 'log-group:')(`${id}:*`, place),
  },
};

/** Of these `Ref` is the ARN, of others the name. */
const REF_IS_ARN = new Set([
  'AWS::StepFunctions::Activity',
  'AWS::StepFunctions::StateMachine',
  'AWS::SecretsManager::Secret',
  'AWS::IAM::ManagedPolicy',
]);

/** The parts of the docs that are made of the template and of agent/base/services.ts, between their marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { AWS_SERVICES, SERVICE_IDS, SERVICES, type ServiceRow } from '../../agent/base/services.ts';
import { isStandIn } from '../../agent/sandbox/services.ts';
import { evaluate } from './evaluate.ts';

export const DOC_FILES = ['aws-setup.md', 'iam-permissions.md', 'metrics.md', 'sandbox.md'].map((name) =>
  fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)),
);

/** An environment's name that the template takes, to be replaced by one that says what to do with it. */
const PLACEHOLDER = 'e-n-v';

/** @throws Error for a mark that no part is known for, or that does not end */
export function fillIn(doc: string, template: string): string {
  const parts = makeParts(parse(template) as Template);
  return doc.replaceAll(
    /(<!-- begin: (.+?) -->\n)[^]*?(\n<!-- end: (.+?) -->)/g,
    (_all, begin: string, name: string, end: string, ended: string) => {
      const part = parts[name];
      if (part === undefined || ended !== name) throw new Error(`nothing is known of ${name}`);
      return begin + part + end;
    },
  );
}

export function writeDocs(template: string): void {
  for (const file of DOC_FILES) writeFileSync(file, fillIn(readFileSync(file, 'utf8'), template));
}

interface Template {
  Parameters: Record<string, { Description: string; Default?: string; AllowedValues?: string[] }>;
}

interface Statement {
  Sid: string;
  Action: string | string[];
}

function makeParts(template: Template): Record<string, string> {
  const [policy, ofKey] = agentStatements(template);
  return {
    'the parameters': parametersTable(template),
    'the services': servicesTable(),
    'the agent’s actions': actionsTable(),
    'the services with a breaker': breakersTable(),
    'the sandbox’s services': sandboxServices(),
    'the agent’s policy': json({ Version: '2012-10-17', Statement: policy }),
    'the agent’s policy for a key': json(ofKey),
  };
}

function parametersTable({ Parameters: parameters }: Template): string {
  const rows = Object.entries(parameters).map(([name, { Description, Default, AllowedValues }]) => {
    const choice = AllowedValues ? ` One of ${AllowedValues.join(', ')}.` : '';
    const preset = Default === undefined ? 'must be given' : Default === '' ? 'empty' : `\`${Default}\``;
    return `| \`${name}\` | ${Description.replaceAll(/\{\{.+?\}\}/g, '`$&`')}${choice} | ${preset} |`;
  });
  return ['| Parameter | Meaning | Default |', '|---|---|---|', ...rows].join('\n');
}

function servicesTable(): string {
  const rows = SERVICE_IDS.map((id) => {
    const { name, use, endpointVariable, calledBy } = SERVICES[id];
    return `| ${name} | ${use} | \`${endpointVariable}\` | ${calledBy === 'agent' ? 'yes' : 'no'} |`;
  });
  return [
    '| Service | The agent … | Variable for another endpoint | Called by running agents |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function actionsTable(): string {
  const rows = Object.values<ServiceRow>(SERVICES).flatMap(({ permissions }) =>
    Object.entries(permissions).map(
      ([action, { on, why, without }]) => `| \`${action}\` | ${on} | ${why} | ${without} |`,
    ),
  );
  return ['| Action | On | Why | Without it |', '|---|---|---|---|', ...rows].join('\n');
}

function breakersTable(): string {
  const rows = AWS_SERVICES.map((id) => `| \`${id}\` | ${SERVICES[id].name} |`);
  return ['| `service` | AWS service |', '|---|---|', ...rows].join('\n');
}

function sandboxServices(): string {
  const rows = SERVICE_IDS.filter((id) => isStandIn(SERVICES[id].iamPrefix)).map(
    (id) => `| \`${SERVICES[id].iamPrefix}\` | ${SERVICES[id].name} |`,
  );
  return ['| Name | AWS service |', '|---|---|', ...rows].join('\n');
}

/** What every environment's agents have, and what a key on the bucket adds, with words to be replaced. */
function agentStatements(template: object): [Statement[], Statement | undefined] {
  const parameters = {
    EnvironmentName: PLACEHOLDER,
    KmsKey: 'arn:aws:kms:us-east-1:123456789012:key/KEY',
  };
  const { resources } = evaluate(template, { account: 'ACCOUNT', region: 'REGION', parameters });
  const { PolicyDocument: document } = resources['AgentPolicy']!.properties as {
    PolicyDocument: { Statement: Statement[] };
  };
  const text = JSON.stringify(document.Statement)
    .replaceAll('us-east-1:123456789012', 'REGION:ACCOUNT')
    .replaceAll(PLACEHOLDER, 'ENV')
    .replaceAll('-AbCdEf', '-??????');
  const statements = JSON.parse(text) as Statement[];
  const isOfKey = ({ Action: action }: Statement) => [action].flat().some((each) => each.startsWith('kms:'));
  return [statements.filter((each) => !isOfKey(each)), statements.find(isOfKey)];
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}

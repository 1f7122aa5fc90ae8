/** Renders docs/configuration.md from the schema. */
import { settingDefinitions } from './definitions.ts';
import { settingGroups } from './schema.ts';

const HEAD = `# Configuration

<!-- Made from agent/config/settings/. Change it there, then run \`npx vitest run agent/config -u\`. -->

Values come from, strongest first: command-line flags, environment variables, \`settings.yaml\` in the data directory, values fetched from AWS by \`setup\` (kept with their time and source, so that starting needs no network), defaults. \`local-browser-agent config show\` prints each value with its source.

The data directory is \`LBA_HOME\` or \`--home\`; else \`~/.local/share/local-browser-agent\` on Linux, \`~/Library/Application Support/local-browser-agent\` on macOS, \`%LOCALAPPDATA%\\local-browser-agent\` on Windows.

\`\`\`yaml
# settings.yaml
aws:
  env: prod
recording:
  default_level: INFO
  max_level: DEBUG # never more than this leaves the machine
  level_by_env:
    prod: ERROR
\`\`\`

- A key that does not exist is a warning with a suggestion. A wrong value is an error that names file, line and what is allowed; the next weaker source counts instead.
- Limits do not fall open: \`recording.max_level\` and \`RECORDING_LEVEL_OVERRIDE\` with a value that cannot be read count as NONE. A \`settings.yaml\` that is not valid YAML never stops the agent: it says line and column and goes on with the last version that it could read; where there is none, nothing is uploaded until the file is mended.
- The column *takes effect* says when a change reaches a running agent: \`now\`, with the \`next run\`, or when it is started again (\`restart\`). It makes no difference whether \`settings.yaml\` was changed by hand, by \`config set\` or through the API: the agent looks at the file each time it reads a setting.
- Comments in \`settings.yaml\` stay when the program writes it.
- In environment variables lists are written \`a,b\` or as JSON, maps \`a=INFO,b=DEBUG\` or as JSON. A variable that is set to nothing counts as not set.

## Credentials

No setting needs to hold a secret: \`telemetry.otlp_headers\`, the one that may, is never shown and takes \`{{secret:NAME}}\`. The AWS identity is, in this order: \`aws.profile\` (or \`AWS_PROFILE\`); credentials in the environment (\`AWS_ACCESS_KEY_ID\`, web identity, container); the keys that \`setup\` fetched from the secret; the AWS SDK's own search (shared files, SSO, instance role).

**Without the desktop there is no operating-system keychain.** Fetched keys are kept in \`credentials.json\` in the data directory: not encrypted, readable by the user of the agent alone (mode 0600; on Windows the permissions of the data directory apply). Whoever can act as that user or as root can read them, and so can a backup. With a passphrase in \`LBA_VAULT_PASSPHRASE\`, or better in a file that \`LBA_VAULT_PASSPHRASE_FILE\` names (a secret of systemd, Docker or Kubernetes), the file is encrypted (AES-256-GCM, the key made with scrypt), what was there before at once; then backups and other programs of the user read nothing without it, and no verb that needs the keys works without it. They are never printed and never logged. Better where you can: an AWS profile with SSO or a role, for which nothing is stored.

## Names in AWS

For the environment \`{env}\`: secret \`browser-agent-credentials-{env}\` (JSON with \`AWS_ACCESS_KEY_ID\`, \`AWS_SECRET_ACCESS_KEY\`, \`AWS_DEFAULT_REGION\`, \`ACTIVITY_ARN\`, \`S3_BUCKET\`), parameters below \`/browser-agent/{env}/\`: \`activity-arn\`, \`s3-bucket\`, and for the settings marked below their key with \`/\` and \`-\`, e.g. \`/browser-agent/{env}/recording/max-level\`. A parameter wins over the secret. Either may be missing or denied as long as ARN and bucket are known at the end. The stack of [aws-setup.md](aws-setup.md) makes all of these; [iam-permissions.md](iam-permissions.md) is what reading them takes. Values below a changed \`aws.env\` are those of that environment, never of another.

## How \`doctor\` checks without side effects

- \`states:GetActivityTask\`: asking for a task could take one away from the agent that is meant to do it, so it is not asked for. The last answer that a running agent got counts, when it is of the last ten minutes. Otherwise the call is made on a name that does not exist, next to the real one: "does not exist" proves the permission. The stack's policy allows polling on such a name (\`…_doctor\`), so there the answer is the whole truth. With a policy made by hand that names the one activity, "denied" proves nothing, and \`doctor\` says so: the first poll of \`run\` shows it.
- \`states:SendTaskHeartbeat\`, \`SendTaskSuccess\`, \`SendTaskFailure\`: called with a token that never existed; the service refuses the token only after it has checked the permission.
- \`s3:PutObject\`: a few bytes are really put to \`browser-sessions/_doctor/\`, read back where that is allowed (else the digest that S3 answers with counts) and removed again. Where removing is not allowed (the agent does not need it) they stay, and \`doctor\` says where.
- \`sts:GetCallerIdentity\` needs no permission.

## Settings
`;

export function renderConfigurationReference(): string {
  const groups = Map.groupBy(settingDefinitions, ({ group }) => group);
  const parts = [...groups].map(([group, definitions]) => {
    const rows = definitions.map((definition) => {
      const marks = [
        definition.meta.fromAws ? 'May come from AWS.' : '',
        definition.meta.envOnly ? 'Environment only.' : '',
        definition.meta.ownerOnly ? 'Through the API only the owner sets it.' : '',
      ].filter(Boolean);
      return `| \`${definition.key}\` | ${cell([definition.meta.doc, ...marks].join(' '))} | ${cell(definition.allowed)} | ${showDefault(definition.default)} | ${definition.applies} | ${definition.env.map((name) => `\`${name}\``).join(', ')} |`;
    });
    return `### ${group}\n\n${settingGroups[group].doc}\n\n| key | meaning | allowed | default | takes effect | environment |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${HEAD}\n${parts.join('\n')}`;
}

function showDefault(value: unknown): string {
  return value === null ? 'not set' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/**
 * The stack as the one file that deploys it.
 *
 *   node resources/aws/template.ts     writes template.yaml beside this file, and its parts of the docs
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib/core';
import { stringify } from 'yaml';
import { writeDocs } from './docs.ts';
import { BrowserAgentStack } from './stack.ts';

export const TEMPLATE_FILE = fileURLToPath(new URL('template.yaml', import.meta.url));

/** The script of package.json that makes the file anew. */
export const REGENERATE = 'npm run aws:template';

const HEADER = `# Made from resources/aws/*.ts. Change it there, then run \`${REGENERATE}\`.
# How to deploy it: docs/aws-setup.md. What each permission is for: docs/iam-permissions.md.
`;

/** Needs neither network nor credentials. */
export function synthesize(environment?: string): string {
  const outdir = mkdtempSync(join(tmpdir(), 'lba-synth-'));
  try {
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new BrowserAgentStack(
      app,
      'browser-agent',
      environment === undefined ? {} : { environment },
    );
    const { templateFile } = app.synth().getStackByName(stack.stackName);
    const template: unknown = JSON.parse(readFileSync(join(outdir, templateFile), 'utf8'));
    // As CloudFormation reads YAML: version 1.1, where yes, no and 2012-10-17 are no texts unless quoted.
    const style = { singleQuote: true, lineWidth: 0, aliasDuplicateObjects: false };
    return HEADER + stringify(template, { version: '1.1', ...style });
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

if (import.meta.main) {
  const template = synthesize();
  writeFileSync(TEMPLATE_FILE, template);
  writeDocs(template);
}

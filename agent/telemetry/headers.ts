import { AgentError } from '../base/errors.ts';

/**
 * `name=value,name=value`, values percent-encoded where they hold commas and the like, as
 * `OTEL_EXPORTER_OTLP_HEADERS` (https://opentelemetry.io/docs/specs/otel/protocol/exporter/); and
 * `{{secret:NAME}}` inside of a value.
 * @throws AgentError BrowserAgent.InvalidInput, which quotes no value
 */
export async function readHeaders(
  text: string,
  secret: (name: string) => Promise<string>,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals)).trim().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        'telemetry.otlp_headers is not `name=value,name=value`',
      );
    }
    headers[name] = await withSecrets(decoded(pair.slice(equals + 1).trim()), secret);
  }
  return headers;
}

async function withSecrets(value: string, secret: (name: string) => Promise<string>): Promise<string> {
  let filled = value;
  for (const [whole, name = ''] of value.matchAll(/\{\{\s*secret:([^}]+?)\s*\}\}/g)) {
    const found = await secret(name);
    filled = filled.replace(whole, () => found);
  }
  return filled;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // a percent sign that is meant as one
  }
}

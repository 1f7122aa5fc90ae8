import { KeyRing } from '../../api/keys.ts';
import { AuditLog } from '../../audit/index.ts';
import { systemClock } from '../../base/clock.ts';
import { homePaths } from '../../base/paths.ts';
import { API_SCOPES, API_TIERS, ApiKeyStore, type ApiKeyRow } from '../../store/api-keys.ts';
import { openDatabase } from '../../store/database.ts';
import { cliActor } from '../audit.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { formatTime, note, print, printJson, printRows } from '../output.ts';

interface KeysOptions extends VerbOptions {
  scope: string[];
  tier: string;
  expires?: string;
}

const DAY_MS = 86_400_000;
/** As the API has it: a line in a table. */
const MAX_NAME_LENGTH = 80;

/** Keys of the local API: `list`, `create NAME`, `revoke ID`. Works on the database, whether an agent runs or not. */
export async function keys(options: KeysOptions, args: string[]): Promise<void> {
  const [verb = 'list', name] = args;
  const db = openDatabase(homePaths(options.home).database);
  try {
    const ring = new KeyRing({ store: new ApiKeyStore(db), clock: systemClock });
    const audit = new AuditLog({ db });
    if (verb === 'list') list(ring, options);
    else if (verb === 'create') create(ring, audit, options, required(name, 'create NAME'));
    else if (verb === 'revoke') revoke(ring, audit, options, required(name, 'revoke ID'));
    else throw new WrongUse(`keys ${verb}: use list, create or revoke`);
  } finally {
    db.close();
  }
}

function list(ring: KeyRing, options: KeysOptions): void {
  const rows = ring.list();
  if (rows.length === 0 && options.json !== true) {
    note('No keys yet. Create one with: local-browser-agent keys create NAME --scope run');
    return;
  }
  printRows(
    rows.map(shown),
    [
      { title: 'key', value: (row) => row.key_id },
      { title: 'name', value: (row) => row.name },
      { title: 'scopes', value: (row) => row.scopes.join(', ') },
      { title: 'tier', value: (row) => row.tier },
      { title: 'expires', value: (row) => formatTime(row.expires_at) },
      { title: 'last used', value: (row) => formatTime(row.last_used_at) },
      { title: 'revoked', value: (row) => formatTime(row.revoked_at) },
    ],
    options.json === true,
  );
}

function create(ring: KeyRing, audit: AuditLog, options: KeysOptions, name: string): void {
  if (name.length > MAX_NAME_LENGTH) {
    throw new WrongUse(`a key's name has at most ${MAX_NAME_LENGTH} characters`);
  }
  const scopes = options.scope
    .flatMap((text) => text.split(','))
    .map((text) => oneOf(API_SCOPES, text, '--scope'));
  const tier = oneOf(API_TIERS, options.tier, '--tier');
  const expiresAt = options.expires === undefined ? null : readExpiry(options.expires);
  const { row, key } = ring.create({ name, scopes: [...new Set(scopes)], tier, expiresAt });
  const details = { name, scopes: row.scopes, tier };
  audit.append({ by: cliActor(), action: 'key.create', target: `key/${row.key_id}`, details });
  if (options.json === true) printJson({ ...shown(row), key });
  else {
    print(key);
    note('This is the only time that the key is shown. Send it as: Authorization: Bearer KEY');
  }
}

function revoke(ring: KeyRing, audit: AuditLog, options: KeysOptions, keyId: string): void {
  const row = ring.revoke(keyId);
  if (!row) throw new Failed(`there is no key ${keyId}; "local-browser-agent keys" lists them`);
  audit.append({ by: cliActor(), action: 'key.revoke', target: `key/${keyId}`, details: { name: row.name } });
  if (options.json === true) printJson(shown(row));
  else note(`Key ${keyId} ("${row.name}") is revoked.`);
}

/** Without the hash, which is nobody's business. */
function shown({ sha256: _hash, day: _day, day_requests: requestsToday, ...row }: ApiKeyRow) {
  return { ...row, day_requests: requestsToday };
}

function oneOf<T extends string>(words: readonly T[], text: string, option: string): T {
  const word = words.find((known) => known === text.trim());
  if (word !== undefined) return word;
  throw new WrongUse(`${option} ${text}: use ${words.join(', ')}`);
}

function readExpiry(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const at = days === undefined ? Date.parse(text) : Date.now() + Number(days) * DAY_MS;
  if (Number.isNaN(at) || at <= Date.now()) {
    throw new WrongUse(
      `--expires ${text}: use a time to come such as 2027-01-31T00:00:00Z, or days such as 30d`,
    );
  }
  return at;
}

function required(value: string | undefined, usage: string): string {
  if (value === undefined) throw new WrongUse(`usage: local-browser-agent keys ${usage}`);
  return value;
}

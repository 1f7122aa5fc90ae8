import { createClients } from '../../aws/clients.ts';
import { AuditLog } from '../../audit/index.ts';
import { systemClock } from '../../base/clock.ts';
import { homePaths } from '../../base/paths.ts';
import { invite as makeInvitation, listMachines, revoke } from '../../config/invitation.ts';
import { openDatabase } from '../../store/database.ts';
import { cliActor } from '../audit.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { formatTime, note, print, printJson, printRows } from '../output.ts';

interface InviteOptions extends VerbOptions {
  env: string;
  expires: string;
  name?: string;
  awsProfile?: string;
  region?: string;
}

const HOUR_MS = 3_600_000;
const UNITS_MS: Record<string, number> = { m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS };
/** A code that lies about for longer is forgotten, and found by somebody. */
const MAX_EXPIRY_MS = 30 * 24 * HOUR_MS;

/** Machines with an identity of their own: `invite --env E`, `invite list --env E`, `invite revoke MACHINE --env E`. */
export async function invite(options: InviteOptions, args: string[]): Promise<void> {
  const [verb = 'create', machine] = args;
  const clients = createClients({
    ...(options.awsProfile === undefined ? {} : { profile: options.awsProfile }),
    ...(options.region === undefined ? {} : { region: options.region }),
  });
  try {
    if (verb === 'create') await create();
    else if (verb === 'list') await list();
    else if (verb === 'revoke') await remove();
    else throw new WrongUse(`invite ${verb}: use invite alone, list or revoke`);
  } finally {
    clients.destroy();
  }

  async function create(): Promise<void> {
    const forMs = readExpiry(options.expires);
    const region = options.region ?? (await (await clients.sts()).config.region());
    const made = await makeInvitation(clients, {
      environment: options.env,
      region,
      forMs,
      ...(options.name === undefined ? {} : { label: options.name }),
    });
    const expires = new Date(made.expiresAt).toISOString();
    audit('machine.invite', made.machine, { environment: options.env, expires });
    if (options.json === true) {
      printJson({ machine: made.machine, code: made.code, expires_at: expires });
      return;
    }
    print(made.code);
    note(`For one machine, once, until ${expires}; it will be ${made.machine}. On that machine:`);
    note('  local-browser-agent setup --code CODE');
    note('The code is shown only now. Hand it over as you would a password.');
  }

  async function list(): Promise<void> {
    const machines = await listMachines(clients, options.env, systemClock);
    if (machines.length === 0 && options.json !== true) {
      note(`No machine was invited yet. Invite one with: local-browser-agent invite --env ${options.env}`);
      return;
    }
    printRows(
      machines.map(({ name, state, invitedAt, expiresAt }) => ({
        machine: name,
        state,
        invited_at: invitedAt,
        expires_at: expiresAt,
      })),
      [
        { title: 'machine', value: (row) => row.machine },
        { title: 'state', value: (row) => row.state },
        { title: 'invited', value: (row) => formatTime(row.invited_at) },
        { title: 'code good until', value: (row) => formatTime(row.expires_at) },
      ],
      options.json === true,
    );
  }

  async function remove(): Promise<void> {
    if (machine === undefined)
      throw new WrongUse('usage: local-browser-agent invite revoke MACHINE --env ENV');
    const known = await listMachines(clients, options.env);
    // Nothing but a machine of this environment is ever removed.
    if (!known.some(({ name }) => name === machine) || !(await revoke(clients, machine))) {
      throw new Failed(
        `there is no machine ${machine} in environment ${options.env}; "local-browser-agent invite list --env ${options.env}" lists them`,
      );
    }
    audit('machine.revoke', machine, { environment: options.env });
    if (options.json === true) printJson({ machine, revoked: true });
    else note(`${machine} is revoked: its code or key is worthless, and its agent takes no more tasks.`);
  }

  function audit(action: string, name: string, details: Record<string, string>): void {
    const db = openDatabase(homePaths(options.home).database);
    try {
      new AuditLog({ db }).append({ by: cliActor(), action, target: `machine/${name}`, details });
    } finally {
      db.close();
    }
  }
}

function readExpiry(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
  if (!(ms > 0 && ms <= MAX_EXPIRY_MS)) {
    throw new WrongUse(`--expires ${text}: use minutes, hours or days up to 30d, such as 30m, 24h or 7d`);
  }
  return ms;
}

/** What settings say of private addresses. An entry of `network.private_hosts` is a host pattern or a network such as `10.0.0.0/8`. */
import { BlockList, isIP } from 'node:net';
import {
  HOST_PATTERN_WORDS,
  matchesHost,
  parseHostPattern,
  type HostPattern,
  type HostTarget,
} from './host-pattern.ts';

/** Whether pages may reach private and loopback addresses: those that the script names, all, or none. */
export const PRIVATE_ADDRESSES = ['named', 'allow', 'forbid'] as const;
export type PrivateAddresses = (typeof PRIVATE_ADDRESSES)[number];

export type PrivateHost = { kind: 'host'; pattern: HostPattern } | { kind: 'network'; network: BlockList };

/** @throws Error saying what is wrong with the entry and how to write it */
export function parsePrivateHost(text: string): PrivateHost {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text.trim()) ?? [];
  const family = isIP(address);
  if (family === 0) return { kind: 'host', pattern: hostOf(text) };
  const prefix = Number(bits);
  if (prefix > (family === 4 ? 32 : 128)) throw new Error(`"${text}" has more bits than an address.`);
  const network = new BlockList();
  network.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return { kind: 'network', network };
}

function hostOf(text: string): HostPattern {
  try {
    return parseHostPattern(text);
  } catch {
    throw new Error(
      `"${text}" is neither a host nor a network such as 10.0.0.0/8. Allowed are ${HOST_PATTERN_WORDS}.`,
    );
  }
}

/** Whether the entry allows this target at this address. */
export function coversPrivateHost(entry: PrivateHost, target: HostTarget, address: string): boolean {
  if (entry.kind === 'host') return matchesHost(entry.pattern, target);
  const family = isIP(address);
  return family !== 0 && entry.network.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

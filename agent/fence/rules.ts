/** What one run may reach. */
import { matchesHost, type HostPattern, type HostTarget } from '../base/host-pattern.ts';
import { coversPrivateHost, type PrivateAddresses, type PrivateHost } from '../base/private-host.ts';

export interface FenceRules {
  /** What pages may load; null: anything. */
  requests: readonly HostPattern[] | null;
  /** Hosts that the script writes down, in its lists or in addresses that it opens. */
  named: readonly HostPattern[];
  privateAddresses: PrivateAddresses;
  /** What the owner of the machine lets any page reach, whatever its address. */
  privateHosts: readonly PrivateHost[];
}

export function isListed(rules: FenceRules, target: HostTarget): boolean {
  return rules.requests === null || rules.requests.some((pattern) => matchesHost(pattern, target));
}

/** `*` names no host. */
export function isNamed(rules: FenceRules, target: HostTarget): boolean {
  return rules.named.some((pattern) => pattern.host !== '*' && matchesHost(pattern, target));
}

/** Whether the owner allows this private address to every page. */
export function isOpened(rules: FenceRules, target: HostTarget, address: string): boolean {
  return (
    rules.privateAddresses === 'allow' ||
    rules.privateHosts.some((entry) => coversPrivateHost(entry, target, address))
  );
}

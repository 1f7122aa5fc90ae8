/** How far away an address is, as browsers' local-network rules see it. */
import ipaddr from 'ipaddr.js';

/**
 * - `public`: reachable from anywhere.
 * - `private`: of this network (RFC 1918, unique local, carrier-grade NAT), and whatever is not routed publicly.
 * - `loopback`: this machine.
 * - `forbidden`: link-local, where clouds hand out a machine's credentials, and what is no single host.
 */
export type AddressSpace = 'public' | 'private' | 'loopback' | 'forbidden';

/** From the most public to the most protected. */
const ORDER: readonly AddressSpace[] = ['public', 'private', 'loopback', 'forbidden'];

/** Whether what is in `from` would reach into something closer than itself. */
export function isCloser(to: AddressSpace, from: AddressSpace): boolean {
  return ORDER.indexOf(to) > ORDER.indexOf(from);
}

/** Metadata services outside of the link-local ranges: AWS, Google Cloud, Alibaba Cloud, Oracle Cloud, Azure. */
const METADATA = new Set([
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
]);

type Range = ReturnType<ipaddr.IPv4['range']> | ReturnType<ipaddr.IPv6['range']>;

const SPACE_OF_RANGE: Partial<Record<Range, AddressSpace>> = {
  unicast: 'public',
  // Connecting to 0.0.0.0 or :: reaches this machine.
  unspecified: 'loopback',
  loopback: 'loopback',
  linkLocal: 'forbidden',
  multicast: 'forbidden',
  broadcast: 'forbidden',
  // Ways to write an IPv4 address: the address inside decides.
  ipv4Mapped: 'public',
  rfc6145: 'public',
  rfc6052: 'public',
  '6to4': 'public',
  teredo: 'public',
};

/** The space of an IP address as the resolver or a URL writes it. What is no address is `forbidden`. */
export function spaceOfAddress(address: string): AddressSpace {
  const text = address.replace(/%.*$/, '');
  if (!ipaddr.isValid(text)) return 'forbidden';
  const parsed = ipaddr.parse(text);
  const spaces = parsed instanceof ipaddr.IPv6 ? embeddedIn(parsed).map(spaceOf) : [];
  return [spaceOf(parsed), ...spaces].reduce((a, b) => (isCloser(b, a) ? b : a));
}

function spaceOf(address: ipaddr.IPv4 | ipaddr.IPv6): AddressSpace {
  if (METADATA.has(address.toString())) return 'forbidden';
  return SPACE_OF_RANGE[address.range()] ?? 'private';
}

/** IPv4 addresses that an IPv6 address stands for, or whose network it passes through. */
function embeddedIn(address: ipaddr.IPv6): ipaddr.IPv4[] {
  const bytes = address.toByteArray();
  const at = (offset: number, mask = 0): ipaddr.IPv4 =>
    new ipaddr.IPv4(bytes.slice(offset, offset + 4).map((byte) => byte ^ mask));
  const [a, b, c, d] = address.parts;
  const isCompatible = address.parts.slice(0, 6).every((part) => part === 0) && (address.parts[6] ?? 0) !== 0;
  // RFC 8215: the local form of NAT64, whose last four bytes hold the address for the usual prefix of 96 bits.
  const isLocalNat64 = a === 0x64 && b === 0xff9b && c === 1;
  // RFC 5214
  const isIsatap = ((address.parts[4] ?? 0) & 0xfdff) === 0 && address.parts[5] === 0x5efe;
  const found: ipaddr.IPv4[] = [];
  const range = address.range();
  if (range === 'ipv4Mapped' || range === 'rfc6145' || range === 'rfc6052') found.push(at(12));
  if (isCompatible || isLocalNat64 || isIsatap) found.push(at(12));
  if (range === '6to4') found.push(at(2));
  // RFC 4380: the server, and the client with every bit turned.
  if (range === 'teredo' && d !== undefined) found.push(at(4), at(12, 0xff));
  return found;
}

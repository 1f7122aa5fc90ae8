import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../base/log.ts';
import { parseHostPattern, targetOf } from '../base/host-pattern.ts';
import { parsePrivateHost } from '../base/private-host.ts';
import type { AddressSpace } from './address-space.ts';
import { Gate, type BrowserView } from './gate.ts';
import { OwnPorts } from './own-ports.ts';
import { Resolver } from './resolver.ts';
import type { FenceRules } from './rules.ts';
import { DIRECT, type Route } from './upstream/route.ts';

/** Addresses of these tests: the first number says the space. */
const NAMES: Record<string, string[]> = {
  'shop.test': ['1.0.0.1'],
  'portal.test': ['2.0.0.1'],
  'erp.test': ['2.0.0.2'],
  'local.test': ['3.0.0.1'],
  'metadata.test': ['4.0.0.1'],
  'mixed.test': ['4.0.0.1', '2.0.0.1', '1.0.0.1'],
};
const SPACES: Record<string, AddressSpace> = {
  '1': 'public',
  '2': 'private',
  '3': 'loopback',
  '4': 'forbidden',
};

let now: number;
let names: Record<string, string[]>;
let open: Set<AddressSpace>;
let held: 'nothing' | 'prepared' | 'requests';
let routes: Route[];
let ownPorts: OwnPorts;
let gate: Gate;

const view: BrowserView = {
  documents: () => Promise.resolve(open),
  prepare: () => {
    held = 'prepared';
    return Promise.resolve();
  },
  guard: () => {
    held = 'requests';
    return Promise.resolve();
  },
};

beforeEach(() => {
  now = 0;
  names = { ...NAMES };
  open = new Set();
  held = 'nothing';
  routes = [DIRECT];
  ownPorts = new OwnPorts();
  gate = make();
});

function make({ isPersistent = false } = {}): Gate {
  return new Gate({
    resolver: new Resolver({
      now: () => now,
      lookup: (host) =>
        names[host]
          ? Promise.resolve(names[host])
          : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
    }),
    spaceOf: (address) => SPACES[address.split('.')[0]!] ?? 'loopback',
    ownPorts,
    router: { routes: () => Promise.resolve(routes) },
    isPersistent,
    log: silentLogger,
  });
}

const rules = (
  more: Partial<Record<'requests' | 'named', string[]>> &
    Partial<Pick<FenceRules, 'privateAddresses'>> & { privateHosts?: string[] } = {},
): FenceRules => ({
  requests: more.requests?.map(parseHostPattern) ?? null,
  named: (more.named ?? []).map(parseHostPattern),
  privateAddresses: more.privateAddresses ?? 'named',
  privateHosts: (more.privateHosts ?? []).map(parsePrivateHost),
});

const ask = async (address: string): Promise<string> => {
  const verdict = await gate.admit(targetOf(address)!, 'request');
  if (verdict.kind === 'connect') return verdict.addresses.join();
  return verdict.kind === 'refused' ? verdict.reason : verdict.code;
};

test('without rules everything is refused', async () => {
  expect(await ask('http://shop.test/')).toBe('closed');
});

test('a list holds hosts, ports and schemes', async () => {
  await gate.setRules(rules({ requests: ['https://shop.test'] }));
  expect(await ask('https://shop.test/')).toBe('1.0.0.1');
  expect(await ask('http://shop.test/')).toBe('list');
  expect(await ask('https://shop.test:444/')).toBe('list');
  expect(gate.refusals.total).toBe(2);
  expect(gate.refusals.listed[0]).toEqual({ host: 'shop.test', port: 80, reason: 'list', count: 1 });
});

test('a name without an address fails as it would without the fence', async () => {
  await gate.setRules(rules());
  expect(await ask('http://nosuch.test/')).toBe('ENOTFOUND');
  expect(gate.failureOf({ host: 'nosuch.test', port: 80 })).toBe('ENOTFOUND');
});

test.each([
  'http://metadata.test/',
  'http://4.0.0.1/',
  'http://67108865/',
  'http://0x4000001/',
  'http://04.0.0.1/',
])('%s is never opened, even when everything private is allowed and the script names it', async (address) => {
  await gate.setRules(rules({ named: ['metadata.test', '4.0.0.1'], privateAddresses: 'allow' }));
  expect(await ask(address)).toBe('forbidden_address');
});

test('the agent’s own ports are never opened', async () => {
  const remove = ownPorts.add(4590);
  await gate.setRules(rules({ named: ['localhost', 'local.test'], privateAddresses: 'allow' }));
  expect(await ask('http://local.test:4590/')).toBe('own_port');
  expect(await ask('http://local.test:4591/')).toBe('3.0.0.1');
  remove();
  expect(await ask('http://local.test:4590/')).toBe('3.0.0.1');
});

test('of addresses that disagree only the public ones are used', async () => {
  await gate.setRules(rules());
  expect(await ask('http://mixed.test/')).toBe('1.0.0.1');
});

describe('private addresses', () => {
  test('a script opens those that it names, and no others', async () => {
    await gate.setRules(rules({ named: ['portal.test'] }));
    expect(await ask('http://erp.test/')).toBe('private_unnamed');
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
  });

  test('a host that the script comes to name during the run is open from then on', async () => {
    await gate.setRules(rules());
    expect(await ask('http://portal.test/')).toBe('private_unnamed');
    await gate.name(parseHostPattern('portal.test'));
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
  });

  test('the pattern for every host names none', async () => {
    await gate.setRules(rules({ requests: ['*'], named: ['*'] }));
    expect(await ask('http://portal.test/')).toBe('private_unnamed');
  });

  test('private pages reach other private hosts, and this machine only when it is named', async () => {
    await gate.setRules(rules({ named: ['portal.test'] }));
    await ask('http://portal.test/');
    expect(await ask('http://erp.test/')).toBe('2.0.0.2');
    expect(await ask('http://local.test/')).toBe('private_unnamed');
    await gate.name(parseHostPattern('local.test'));
    expect(await ask('http://local.test/')).toBe('3.0.0.1');
  });

  test('nothing is asked of the browser while only private hosts, or only public ones, are used', async () => {
    await gate.setRules(rules({ named: ['portal.test'] }));
    await gate.setView(view, { isKept: false });
    await ask('http://portal.test/');
    await ask('http://erp.test/');
    expect(held).toBe('nothing');
    gate = make();
    await gate.setRules(rules({ named: ['shop.test'] }));
    await gate.setView(view, { isKept: false });
    await ask('http://shop.test/');
    expect(held).toBe('nothing');
  });

  test('before a public page can be open, the browser holds requests; then named hosts are its affair', async () => {
    await gate.setRules(rules({ named: ['portal.test'] }));
    await gate.setView(view, { isKept: false });
    await ask('http://shop.test/');
    expect(held).toBe('requests');
    open = new Set(['public']);
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
  });

  test('a private host that turns up while public pages are open is refused until they are gone', async () => {
    await gate.setRules(rules({ named: ['*.test'] }));
    await gate.setView(view, { isKept: false });
    await ask('http://shop.test/');
    open = new Set(['public']);
    expect(await ask('http://portal.test/')).toBe('private_from_public');
    open = new Set(['private']);
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
    expect(held).toBe('requests');
  });

  test('without a view of the browser a public page shuts private hosts out', async () => {
    await gate.setRules(rules({ named: ['portal.test'] }));
    await ask('http://shop.test/');
    expect(await ask('http://portal.test/')).toBe('private_from_public');
  });

  test('in a profile, whose pages may come from its cache, requests are held from the beginning', async () => {
    gate = make({ isPersistent: true });
    await gate.setRules(rules({ named: ['portal.test'] }));
    await gate.setView(view, { isKept: false });
    expect(held).toBe('requests');
  });

  test('in a browser that is kept, a later run may name a private host beside a public page', async () => {
    await gate.setRules(rules({ named: ['shop.test'] }));
    await gate.setView(view, { isKept: true });
    expect(held).toBe('prepared');
    await ask('http://shop.test/');
    open = new Set(['public']);
    await gate.setRules(rules({ named: ['portal.test'] }));
    expect(held).toBe('requests');
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
  });

  test('a name that led to a public address does not lead inside later', async () => {
    await gate.setRules(rules({ named: ['shop.test'] }));
    await ask('http://shop.test/');
    names['shop.test'] = ['2.0.0.1'];
    expect(await ask('http://shop.test/')).toBe('1.0.0.1');
    now = 61_000;
    expect(await ask('http://shop.test/')).toBe('rebound');
  });

  test('the owner opens single hosts and networks to every page, or everything, or nothing', async () => {
    await gate.setRules(rules({ privateHosts: ['2.0.0.0/31'] }));
    expect(await ask('http://erp.test/')).toBe('private_unnamed');
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
    await gate.setRules(rules({ privateAddresses: 'allow' }));
    expect(await ask('http://erp.test/')).toBe('2.0.0.2');
    await gate.setRules(
      rules({ privateAddresses: 'forbid', named: ['erp.test'], privateHosts: ['portal.test'] }),
    );
    expect(await ask('http://erp.test/')).toBe('private_forbidden');
    expect(await ask('http://portal.test/')).toBe('2.0.0.1');
  });

  test.each([
    ['portal.test', 'private', false, true],
    ['portal.test', 'public', false, false],
    ['portal.test', 'public', true, true],
    ['erp.test', 'private', false, true],
    ['erp.test', 'public', true, false],
    ['local.test', 'private', false, false],
    ['shop.test', 'public', false, true],
  ] as const)(
    'a held request to %s from a %s page (navigation: %s) may leave: %s',
    async (host, from, isNavigation, may) => {
      await gate.setRules(rules({ named: ['portal.test'] }));
      const target = { host, port: 80, secure: false };
      expect(await gate.mayLeave({ target, isNavigation, initiator: () => from })).toBe(may);
      expect(gate.refusals.total).toBe(may ? 0 : 1);
    },
  );
});

describe('upstream proxies', () => {
  const proxy: Route = { kind: 'proxy', protocol: 'http', host: 'proxy.test', port: 3128, credentials: null };

  test('a name that only the proxy knows is left to it', async () => {
    routes = [proxy];
    await gate.setRules(rules());
    expect(await ask('http://outside.test/')).toBe('');
  });

  test('an address that is forbidden is not sent to a proxy either', async () => {
    routes = [proxy];
    await gate.setRules(rules());
    expect(await ask('http://metadata.test/')).toBe('forbidden_address');
    expect(await ask('http://4.0.0.1/')).toBe('forbidden_address');
  });
});

test('refusals are listed up to a limit, and counted beyond it', async () => {
  await gate.setRules(rules({ requests: [] }));
  for (let index = 0; index < 50; index += 1) await ask(`http://host${index}.test/`);
  expect(gate.refusals.total).toBe(50);
  expect(gate.refusals.listed).toHaveLength(20);
  expect(gate.refusals.reasonOf({ host: 'host49.test', port: 80 })).toBe('list');
});

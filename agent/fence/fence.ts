/** The fence of one agent: a door for each browser context, and what all of them share. */
import type { Logger } from '../base/log.ts';
import { spaceOfAddress, type AddressSpace } from './address-space.ts';
import { openDoor, type Door } from './door.ts';
import { Gate } from './gate.ts';
import { OwnConnections } from './own-connections.ts';
import { OwnPorts } from './own-ports.ts';
import { Resolver, type Lookup } from './resolver.ts';
import { DIRECT, type Router } from './upstream/route.ts';

export interface FenceOptions {
  log: Logger;
  now: () => number;
  /** Default: connections go out directly. */
  router?: Router;
  /** Default: the system's resolver. */
  lookup?: Lookup;
  /** Default: as {@link spaceOfAddress} sees it. For tests, whose servers are all on loopback. */
  spaceOf?: (address: string) => AddressSpace;
}

export class Fence {
  readonly ownPorts = new OwnPorts();
  readonly #options: FenceOptions;
  readonly #resolver: Resolver;
  readonly #own = new OwnConnections();
  readonly #doors = new Set<Door>();

  constructor(options: FenceOptions) {
    this.#options = options;
    this.#resolver = new Resolver(options);
  }

  /** Opens a door that refuses everything until its gate gets rules. */
  async open({ isPersistent }: { isPersistent: boolean }): Promise<Door> {
    const {
      log,
      spaceOf = spaceOfAddress,
      router = { routes: () => Promise.resolve([DIRECT]) },
    } = this.#options;
    const gate = new Gate({
      resolver: this.#resolver,
      spaceOf,
      ownPorts: this.ownPorts,
      router,
      isPersistent,
      log,
    });
    const door = await openDoor(gate, this.#own);
    const forget = this.ownPorts.add(Number(new URL(door.address).port));
    const close = async (): Promise<void> => {
      this.#doors.delete(opened);
      forget();
      await door.close();
    };
    const opened: Door = { ...door, close };
    this.#doors.add(opened);
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#doors].map((door) => door.close()));
    this.#own.close();
  }
}

/** The ports that this agent listens on: no page reaches them, whatever lists say. */
import { networkInterfaces } from 'node:os';
import type { AddressSpace } from './address-space.ts';

export class OwnPorts {
  readonly #ports = new Set<number>();

  /** @returns a function that takes the port out again */
  add(port: number): () => void {
    this.#ports.add(port);
    return () => this.#ports.delete(port);
  }

  /** Whether the address is this machine's and the port one of ours. */
  isOwn(address: string, port: number, space: AddressSpace): boolean {
    if (!this.#ports.has(port)) return false;
    return space === 'loopback' || ownAddresses().has(address);
  }
}

function ownAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)),
  );
}

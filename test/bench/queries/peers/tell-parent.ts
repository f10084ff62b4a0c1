import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Tells the process that started this one where the server listens, and ends with it. */
export function tellParent(server: Pick<Server, 'address'>): void {
  process.once('disconnect', () => process.exit());
  process.send?.((server.address() as AddressInfo).port);
}

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves on a free port, which it tells the process that started this one, until that ends. */
export function serveToParent(handler: RequestListener): void {
  process.once('disconnect', () => process.exit());
  const server = createServer(handler);
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

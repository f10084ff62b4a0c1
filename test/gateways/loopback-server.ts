import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Server {
  /** Of its GraphQL endpoint. */
  url: string;
  close(): Promise<void>;
}

/** Serves GraphQL on a free port of this machine. */
export async function openLoopbackServer(answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    async close() {
      const closed = new Promise(done => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

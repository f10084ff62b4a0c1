import { once } from 'node:events';
import { createServer } from 'node:http';

/** Serves these files by their names, on loopback, as a shop's own cloud storage would. */
export async function openPictureServer(
  files: Record<string, Buffer>,
): Promise<{ url(name: string): string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const file = files[request.url?.slice(1) ?? ''];
    response.writeHead(file ? 200 : 404).end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: name => `http://127.0.0.1:${port}/${name}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

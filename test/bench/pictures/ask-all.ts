import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Answers the milliseconds until all paths are answered, on so many connections. Fails where one is not 200. */
export async function askAll(port: number, paths: string[], connections: number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port)));
  const left = paths.values();
  const startedAt = performance.now();
  await Promise.all(sockets.map(socket => askEach(socket, left)));
  const tookMs = performance.now() - startedAt;
  for (const socket of sockets) socket.destroy();
  return tookMs;
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  return socket;
}

// node:http would take more of the machine than some of the servers that it asks.
async function askEach(socket: Socket, left: Iterable<string>): Promise<void> {
  for (const path of left) {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await readAnswer(socket, path);
  }
}

/** Until all of it is there. Fails where it is not 200. */
export function readAnswer(socket: Socket, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let missing = -1;
  let head = '';
  const onData = (chunk: Buffer) => {
    if (missing < 0) {
      head += chunk.toString('latin1');
      const bodyAt = head.indexOf('\r\n\r\n') + 4;
      if (bodyAt < 4) return;
      const length = /content-length: (\d+)/i.exec(head.slice(0, bodyAt))?.[1];
      if (!head.startsWith('HTTP/1.1 200') || !length) {
        return end(new Error(`${path} is answered with ${head.slice(0, bodyAt)}`));
      }
      missing = Number(length) - (head.length - bodyAt);
    } else missing -= chunk.length;
    if (missing === 0) end();
  };
  const onClose = () => end(new Error(`${path} is not answered`));
  const end = (error?: Error) => {
    socket.off('data', onData).off('close', onClose);
    if (error) reject(error);
    else resolve();
  };
  socket.on('data', onData).on('close', onClose);
  return promise;
}

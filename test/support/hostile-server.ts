import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface HostileServer {
  port: number;
  /** Heads of the requests, as they came. */
  requests: string[];
  url(path: string): string;
  close(): Promise<void>;
}

type Behaviour = (socket: Socket, path: string) => void;

/** Speaks HTTP by hand on 127.0.0.1, because a proper server would refuse to lie like this. */
export async function openHostileServer(file: Buffer): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', chunk => {
      const head = chunk.toString('latin1');
      requests.push(head);
      answer(socket, head.split(' ')[1] ?? '/', file);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    requests,
    url: path => `http://127.0.0.1:${port}${path}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(socket: Socket, path: string, file: Buffer): void {
  const name = path.split(/[/?]/)[1] ?? '';
  const behaviour = createBehaviours(file)[name];
  if (behaviour === undefined) socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  else behaviour(socket, path);
}

function createBehaviours(file: Buffer): Record<string, Behaviour> {
  const whole = `content-length: ${file.length}`;
  return {
    file: socket => socket.end(respond([whole], file)),
    'until-close': socket => socket.end(respond([], file)),
    chunked: socket => socket.end(respond(['transfer-encoding: chunked'], toChunks(file, 1000, '0\r\n\r\n'))),
    status: (socket, path) =>
      socket.write(`HTTP/1.1 ${path.split('/')[2]} Told\r\n${whole}\r\n\r\nnot all of it`),
    to: (socket, path) => redirect(socket, decodeURIComponent(path.slice('/to?'.length))),
    loop: socket => redirect(socket, '/loop'),
    hops: (socket, path) => countDown(socket, Number(path.split('/')[2])),
    lost: socket => socket.end('HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n'),
    endless: socket => pour(socket, respond([], Buffer.alloc(0))),
    'endless-chunks': socket => pour(socket, respond(['transfer-encoding: chunked']), toChunks(zeros, 4096)),
    'tiny-chunks': socket => pour(socket, respond(['transfer-encoding: chunked']), toChunks(zeros, 1)),
    'padded-chunks': socket => pour(socket, respond(['transfer-encoding: chunked']), paddedChunk),
    'endless-head': socket => pour(socket, Buffer.from('HTTP/1.1 200 OK\r\nx: ')),
    'endless-informs': socket =>
      pour(socket, Buffer.alloc(0), Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n')),
    'one-byte-a-second': socket => drip(socket, respond([whole]), file),
    'claims-more': socket => socket.end(respond([`content-length: ${file.length + 1}`], file)),
    'claims-less': socket => socket.end(respond([`content-length: ${file.length - 1}`], file)),
    'claims-huge': socket => socket.write(respond(['content-length: 99999999999'])),
    'claims-twice': socket => socket.end(respond([whole, 'content-length: 3'], file)),
    'claims-both': socket => socket.end(respond([whole, 'transfer-encoding: chunked'], file)),
    'claims-nonsense': socket => socket.end(respond(['content-length: -5'], file)),
    'cut-chunks': socket => socket.end(respond(['transfer-encoding: chunked'], Buffer.from('ff\r\nabc'))),
    encoded: (socket, path) => socket.end(respond([`content-encoding: ${path.split('/')[2]}`, whole], file)),
    silent: () => {},
    'silent-after-head': socket => socket.write(respond([whole])),
    'silent-mid-body': socket => socket.write(respond([whole], file.subarray(0, 10))),
    reset: socket => socket.resetAndDestroy(),
    'reset-after-head': socket => socket.write(respond([whole]), () => socket.resetAndDestroy()),
    'close-at-once': socket => socket.end(),
    garbage: socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n'),
    empty: socket => socket.end(respond(['content-length: 0'])),
    cookie: socket => redirect(socket, '/file', 'set-cookie: a=b; Path=/\r\n'),
  };
}

const zeros = Buffer.alloc(64 * 1024);

/** One byte of a body in 60 KB of stream. */
const paddedChunk = Buffer.from(`1;${'x'.repeat(60_000)}\r\na\r\n`);

function respond(headers: readonly string[], body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(`${['HTTP/1.1 200 OK', ...headers].join('\r\n')}\r\n\r\n`), body]);
}

function redirect(socket: Socket, location: string, header = ''): void {
  socket.end(`HTTP/1.1 302 Found\r\n${header}location: ${location}\r\ncontent-length: 0\r\n\r\n`);
}

function countDown(socket: Socket, hops: number): void {
  redirect(socket, hops > 1 ? `/hops/${hops - 1}` : '/file');
}

/** As fast as the other side takes it, without end. */
function pour(socket: Socket, head: Buffer, block: Buffer = zeros): void {
  socket.write(head);
  const write = () => {
    while (socket.writable && socket.write(block));
  };
  socket.on('drain', write);
  write();
}

function drip(socket: Socket, head: Buffer, body: Buffer): void {
  socket.write(head);
  let at = 0;
  const timer = setInterval(() => {
    socket.write(body.subarray(at, at + 1));
    at += 1;
  }, 1_000);
  socket.on('close', () => clearInterval(timer));
}

function toChunks(body: Buffer, chunkBytes: number, end = ''): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...chunks, Buffer.from(end)]);
}

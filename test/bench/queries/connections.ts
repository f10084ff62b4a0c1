import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createAnswerReader } from './answer-reader.ts';

export interface Load {
  port: number;
  path: string;
  /** Bodies of requests, asked for one after the other from `start` on and over again. */
  bodies: string[];
  start: number;
  connections: number;
  seconds: number;
}

export interface Measured {
  answers: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Of one processor, by the load generator itself. */
  generatorShare: number;
}

/** Each connection asks as soon as it was answered. Fails on any status but 200, and on an answer with errors. */
export async function run({ port, path, bodies, start, connections, seconds }: Load): Promise<Measured> {
  const requests = bodies.map(body => createRequest(path, body));
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const latencies: number[] = [];
  const usage = process.cpuUsage();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let next = start;
  const take = () => requests[next++ % requests.length] ?? Buffer.alloc(0);
  await Promise.all(sockets.map(socket => askUntil(socket, endsAt, take, latencies)));
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(usage);
  for (const socket of sockets) socket.destroy();
  const sorted = Float64Array.from(latencies).sort();
  return {
    answers: sorted.length,
    perSecond: sorted.length / (tookMs / 1_000),
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    generatorShare: (user + system) / 1_000 / tookMs,
  };
}

export function createRequest(path: string, body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
  );
}

/** For chunks of what comes, one after the other: memory that is new each time would cost more than what is done with it. */
const chunkMemory = Buffer.allocUnsafeSlow(262_144);

/** What a listener for "data" is given is there only until it returns. */
export async function open(port: number): Promise<Socket> {
  const callback = (length: number, memory: Uint8Array): boolean =>
    socket.emit('data', Buffer.from(memory.buffer, memory.byteOffset, length));
  const socket: Socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: { buffer: chunkMemory, callback },
  });
  await once(socket, 'connect');
  return socket;
}

function askUntil(socket: Socket, endsAt: number, take: () => Buffer, latencies: number[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let askedAt = performance.now();
  const read = createAnswerReader();
  const onData = (chunk: Buffer) => {
    try {
      if (!read(chunk)) return;
    } catch (error) {
      reject(error);
      return;
    }
    const now = performance.now();
    latencies.push(now - askedAt);
    if (now >= endsAt) {
      socket.off('data', onData);
      resolve();
      return;
    }
    askedAt = now;
    socket.write(take());
  };
  socket.on('data', onData).on('error', reject);
  socket.on('close', () => reject(new Error('A connection was closed before it was answered')));
  socket.write(take());
  return promise;
}

import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Load, LoadResult } from '../support/load-process.ts';

// What a refusal costs a process that does nothing else: with node:http, and with node:net, where nothing is read of it.
// `node test/bench/refusals.ts`; each server is a process of its own, started with its kind as argument.

const requestsPerSecond = 30_000;
const seconds = 4;
const rounds = 3;

const text = JSON.stringify({
  errors: [{ message: 'There is more to do.', extensions: { code: 'SERVICE_UNAVAILABLE' } }],
});
const headers = {
  'content-type': 'application/json',
  'content-length': text.length,
  'cache-control': 'no-store',
  'retry-after': '1',
};
const head = ['HTTP/1.1 503 Service Unavailable', ...Object.entries(headers).map(pair => pair.join(': '))];
const whole = `${head.join('\r\n')}\r\n\r\n${text}`;

const servers = {
  'node:http': () =>
    createHttpServer((request, response) => {
      request.resume();
      response.writeHead(503, headers).end(text);
    }),
  'node:net': () =>
    createServer({ noDelay: true }, socket =>
      socket.on('data', () => socket.write(whole)).on('error', () => {}),
    ),
};
type Kind = keyof typeof servers;

async function serve(kind: Kind): Promise<void> {
  const server = servers[kind]().listen({ host: '127.0.0.1', port: 0, backlog: 4_096 });
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
  process.on('message', () => process.send?.(process.cpuUsage()));
}

async function measure(kind: Kind, connections: number): Promise<string> {
  const server = fork(import.meta.filename, [kind]);
  const ask = async () => {
    const { promise, resolve } = Promise.withResolvers<NodeJS.CpuUsage>();
    server.once('message', resolve);
    server.send('usage');
    return promise;
  };
  const [port] = await once(server, 'message');
  const body = JSON.stringify({
    query: '{ product(id: 101) { images(first: 5) { nodes { id url altText } } } }',
  });
  const load: Load = {
    ...{ port, path: '/graphql', body, seconds, connections },
    ...{ mostConnections: 4_000, rate: requestsPerSecond },
  };
  const before = await ask();
  const generator = join(import.meta.dirname, '../support/load-process.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [generator, JSON.stringify(load)]);
  const after = await ask();
  server.kill();
  const { refused }: LoadResult = JSON.parse(stdout);
  const used = after.user + after.system - before.user - before.system;
  return `${kind}, ${connections} connections: ${(used / refused.count).toFixed(1)} µs of a processor each, 99 of 100 within ${refused.p99} ms`;
}

const [kind] = process.argv.slice(2);
if (kind === 'node:http' || kind === 'node:net') await serve(kind);
else {
  for (let round = 0; round < rounds; round++) {
    for (const connections of [400, 4_000]) {
      for (const name of ['node:http', 'node:net'] as const)
        process.stdout.write(`${await measure(name, connections)}\n`);
    }
  }
}

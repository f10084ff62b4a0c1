import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Listening, listen } from '../src/listen.ts';
import type { ListenQuestion } from './support/listen-process.ts';
import { within } from './support/process.ts';

const host = '127.0.0.1';
const listenProcess = join(import.meta.dirname, 'support/listen-process.ts');

describe('listening', () => {
  test('takes a free port where 0 is asked for', async () => {
    const one = await open(answerAtOnce);
    const two = await open(answerAtOnce);
    expect(one.port).toBeGreaterThan(0);
    expect(two.port).not.toBe(one.port);
    expect(await ask(one, '/')).toBe('answer');
  });

  test('says so where the port is taken', async () => {
    const { port } = await open(answerAtOnce);
    await expect(listen(answerAtOnce, host, port)).rejects.toThrow(
      `Port ${port} of ${host} is taken; set PORT to another one`,
    );
  });

  test('is granted to one of several processes that ask for a port at once', async () => {
    const processes = Array.from({ length: 4 }, () => fork(listenProcess));
    onTestFinished(() => processes.forEach(each => void each.kill()));
    for (let round = 0; round < 60; round++) {
      const port = await findFreePort();
      const answers = processes.map(async each => (await once(each, 'message'))[0]);
      // The first time they are yet to start.
      const at = Date.now() + (round === 0 ? 3_000 : 20);
      for (const [n, each] of processes.entries()) {
        each.send({ host, port, at: at + (n % 2) * (round % 4) } satisfies ListenQuestion);
      }
      const told = (await Promise.all(answers)).sort();
      const taken = `Port ${port} of ${host} is taken; set PORT to another one`;
      expect(told).toEqual([taken, taken, taken, null]);
    }
  });

  test('hands on why else it cannot be', async () => {
    await expect(listen(answerAtOnce, '192.0.2.1', 0)).rejects.toThrow('EADDRNOTAVAIL');
  });
});

describe.runIf(process.platform === 'linux')('many who connect together', () => {
  test('are taken within a few turns of the event loop', async () => {
    let taken = 0;
    const { port, close } = await listen(answerAtOnce, host, 0, {
      onServer: server => server.on('connection', () => taken++),
    });
    onTestFinished(() => close(0));
    const sockets = Array.from({ length: 300 }, () => connect(port, host).on('error', () => {}));
    onTestFinished(() => sockets.forEach(socket => void socket.destroy()));
    let turns = 0;
    for (; taken < sockets.length && turns < 1_000; turns++) await nextTurn();
    expect(turns).toBeLessThan(60);
  });

  test('are answered before the port closes', async () => {
    const server = await open(answerAtOnce);
    const sockets = Array.from({ length: 300 }, () => connect(server.port, host).on('error', () => {}));
    onTestFinished(() => sockets.forEach(socket => void socket.destroy()));
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answered = sockets.map(socket => once(socket, 'data'));
    const closed = server.close(5_000);
    expect(await Promise.all(answered)).toHaveLength(300);
    await within(2_000, 'closing', closed);
  });
});

describe('closing', () => {
  test('waits for the request under way, and takes no connection meanwhile', async () => {
    const held = holdRequests();
    const server = await open(held.handler);
    const answer = ask(server, '/');
    await held.arrived;
    const closed = server.close(5_000);
    await sleep(20);
    await expect(ask(server, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    held.release();
    expect(await answer).toBe('held');
    await within(2_000, 'closing', closed);
  });

  test('takes who is connected already', async () => {
    const server = await open(answerAtOnce);
    const socket = connect(server.port, host);
    onTestFinished(() => void socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answered = once(socket, 'data');
    const closed = server.close(5_000);
    expect(String((await answered)[0])).toMatch(/^HTTP\/1.1 200 OK\r\n(.*\r\n)*connection: close\r\n/i);
    await within(1_000, 'closing', closed);
  });

  test('does not wait for the connection of a request that was answered', async () => {
    const agent = openAgent();
    const server = await open(answerAtOnce);
    await ask(server, '/', agent);
    await within(1_000, 'closing', server.close(5_000));
  });

  test('does not wait for the connection of the request that was under way', async () => {
    const agent = openAgent();
    const held = holdRequests();
    const server = await open(held.handler);
    const answer = ask(server, '/', agent);
    await held.arrived;
    const closed = server.close(10_000);
    held.release();
    expect(await answer).toBe('held');
    await within(2_000, 'closing', closed);
  });

  test('does not wait for a connection that asked nothing, as browsers open them', async () => {
    const server = await open(answerAtOnce);
    const socket = connect(server.port, host).on('error', () => {});
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, 'connect');
    await ask(server, '/');
    await within(2_000, 'closing', server.close(10_000));
  });

  test('cuts off no request of a client that goes on asking', async () => {
    const agent = openAgent();
    const server = await open((_request, response) => setTimeout(() => response.end('late'), 100));
    const failures: string[] = [];
    const askAgain = () => ask(server, '/', agent).catch(error => failures.push(error.code));
    const first = askAgain();
    await once(server.requests, 'request');
    let isClosed = false;
    const closed = server.close(1_000).then(() => {
      isClosed = true;
    });
    await first;
    while (!isClosed) await askAgain();
    await closed;
    expect(failures.filter(code => code !== 'ECONNREFUSED')).toEqual([]);
  });

  test('cuts off a request that takes longer than the grace', async () => {
    const held = holdRequests();
    const server = await open(held.handler);
    const answer = ask(server, '/').catch(error => error.code);
    await held.arrived;
    await within(2_000, 'closing', server.close(100));
    expect(await answer).toBe('ECONNRESET');
  });
});

async function findFreePort(): Promise<number> {
  const { port, close } = await listen(answerAtOnce, host, 0);
  await close(0);
  return port;
}

const answerAtOnce: RequestListener = (_request, response) => response.end('answer');

/** The end of the test closes it. */
async function open(handler: RequestListener): Promise<Listening & { requests: EventEmitter }> {
  const requests = new EventEmitter();
  const server = await listen(
    (request, response) => {
      handler(request, response);
      requests.emit('request');
    },
    host,
    0,
  );
  let closed: Promise<void> | undefined;
  const close = (graceMs: number) => {
    closed ??= server.close(graceMs);
    return closed;
  };
  onTestFinished(() => close(0));
  return { port: server.port, close, requests };
}

/** Answers nothing before `release`. */
function holdRequests(): { handler: RequestListener; arrived: Promise<void>; release(): void } {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  return {
    async handler(_request, response) {
      arrived.resolve();
      await released.promise;
      response.end('held');
    },
    arrived: arrived.promise,
    release: released.resolve,
  };
}

/** A client that keeps one connection for all its requests. */
function openAgent(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** Without an agent on a connection of its own, which the request says to close. */
async function ask({ port }: Listening, path: string, agent: Agent | false = false): Promise<string> {
  const [response]: IncomingMessage[] = await once(get({ host, port, path, agent }), 'response');
  return response ? text(response) : '';
}

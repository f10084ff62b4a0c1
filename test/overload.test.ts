import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { streamBegun } from '../src/graphql/live-changes.ts';
import { listen } from '../src/listen.ts';
import { createOverload } from '../src/overload.ts';
import { waitUntil } from './support/embedded-service.ts';

/** Answers one request after the other, each after a while, as one thread would. */
async function serve(workMs: number, options = { maxWaitMs: 200, alwaysTaken: 5 }) {
  let last = Promise.resolve();
  return serveWith(async response => {
    last = last.then(() => sleep(workMs));
    await last;
    response.end('{}');
  }, options);
}

async function serveWith(
  answer: (response: ServerResponse) => Promise<void>,
  options = { maxWaitMs: 200, alwaysTaken: 5 },
) {
  const overload = createOverload({ path: '/graphql', ...options, onRefusedEarly: () => {} });
  const handler = overload.limit((_request, response) => void answer(response));
  const server = await listen(handler, '127.0.0.1', 0, { onServer: overload.watch });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    return server.close(0);
  });
  return async (headers: Record<string, string> = {}) => {
    const startedAt = performance.now();
    const sent = request({ port: server.port, path: '/graphql', method: 'POST', agent, headers }).end('{}');
    const [response]: IncomingMessage[] = await once(sent, 'response');
    const body = response ? await json(response) : null;
    return {
      status: response?.statusCode,
      retryAfter: response?.headers['retry-after'],
      body,
      ms: performance.now() - startedAt,
    };
  };
}

/** As many as come each 10 ms, whatever becomes of them. */
async function offer(ask: Awaited<ReturnType<typeof serve>>, perTick: number, ticks: number) {
  const all: ReturnType<typeof ask>[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    for (let count = 0; count < perTick; count++) all.push(ask());
    await sleep(10);
  }
  return Promise.all(all);
}

test('what can be answered in time is taken', async () => {
  const ask = await serve(1);
  const answers = await offer(ask, 3, 60);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test('five times of what can be done is refused at once but for a fifth, which is answered in time', async () => {
  const ask = await serve(5);
  const answers = await offer(ask, 10, 150);
  const taken = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  expect(taken.length + refused.length).toBe(1_500);
  expect(taken.length).toBeGreaterThan(150);
  expect(refused.length).toBeGreaterThan(700);
  const msOf = (some: typeof answers) => some.map(({ ms }) => ms).sort((one, other) => one - other);
  expect(msOf(refused)[Math.floor(refused.length * 0.99)]).toBeLessThan(100);
  expect(msOf(taken)[Math.floor(taken.length * 0.9)]).toBeLessThan(1_000);
  expect(refused[0]).toMatchObject({
    retryAfter: '1',
    body: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] },
  });
  await sleep(300);
  expect(await ask()).toMatchObject({ status: 200 });
});

test('a burst after silence is taken whole', async () => {
  const ask = await serve(5, { maxWaitMs: 200, alwaysTaken: 40 });
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask()));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

test('a burst whose first answer takes a while is taken whole', async () => {
  const ask = await serveWith(
    async response => {
      await sleep(300);
      response.end('{}');
    },
    { maxWaitMs: 1_000, alwaysTaken: 5 },
  );
  const answers = await offer(ask, 4, 50);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

/** Answers one request after the other, each taking the processor for so long. */
async function serveBusily(workMs: number) {
  let last = Promise.resolve();
  return serveWith(
    async response => {
      last = last.then(nextTurn).then(() => {
        const endsAt = performance.now() + workMs;
        while (performance.now() < endsAt);
      });
      await last;
      response.end('{}');
    },
    { maxWaitMs: 200, alwaysTaken: 20 },
  );
}

test.each([
  // Sixty-seven of them take 200 ms; each connection is new and takes some time as well.
  ['as far as it can be answered in time, after many like them', 200, [20, 110]],
  ['whole, after too few to tell', 10, [130, 150]],
] as const)('a burst is taken %s', async (_how, before, [least, most]) => {
  const ask = await serveBusily(3);
  for (let count = 0; count < before; count++) expect(await ask()).toMatchObject({ status: 200 });
  const answers = await Promise.all(Array.from({ length: 150 }, () => ask()));
  const taken = answers.filter(({ status }) => status === 200).length;
  expect(taken).toBeGreaterThanOrEqual(least);
  expect(taken).toBeLessThanOrEqual(most);
});

test('while nothing is answered, what comes after the longest wait is refused', async () => {
  const held: ServerResponse[] = [];
  const ask = await serveWith(async response => void held.push(response));
  const first = Array.from({ length: 20 }, () => ask());
  await sleep(300);
  expect(await ask()).toMatchObject({ status: 503 });
  for (const response of held) response.end('{}');
  const answers = await Promise.all(first);
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

test('how slow it once was is forgotten', async () => {
  let isSlow = true;
  let last = Promise.resolve();
  const ask = await serveWith(async response => {
    if (isSlow) last = last.then(() => sleep(20));
    await (isSlow ? last : sleep(50));
    response.end('{}');
  });
  const slow = await offer(ask, 5, 40);
  expect(slow.some(({ status }) => status === 503)).toBe(true);
  isSlow = false;
  const now = performance.now.bind(performance);
  const later = vi.spyOn(performance, 'now').mockImplementation(() => now() + 11_000);
  onTestFinished(() => later.mockRestore());
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask()));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test('what waited for its turn begins in its own context, and says how it went', async () => {
  const context = new AsyncLocalStorage<string>();
  const overload = createOverload({
    path: '/graphql',
    maxWaitMs: 200,
    alwaysTaken: 5,
    onRefusedEarly: () => {},
  });
  const ids: unknown[] = [];
  const handler = overload.limit((_request, response) => {
    ids.push(context.getStore());
    response.end('{}');
  });
  const { port, close } = await listen(
    (request, response) =>
      context.run(String(request.headers['x-request-id']), () => handler(request, response)),
    '127.0.0.1',
    0,
    { onServer: overload.watch },
  );
  onTestFinished(() => close(0));
  const requests = (from: number, head: string, body: string) =>
    Array.from(
      { length: 100 },
      (_, at) => `POST /graphql HTTP/1.1\r\nhost: x\r\nx-request-id: ${from + at}\r\n${head}\r\n\r\n${body}`,
    );
  // Of one connection, those are read in one turn; of a hundred, those that came whole.
  const many = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void many.destroy());
  many.write(requests(0, 'transfer-encoding: chunked', '2\r\n{}\r\n0\r\n\r\n').join(''));
  for (const text of requests(100, 'content-length: 2', '{}')) {
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.write(text);
  }
  await waitUntil(() => ids.length === 200, 5_000);
  expect(ids.map(Number).toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: 200 }, (_, at) => at),
  );
});

test('what is held when the service stops is handed on at once, and answered', async () => {
  const overload = createOverload({
    path: '/graphql',
    maxWaitMs: 200,
    alwaysTaken: 5,
    onRefusedEarly: () => {},
  });
  let taken = 0;
  let takenAtStop = 0;
  const handler = overload.limit((_request, response) => {
    taken++;
    response.end('{}');
    // The others come meanwhile, and are held.
    if (taken === 1) for (const until = performance.now() + 100; performance.now() < until; );
    if (taken !== 49) return;
    void overload.stop();
    takenAtStop = taken;
  });
  let connections = 0;
  const onServer = (server: Server) => {
    overload.watch(server);
    server.on('connection', () => connections++);
  };
  const server = await listen(handler, '127.0.0.1', 0, { onServer });
  onTestFinished(() => server.close(0));
  let answers = 0;
  const sockets = Array.from({ length: 300 }, () => connect({ port: server.port, host: '127.0.0.1' }));
  for (const socket of sockets) {
    onTestFinished(() => void socket.destroy());
    socket.on('data', chunk => {
      if (String(chunk).startsWith('HTTP/1.1 200')) answers++;
    });
  }
  await waitUntil(() => connections === 300);
  for (const socket of sockets)
    socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}');
  await waitUntil(() => answers === 300);
  // Those that were to begin in the same turn come after it.
  expect(takenAtStop).toBeGreaterThan(300 - 48);
  await server.close(1_000);
});

test('what is answered without the HTTP server is waited for when the service stops', async () => {
  const { promise: asked, resolve: noteAsked } = Promise.withResolvers<void>();
  const overload = createOverload({
    ...{ path: '/graphql', maxWaitMs: 200, alwaysTaken: 5, onRefusedEarly: () => {} },
    async answerWhole() {
      noteAsked();
      // Longer than idle connections are kept then.
      await sleep(800);
      return { headers: {}, body: 'here' };
    },
  });
  const handler = overload.limit((_request, response) => response.end('{}'));
  const server = await listen(handler, '127.0.0.1', 0, { onServer: overload.watch });
  onTestFinished(() => server.close(0));
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.on('data', chunk => {
    received += chunk;
  });
  const sent = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';
  socket.write(sent);
  await waitUntil(() => received.endsWith('{}'));
  socket.write(sent);
  await asked;
  await server.close(3_000, overload.stop());
  await waitUntil(() => received.endsWith('here'));
});

/** What urql says with every query. */
const takesAll =
  'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed';

test('who takes streams besides JSON is refused as others are', async () => {
  const ask = await serve(5);
  const answers = await offer(() => ask({ accept: takesAll }), 10, 100);
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(answers.length / 2);
  for (const { status, ms } of answers) expect([status, ms < 3_000]).toEqual([status, true]);
});

test('what turns out to be a stream counts for nothing from then on, whatever else its client takes', async () => {
  const left: ServerResponse[] = [];
  const ask = await serveWith(
    async response => {
      response.write('{');
      response.emit(streamBegun);
      left.push(response);
    },
    { maxWaitMs: 100, alwaysTaken: 2 },
  );
  const asked = Array.from({ length: 20 }, () => ask({ accept: takesAll }));
  await waitUntil(() => left.length === 20);
  await sleep(300);
  asked.push(ask());
  await waitUntil(() => left.length === 21);
  for (const response of left) response.end('}');
  expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
});

test('streams and uploads are never refused, and count for nothing', async () => {
  const ask = await serve(5);
  const long: Record<string, string>[] = [
    { accept: 'text/event-stream' },
    { 'content-type': 'multipart/form-data; boundary=x' },
  ];
  await offer(ask, 10, 20);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(long[index % 2])));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

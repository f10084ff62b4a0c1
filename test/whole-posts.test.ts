import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, type RequestListener, request } from 'node:http';
import { connect } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../src/listen.ts';
import { type AnswerWhole, createWholePosts, type TakenPost } from '../src/whole-posts.ts';
import { waitUntil } from './support/embedded-service.ts';

const refusal = '{"errors":[{"message":"Näin ei käy"}]}';

/** With everything in excess, what the HTTP server answers nevertheless is what was left to it. */
async function serve(
  answerLate: RequestListener = (_request, response) => response.end('"late"'),
  body = refusal,
  answer: AnswerWhole = () => null,
  idleMs?: number,
) {
  const state = { isExcess: true, refused: 0, handled: [] as string[], isHolding: false };
  const held: (() => void)[] = [];
  const inTurn = (call: () => void) => void (state.isHolding ? held.push(call) : call());
  const begin = (post: TakenPost) => {
    const answering = post.answer();
    if (!answering) return post.handOn();
    void answering.then(isAnswered => {
      if (!isAnswered) post.handOn();
    });
  };
  const whole = createWholePosts({
    path: '/graphql',
    isExcess: () => state.isExcess,
    refusal: body,
    onRefused: () => state.refused++,
    refuse: inTurn,
    take: post => inTurn(() => begin(post)),
    answer,
  });
  const server = await listen(
    (request, response) => {
      state.handled.push(`${request.method} ${request.url}`);
      request.resume();
      answerLate(request, response);
    },
    '127.0.0.1',
    0,
    {
      onServer: server => {
        if (idleMs !== undefined)
          Object.assign(server, { keepAliveTimeout: idleMs, keepAliveTimeoutBuffer: 0 });
        whole.watch(server);
      },
    },
  );
  onTestFinished(() => server.close(0));
  return { state, held, port: server.port };
}

function createAsk(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return async (headers: Record<string, string> = {}) => {
    const sent = request({ port, method: 'POST', path: '/graphql', agent, headers }).end('{}');
    const [response]: IncomingMessage[] = await once(sent, 'response');
    if (!response) throw new Error('no answer');
    const { statusCode, headers: answered } = response;
    return { status: statusCode, headers: answered, body: await json(response), isReused: sent.reusedSocket };
  };
}

/** A connection on which pieces are sent apart from each other; answers all that came back. */
async function open(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('utf8').on('data', chunk => {
    received += chunk;
  });
  await once(socket, 'connect');
  const statuses = () => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  return {
    async send(...pieces: string[]) {
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(30);
      }
    },
    received: () => received,
    leave: () => socket.destroy(),
    isClosed: () => socket.readableEnded || socket.destroyed,
    async answers(count: number) {
      await waitUntil(() => statuses().length >= count, 2_000);
      return statuses();
    },
  };
}

const whole = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';

describe('a request that came whole', () => {
  test('is refused before the HTTP server sees it, and its connection goes on', async () => {
    const { state, port } = await serve();
    const ask = createAsk(port);
    const first = await ask({ 'x-request-id': 'mine' });
    expect(first).toMatchObject({ status: 503, body: JSON.parse(refusal) });
    expect(first.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'retry-after': '1',
      'x-request-id': 'mine',
    });
    const second = await ask();
    expect(second).toMatchObject({ status: 503, isReused: true });
    expect(second.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(state).toMatchObject({ refused: 2, handled: [] });
    state.isExcess = false;
    expect(await ask()).toMatchObject({ status: 200, body: 'late', isReused: true });
    state.isExcess = true;
    expect(await ask()).toMatchObject({ status: 503, isReused: true });
    expect(state.refused).toBe(3);
  });

  test('says nothing of an id that is no word', async () => {
    const { port } = await serve();
    const { headers } = await createAsk(port)({ 'x-request-id': 'two words' });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the HTTP server gets', () => {
  test.each([
    ['another path', whole.replace('/graphql', '/graphql/')],
    ['another method', whole.replace('POST', 'PUT')],
    [
      'another version',
      whole.replace('HTTP/1.1', 'HTTP/1.0').replace('\r\n\r\n', '\r\nconnection: keep-alive\r\n\r\n'),
    ],
    [
      'a body in pieces of its own',
      whole.replace('content-length: 2', 'transfer-encoding: chunked').replace('{}', '0\r\n\r\n'),
    ],
    ['a body of no length', whole.replace('content-length: 2\r\n', '').replace('{}', '')],
    ['who waits to be asked for the body', whole.replace('host: x', 'host: x\r\nexpect: 100-continue')],
    ['who closes the connection', whole.replace('host: x', 'host: x\r\nConnection: close')],
    ['who would speak otherwise', whole.replace('host: x', 'host: x\r\nupgrade: h2c\r\nconnection: upgrade')],
    ['a head too long to be kept', whole.replace('host: x', `host: x\r\ncookie: ${'x'.repeat(4_096)}`)],
    ['a stream', whole.replace('host: x', 'host: x\r\naccept: text/event-stream')],
    ['an upload', whole.replace('host: x', 'host: x\r\ncontent-type: multipart/form-data; boundary=b')],
  ])('%s', async (_what, text) => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send(text);
    await line.answers(1);
    expect(state).toMatchObject({ refused: 0, handled: [expect.any(String)] });
  });

  test.each([
    ['a length that is none', whole.replace('content-length: 2', 'content-length: 2, 2')],
    ['a length with a gap', whole.replace('content-length: 2', 'content-length : 2')],
    ['a folded line', whole.replace('host: x', 'host: x\r\n y: z')],
    ['two lengths', whole.replace('host: x', 'host: x\r\ncontent-length: 2')],
    ['a line that ends in another way', whole.replace('host: x\r\n', 'host: x\ncontent-length: 9\r\n')],
    ['a line with half an end', whole.replace('host: x', 'host: x\ry')],
  ])('%s, and finds it wrong', async (_what, text) => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send(text);
    expect(await line.answers(1)).toEqual(['400']);
    expect(state.refused).toBe(0);
  });

  test('what has no body, and is known to be whole as well', async () => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send(
      'GET /a HTTP/1.1\r\nhost: x\r\n\r\n',
      whole,
      'GET /b?c HTTP/1.1\r\nhost: x\r\n\r\n',
      whole,
    );
    expect(await line.answers(4)).toEqual(['200', '503', '200', '503']);
    expect(state).toMatchObject({ refused: 2, handled: ['GET /a', 'GET /b?c'] });
  });

  test.each([
    ['a body', 'GET /a HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    ['pieces', 'GET /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a stream', 'GET /a HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n'],
    ['another', 'GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('all after one without a body that may have %s nevertheless', async (_what, first) => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send(first, first.includes('chunked') ? '0\r\n\r\n' : '', whole);
    await line.answers(2);
    expect(state.refused).toBe(0);
  });

  test('what comes in two pieces, and all that follows it', async () => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send(whole.slice(0, -2), '{}', whole);
    expect(await line.answers(2)).toEqual(['200', '200']);
    expect(state.refused).toBe(0);
  });

  test('what begins with a single byte', async () => {
    const { port } = await serve();
    const line = await open(port);
    await line.send('P', whole.slice(1));
    expect(await line.answers(1)).toEqual(['200']);
  });

  test('what looks like a request within another', async () => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send('GET /a HTTP/1.1\r\nhost: x\r\nx: ', whole.replace('2\r\n\r\n{}', '0\r\n\r\n'), whole);
    await line.answers(2);
    expect(state).toMatchObject({ refused: 0, handled: ['GET /a', 'POST /graphql'] });
  });

  test('two that come together', async () => {
    const { state, port } = await serve();
    const line = await open(port);
    await line.send(whole + whole);
    expect(await line.answers(2)).toEqual(['200', '200']);
    expect(state.refused).toBe(0);
  });

  test('what comes before the one ahead of it is answered', async () => {
    const { state, port } = await serve((_request, response) => setTimeout(() => response.end(), 100));
    const line = await open(port);
    state.isExcess = false;
    await line.send(whole);
    state.isExcess = true;
    await line.send(whole);
    expect(await line.answers(2)).toEqual(['200', '200']);
    expect(state.refused).toBe(0);
  });

  test('those of a client that reads no answers', async () => {
    const { state, port } = await serve(undefined, 'x'.repeat(1_000_000));
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    await waitUntil(() => {
      socket.write(whole);
      return state.handled.length > 0;
    });
    expect(state.refused).toBeGreaterThan(0);
  });
});

test('what follows a refusal whose turn has not come waits for it', async () => {
  const { state, held, port } = await serve();
  state.isHolding = true;
  const line = await open(port);
  await line.send(whole, whole.replace('/graphql', '/other'));
  expect(held).toHaveLength(1);
  expect(state.handled).toEqual([]);
  held[0]?.();
  expect(await line.answers(2)).toEqual(['503', '200']);
});

test('however requests are cut into pieces, each is answered once and in order', async () => {
  const answerLate: RequestListener = async (request, response) => response.end(`[${await text(request)}]`);
  let answeredHere = 0;
  const { state, port } = await serve(answerLate, refusal, async ({ body }) => {
    answeredHere++;
    await sleep(randomInt(2));
    return randomInt(3) === 0 ? null : { headers: {}, body: `[${body}]` };
  });
  Object.defineProperty(state, 'isExcess', { get: () => randomInt(4) === 0 });
  const kinds: ((body: string) => string)[] = [
    body => `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    body => `POST /other HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    body =>
      `POST /graphql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n${body}\r\n0\r\n\r\n`,
    () => 'GET /graphql HTTP/1.1\r\nhost: x\r\n\r\n',
  ];
  const weights = [...Array(34).fill(0), 3, 3, 3, 3, 1, 2];
  const askInPieces = async () => {
    const asked = Array.from({ length: 8 }, (_, at) => ({
      kind: weights[randomInt(weights.length)] ?? 0,
      body: String(at),
    }));
    const requests = asked.map(({ kind, body }) => kinds[kind]?.(body) ?? '');
    const whole = requests.join('');
    const ends = requests.map((_, at) => requests.slice(0, at + 1).join('').length);
    const others = Array.from({ length: randomInt(3) === 0 ? 1 + randomInt(3) : 0 }, () =>
      randomInt(whole.length),
    );
    const cuts = [...ends.filter(() => randomInt(12) > 0), ...others].toSorted((one, other) => one - other);
    const line = await open(port);
    let from = 0;
    for (const to of [...cuts, whole.length]) {
      await line.send(whole.slice(from, to));
      from = to;
    }
    await line.answers(asked.length);
    const expected = asked.map(({ kind, body }) => (kind === 3 ? '[]' : `[${body}]`));
    const answers = () => line.received().match(/\[\d?\]|Näin/g) ?? [];
    await waitUntil(() => answers().length === asked.length);
    // One that may be refused has its place nevertheless.
    expect(
      answers().map((each, at) => (each === 'Näin' && asked[at]?.kind === 0 ? expected[at] : each)),
    ).toEqual(expected);
  };
  for (let round = 0; round < 6; round++) await Promise.all(Array.from({ length: 25 }, askInPieces));
  expect(answeredHere).toBeGreaterThan(20);
  expect(state.refused).toBeGreaterThan(20);
});

describe('a request that has to wait', () => {
  const hold = async () => {
    const served = await serve();
    Object.assign(served.state, { isExcess: false, isHolding: true });
    return { ...served, line: await open(served.port) };
  };

  test('is nothing to the HTTP server until its turn', async () => {
    const { state, held, line } = await hold();
    await line.send(whole);
    expect(held).toHaveLength(1);
    expect(state.handled).toEqual([]);
    held[0]?.();
    expect(await line.answers(1)).toEqual(['200']);
    expect(state.handled).toEqual(['POST /graphql']);
    Object.assign(state, { isExcess: true, isHolding: false });
    await line.send(whole);
    expect(await line.answers(2)).toEqual(['200', '503']);
  });

  test('is forgotten when its client leaves', async () => {
    const { state, held, port } = await hold();
    const socket = connect({ port, host: '127.0.0.1' }).resume();
    const closed = once(socket, 'close');
    socket.end(whole);
    await waitUntil(() => held.length === 1);
    await closed;
    held[0]?.();
    await sleep(30);
    expect(state.handled).toEqual([]);
  });

  test('is followed by those that came meanwhile', async () => {
    const { state, held, line } = await hold();
    await line.send(whole, whole.replace('/graphql', '/other'), whole);
    expect(held).toHaveLength(1);
    expect(state.handled).toEqual([]);
    held[0]?.();
    expect(await line.answers(3)).toEqual(['200', '200', '200']);
    expect(state.handled).toEqual(['POST /graphql', 'POST /other', 'POST /graphql']);
  });
});

describe('a request that is answered without the HTTP server', () => {
  const post = (body: string, ...lines: string[]) =>
    [
      'POST /graphql HTTP/1.1',
      'Host: x',
      ...lines,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');

  /** The first of a connection is the HTTP server's. */
  const start = async (answer: AnswerWhole, idleMs?: number) => {
    const served = await serve(undefined, refusal, answer, idleMs);
    served.state.isExcess = false;
    const line = await open(served.port);
    await line.send(post('first'));
    expect(await line.answers(1)).toEqual(['200']);
    return { ...served, line };
  };

  test('has headers and body as the HTTP server would', async () => {
    const posts: { headers: object; body: string }[] = [];
    const { state, line } = await start(async ({ headers, body }) => {
      posts.push({ headers: { ...headers }, body: String(body) });
      return { headers: { 'Content-Type': 'text/plain', 'x-one': '1' }, body: 'Grüße, 猫' };
    });
    const sent = post('Öl', 'X-Odd:\t a: b, c \t', 'Authorization: Bearer x', 'x-empty:');
    await line.send(sent);
    await line.answers(2);
    expect(posts).toEqual([
      {
        headers: {
          host: 'x',
          'x-odd': 'a: b, c',
          authorization: 'Bearer x',
          'x-empty': '',
          'content-length': '3',
        },
        body: 'Öl',
      },
    ]);
    expect(state.handled).toEqual(['POST /graphql']);
    const answer = line.received().split('HTTP/1.1').at(-1);
    expect(answer?.split('\r\n')).toEqual([
      ' 200 OK',
      'Content-Type: text/plain',
      'x-one: 1',
      'content-length: 12',
      expect.stringMatching(/^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/),
      'Connection: keep-alive',
      'Keep-Alive: timeout=75',
      '',
      'Grüße, 猫',
    ]);
  });

  test.each([
    ['short', Buffer.from('Grüße, 猫')],
    ['long', Buffer.from('猫'.repeat(100_000))],
  ])('may be bytes: %s', async (_what, body) => {
    const { line } = await start(async () => ({ headers: {}, body }));
    await line.send(post('a'));
    await waitUntil(() => line.received().endsWith(`\r\n\r\n${body}`), 2_000);
    expect(line.received()).toContain(`content-length: ${body.length}\r\n`);
  });

  test('keeps its place among others', async () => {
    let isOpen = false;
    const { state, line } = await start(async ({ body }) => {
      await waitUntil(() => isOpen);
      return String(body) === 'late' ? null : { headers: {}, body: `<${body}>` };
    });
    await line.send(post('one'), post('late'), post('two'), 'GET /other HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(state.handled).toEqual(['POST /graphql']);
    isOpen = true;
    expect(await line.answers(5)).toEqual(['200', '200', '200', '200', '200']);
    expect([...line.received().matchAll(/<one>|"late"|<two>/g)].map(([each]) => each)).toEqual([
      '"late"',
      '<one>',
      '"late"',
      '"late"',
      '"late"',
    ]);
    expect(state.handled).toEqual(['POST /graphql', 'POST /graphql', 'POST /graphql', 'GET /other']);
  });

  test('may take longer than a connection may be idle, which it may be no longer afterwards', async () => {
    const { state, line } = await start(async post => {
      if (String(post.body) !== 'short') post.keepOpen();
      await sleep(600);
      return String(post.body) === 'handed on' ? null : { headers: {}, body: '"kept"' };
    }, 200);
    await line.send(post('long'));
    expect(await line.answers(2)).toEqual(['200', '200']);
    await line.send(post('handed on'));
    expect(await line.answers(3)).toEqual(['200', '200', '200']);
    expect(state.handled).toEqual(['POST /graphql', 'POST /graphql']);
    expect(line.isClosed()).toBe(false);
    await waitUntil(line.isClosed, 1_000);
    const hasty = await start(async () => {
      await sleep(600);
      return { headers: {}, body: '"cut off"' };
    }, 200);
    await hasty.line.send(post('short'));
    await waitUntil(hasty.line.isClosed, 1_000);
    expect(hasty.line.received()).not.toContain('cut off');
  });

  test('is told when its client leaves, and what it answers then is let go', async () => {
    const left: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { state, line } = await start(async post => {
      post.signal.addEventListener('abort', () => left.push('signal'));
      post.onLeft(() => left.push('stopped'))();
      post.onLeft(() => left.push('left'));
      await promise;
      return { headers: {}, body: 'x'.repeat(100_000) };
    });
    await line.send(post('a'));
    line.leave();
    await waitUntil(() => left.length > 0);
    resolve();
    await sleep(30);
    expect(left.toSorted()).toEqual(['left', 'signal']);
    expect(state.handled).toEqual(['POST /graphql']);
  });

  test.each([
    ['the first of a connection', post('first')],
    ['a header twice', post('a', 'x-a: 1', 'X-A: 2')],
    ['no host', post('a').replace('Host: x\r\n', '')],
    ['a host that is none', post('a').replace('Host: x', 'Host: a b')],
    ['a name that is none', post('a', 'x y: 1')],
    ['a line without a name', post('a', ': 1')],
    ['a line without a colon', post('a', 'x')],
    ['what no header may have', post('a', 'x-a: \x01')],
  ])('is not %s', async (what, sent) => {
    let asked = 0;
    const answer: AnswerWhole = () => {
      asked++;
      return null;
    };
    if (what === 'the first of a connection') {
      const served = await serve(undefined, refusal, answer);
      served.state.isExcess = false;
      const line = await open(served.port);
      await line.send(sent);
      await line.answers(1);
    } else {
      const { line } = await start(answer);
      await line.send(sent);
      await line.answers(2);
    }
    expect(asked).toBe(0);
  });

  test('leaves those that follow it to the HTTP server when that wants them, if its client does not read', async () => {
    const { state, held, port } = await serve(undefined, refusal, async ({ body }) =>
      String(body) === 'late' ? null : { headers: {}, body: Buffer.alloc(4_000_000, 'x') },
    );
    state.isExcess = false;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    const send = async (...pieces: string[]) => {
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(50);
      }
    };
    // The second fills what lies between the two.
    await send(post('first'), post('large'));
    state.isHolding = true;
    await send(post('late'), post('next'), post('last'));
    expect(held).toHaveLength(1);
    state.isHolding = false;
    held[0]?.();
    let statuses = 0;
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      statuses += chunk.split('HTTP/1.1 200').length - 1;
    });
    await waitUntil(() => statuses === 5, 5_000);
    expect(state.handled).toHaveLength(4);
  });

  test('is not one of a client that reads no answers', async () => {
    let asked = 0;
    const { state, port } = await serve(undefined, refusal, async () => {
      asked++;
      return { headers: {}, body: 'x'.repeat(1_000_000) };
    });
    state.isExcess = false;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    await waitUntil(() => {
      socket.write(post('a'));
      return state.handled.length > 1;
    });
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(100);
  });
});

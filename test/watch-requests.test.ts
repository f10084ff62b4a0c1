import { once } from 'node:events';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../src/listen.ts';
import { type AnsweredRequest, watchRequests } from '../src/watch-requests.ts';
import { keepLog } from './support/log-lines.ts';

const signed = `/images/k1.abcdefghijklmnopqrstuv/${'a'.repeat(64)}.jpg/download-9/name.jpg`;

async function serve(level?: string) {
  const kept = keepLog(level);
  const answered: AnsweredRequest[] = [];
  const handler = watchRequests(
    async (request, response) => {
      if (request.url === '/never') return;
      await sleep(5);
      kept.log.debug('at work');
      const [, status = request.url === '/absent' ? 404 : 200] =
        /^\/status\/(\d+)$/.exec(request.url ?? '') ?? [];
      response.writeHead(Number(status)).end('answer');
    },
    { log: kept.log, onAnswered: each => answered.push(each) },
  );
  const server = await listen(handler, '127.0.0.1', 0);
  onTestFinished(() => server.close(0));
  const answers = () => kept.lines().filter(({ msg }) => msg === 'Answered');
  return { ...kept, answers, answered, url: `http://127.0.0.1:${server.port}` };
}

async function ask(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<string | null> {
  const response = await fetch(url, { headers, method });
  await response.text();
  return response.headers.get('x-request-id');
}

describe('the id of a request', () => {
  test('is made where there is none, and sent back', async () => {
    const { url, lines } = await serve();
    const ids = [await ask(url), await ask(url)];
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).not.toBe(ids[0]);
    expect(lines().map(({ requestId }) => requestId)).toEqual([ids[0], ids[0], ids[1], ids[1]]);
  });

  test.each(['a', '1-67891233-abcdef012345678912345678', 'Root=1-67/x+y', 'x'.repeat(128)])(
    'is the one that a proxy gave: %s',
    async given => {
      const { url, lines } = await serve();
      expect(await ask(url, { 'x-request-id': given })).toBe(given);
      expect(lines().map(({ requestId }) => requestId)).toEqual([given, given]);
    },
  );

  test.each(['', 'two words', '"quoted"', '<b>', 'a,b', 'x'.repeat(129), 'ä'])(
    'is not one that is no word: %s',
    async given => {
      const { url } = await serve();
      expect(await ask(url, { 'x-request-id': given })).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});

describe('the line of a request', () => {
  test('tells method, path, status and time', async () => {
    const { url, answers } = await serve('debug');
    await ask(`${url}/absent`, {}, 'POST');
    expect(answers()).toEqual([
      {
        level: 20,
        time: expect.any(String),
        requestId: expect.any(String),
        method: 'POST',
        path: '/absent',
        status: 404,
        ms: expect.any(Number),
        msg: 'Answered',
      },
    ]);
  });

  test('has no query', async () => {
    const { url, text } = await serve();
    await ask(`${url}/graphql?query={s3cret}`, { authorization: 'Bearer s3cret', cookie: 's3cret' });
    expect(text()).toContain('"path":"/graphql"');
    expect(text()).not.toContain('s3cret');
  });

  test('tells the hash of an image, and not what it takes to see it', async () => {
    const { url, answers, text } = await serve('debug');
    await ask(url + signed);
    expect(answers()).toMatchObject([{ path: `/images/…/${'a'.repeat(64)}` }]);
    expect(text()).not.toContain('abcdefghijklmnopqrstuv');
  });

  test('is bounded, whatever the path', async () => {
    const { url, answers } = await serve('debug');
    await ask(`${url}/${'x'.repeat(9_000)}`);
    expect(String(answers()[0]?.path)).toHaveLength(200);
  });

  test.each([200, 404, 503])('is one for debugging where the answer is %i', async status => {
    const { url, answers } = await serve('info');
    await ask(`${url}/status/${status}`);
    expect(answers()).toEqual([]);
  });

  test.each(['/status/500', '/status/502'])('is for everybody where the answer is %s', async path => {
    const { url, answers } = await serve('info');
    await ask(url + path);
    expect(answers()).toMatchObject([{ level: 30, path }]);
  });

  test('says so where the client left', async () => {
    const { url, answers, answered } = await serve('debug');
    const asking = get(`${url}/never`);
    asking.on('error', () => {});
    await once(asking, 'socket');
    setTimeout(() => asking.destroy(), 50);
    await expect.poll(() => answers()).toMatchObject([{ path: '/never', left: true }]);
    expect(answered).toMatchObject([{ status: null }]);
  });
});

describe('who counts requests is told', () => {
  test.each([
    ['/graphql', 'graphql'],
    ['/graphql?query=%7BimageCount%7D', 'graphql'],
    [signed, 'images'],
    ['/sheet', 'sheet'],
    ['/sheet/more', 'other'],
    ['/anything', 'other'],
  ])('that %s belongs to %s', async (path, route) => {
    const { url, answered } = await serve();
    await ask(url + path);
    expect(answered).toMatchObject([{ route, method: 'GET', status: 200 }]);
    expect(answered[0]?.seconds).toBeGreaterThan(0.004);
  });

  test('of methods that mean nothing here as one', async () => {
    const { url, answered } = await serve();
    for (const method of ['PURGE', 'DELETE', 'PROPFIND']) await ask(url, {}, method);
    expect(answered.map(({ method }) => method)).toEqual(['other', 'other', 'other']);
  });
});

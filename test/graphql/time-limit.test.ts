import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { timeHeader } from '../../src/graphql/time-extension.ts';
import { type Answer, openTestService, type TestService, withoutPurge } from '../support/service.ts';

let service: TestService;
let locker: postgres.Sql;
beforeEach(() => open({ OPERATION_TIMEOUT_MS: '700', DATABASE_CONNECTIONS: '1' }));
afterEach(close);

async function open(environment: Record<string, string>): Promise<void> {
  service = await openTestService(environment);
  locker = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
  const source = '{ source: { url: "https://example.com/a.jpg" } }';
  await service.query(
    `mutation { replaceProductImages(input: { productId: 1, images: [${source}] }) { userErrors { message } } }`,
  );
}

async function close(): Promise<void> {
  await locker.end();
  await service.close();
}

/** Statements that touch the images wait, until what it returns is called. */
async function holdImages(): Promise<() => Promise<void>> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: held, resolve: tellHeld } = Promise.withResolvers<void>();
  const holding = locker.begin(async sql => {
    await sql`lock table images in access exclusive mode`;
    tellHeld();
    await released;
  });
  await held;
  service.statements.length = 0;
  return async () => {
    release();
    await holding;
  };
}

function post(query: string, signal?: AbortSignal, headers?: Record<string, string>): Promise<Response> {
  return fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
    signal: signal ?? null,
  });
}

async function untilStatements(count: number): Promise<void> {
  while (withoutPurge(service.statements).length < count) await wait(5);
}

/** A page, then another of what the first brought. */
const twoLevels = '{ product(id: 1) { images { nodes { product { images(first: 1) { nodes { id } } } } } } }';

test('a client that leaves while a statement runs causes no further ones', async () => {
  service.statements.length = 0;
  await service.query(twoLevels);
  expect(withoutPurge(service.statements).length).toBeGreaterThanOrEqual(2);
  const release = await holdImages();
  const leaving = new AbortController();
  const asked = post(twoLevels, leaving.signal).catch(error => error.name);
  await untilStatements(1);
  leaving.abort();
  expect(await asked).toBe('AbortError');
  await wait(50);
  await release();
  await wait(200);
  expect(withoutPurge(service.statements)).toHaveLength(1);
  expect(await service.query('{ imageCount }')).toEqual({ imageCount: 1 });
});

test('a client that leaves while it waits for a connection causes no statement', async () => {
  const one = '{ productImage(id: 1) { id } }';
  service.statements.length = 0;
  await service.query(one);
  const [unwanted] = withoutPurge(service.statements);
  expect(unwanted).toMatch(/^select/);
  const release = await holdImages();
  const first = post('{ productImages { totalCount nodes { id } } }');
  await untilStatements(1);
  const leaving = new AbortController();
  const second = post(one, leaving.signal).catch(error => error.name);
  await wait(100);
  leaving.abort();
  expect(await second).toBe('AbortError');
  await wait(50);
  await release();
  expect((await first).status).toBe(200);
  await wait(100);
  expect(service.statements.filter(text => text.includes('"id" = any') || text.includes('"id" in'))).toEqual(
    [],
  );
  expect(await service.query('{ imageCount }')).toEqual({ imageCount: 1 });
});

test('a query that takes longer than it may is given up, and told to come again', async () => {
  const release = await holdImages();
  const startedAt = performance.now();
  const response = await post(twoLevels);
  const { data, errors } = (await response.json()) as Answer<unknown>;
  expect(performance.now() - startedAt).toBeLessThan(1_500);
  expect([response.status, response.headers.get('retry-after'), data]).toEqual([503, '1', undefined]);
  expect(errors).toEqual([
    {
      message: 'The answer took longer than 700 ms and was given up; try again, or ask for less',
      extensions: { code: 'TIMEOUT' },
    },
  ]);
  await release();
  expect((await post(twoLevels)).status).toBe(200);
});

test('a mutation is not given up halfway', async () => {
  const release = await holdImages();
  const remove = (id: number) => `m${id}: deleteProductImage(id: ${id}) { deletedCount }`;
  const asked = post(`mutation { ${remove(1)} ${remove(2)} }`);
  await wait(1_000);
  await release();
  expect(await (await asked).json()).toEqual({ data: { m1: { deletedCount: 1 }, m2: { deletedCount: 0 } } });
});

describe('large queries', () => {
  const ids = Array.from({ length: 100 }, (_, index) => index + 1).join();
  const large = `{ productsByIds(ids: [${ids}]) { images(first: 5) { nodes { id } } } }`;
  const small = '{ product(id: 1) { id } }';
  const most = 7;

  beforeEach(async () => {
    await close();
    await open({ DATABASE_CONNECTIONS: '20' });
  });

  describe.each([
    ['in the ordinary way', { [timeHeader]: '1' }],
    ['in the short way', {}],
  ])('%s', (_which, headers) => {
    const ask = (signal?: AbortSignal) => post(large, signal, headers);
    const countReading = () => service.statements.filter(text => text.includes('"images"')).length;

    // Those that come for the third time go the short way, if they may.
    beforeEach(async () => {
      for (let times = 0; times < 3; times++) await ask();
    });

    test('take turns, beside which small ones are answered', async () => {
      const release = await holdImages();
      const answers = Array.from({ length: most + 3 }, () => ask());
      await expect.poll(countReading).toBe(most);
      expect((await post(small)).status).toBe(200);
      expect(countReading()).toBe(most);
      await release();
      for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
      expect(countReading()).toBe(most + 3);
    });

    test('that would wait for long are refused, once', async () => {
      const release = await holdImages();
      const first = Array.from({ length: most }, () => ask());
      await expect.poll(countReading).toBe(most);
      const startedAt = performance.now();
      const refused = await ask();
      expect(performance.now() - startedAt).toBeLessThan(1_700);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
      expect(((await refused.json()) as Answer<unknown>).errors).toMatchObject([
        {
          message: 'There is more to do than can be answered in time; try again, or ask for less at a time',
          extensions: { code: 'SERVICE_UNAVAILABLE' },
        },
      ]);
      expect(countReading()).toBe(most);
      await release();
      for (const { status } of await Promise.all(first)) expect(status).toBe(200);
      expect((await ask()).status).toBe(200);
    });

    test('whose client leaves take no turn', async () => {
      const release = await holdImages();
      const first = Array.from({ length: most }, () => ask());
      await expect.poll(countReading).toBe(most);
      const leaving = new AbortController();
      const left = ask(leaving.signal).catch(error => error.name);
      await wait(50);
      leaving.abort();
      expect(await left).toBe('AbortError');
      await wait(50);
      await release();
      await Promise.all(first);
      expect(countReading()).toBe(most);
    });
  });
});

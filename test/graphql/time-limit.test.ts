import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, openTestService, type TestService, withoutPurge } from '../support/service.ts';

let service: TestService;
let locker: postgres.Sql;
beforeEach(async () => {
  service = await openTestService({ OPERATION_TIMEOUT_MS: '700', DATABASE_CONNECTIONS: '1' });
  locker = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
  const source = '{ source: { url: "https://example.com/a.jpg" } }';
  await service.query(
    `mutation { replaceProductImages(input: { productId: 1, images: [${source}] }) { userErrors { message } } }`,
  );
});
afterEach(async () => {
  await locker.end();
  await service.close();
});

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

function post(query: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
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

import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
let other: postgres.Sql;
beforeEach(async () => {
  service = await openTestService();
  other = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
  for (const productId of [1, 2]) await service.query(create(productId));
});
afterEach(async () => {
  await other.end({ timeout: 5 });
  await service.close();
});

test('a product that is locked is refused after two seconds, and others are changed meanwhile', async () => {
  await other.begin(async transaction => {
    await transaction`select from products where id = 1 for update`;
    const locked = send(create(1));
    expect((await send(create(2))).outcome).toBe('200 done');
    const { outcome, timeMs } = await locked;
    expect(outcome).toBe('503 SERVICE_UNAVAILABLE 1');
    expect(timeMs).toBeGreaterThan(1_500);
    expect(timeMs).toBeLessThan(4_000);
  });
  expect((await send(create(1))).outcome).toBe('200 done');
});

test('a pool that is held refuses what waits a second, and health answers', async () => {
  await other.begin(async transaction => {
    await transaction`lock table image_counts in access exclusive mode`;
    const requests = Array.from({ length: 60 }, () => send('{ imageCount }'));
    const health = await fetch(`${service.url}/health`);
    expect(health.status).toBe(200);
    const answers = await Promise.all(requests);
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['503 SERVICE_UNAVAILABLE 1']));
    const soon = answers.filter(({ timeMs }) => timeMs < 1_800);
    expect(soon.length).toBeGreaterThan(20);
    expect(Math.max(...answers.map(({ timeMs }) => timeMs))).toBeLessThan(4_500);
  });
  expect((await send('{ imageCount }')).outcome).toBe('200 done');
});

test('reads that many requests share hold no more than a part of the pool', async () => {
  await other.begin(async transaction => {
    await transaction`lock table products in access exclusive mode`;
    const requests = Array.from({ length: 60 }, () => send('{ product(id: 1) { imagesVersion } }'));
    const { outcome, timeMs } = await send('{ imageCount }');
    expect(outcome).toBe('200 done');
    expect(timeMs).toBeLessThan(1_000);
    const answers = await Promise.all(requests);
    expect(new Set(answers.map(answer => answer.outcome))).toEqual(new Set(['503 SERVICE_UNAVAILABLE 1']));
    expect(Math.max(...answers.map(answer => answer.timeMs))).toBeLessThan(4_500);
  });
});

test('a Postgres that is read-only refuses changes, and reads go on', async () => {
  const [row] = await other<{ name: string }[]>`select current_database() as name`;
  await other.unsafe(`alter database ${row?.name} set default_transaction_read_only = on`);
  await other`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  await expect.poll(async () => (await send('{ imageCount }')).outcome, { timeout: 5_000 }).toBe('200 done');
  const { outcome, timeMs } = await send(create(1));
  expect(outcome).toBe('503 SERVICE_UNAVAILABLE 1');
  expect(timeMs).toBeLessThan(1_000);
});

function create(productId: number): string {
  return `mutation { createProductImage(input: {
    productId: ${productId}, source: { url: "https://shop.example/a.jpg" } }) { userErrors { message } } }`;
}

async function send(query: string): Promise<{ outcome: string; timeMs: number }> {
  const startedAt = performance.now();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  const told = errors ? `${errors[0]?.extensions.code} ${response.headers.get('retry-after')}` : 'done';
  return { outcome: `${response.status} ${told}`, timeMs: performance.now() - startedAt };
}

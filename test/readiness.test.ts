import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createReadiness, type Part, partsOf } from '../src/readiness.ts';
import { openTestService, type TestService } from './support/service.ts';
import { openTcpProxy } from './support/tcp-proxy.ts';

let service: TestService;

beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

async function askReady({ url }: { url: string }): Promise<{ status: number; body: string }> {
  const response = await fetch(`${url}/ready`);
  return { status: response.status, body: await response.text() };
}

const ready = { status: 200, body: 'ready\n' };

describe('a service is ready', () => {
  test('where database and storage answer', async () => {
    expect(await askReady(service)).toEqual(ready);
  });

  test('also where it imports', async () => {
    const importing = await openTestService({ IMPORTING: 'on' });
    onTestFinished(() => importing.close());
    expect(await askReady(importing)).toEqual(ready);
  });

  test('also where a later version has migrated the database', async () => {
    await service.db.execute(
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('of tomorrow', 9999999999999)`,
    );
    expect(await askReady(service)).toEqual(ready);
  });
});

describe('a service is not ready', () => {
  test('where the database lacks a migration of the code', async () => {
    const behind = await openTestService();
    onTestFinished(() => behind.close());
    await behind.db.execute(
      sql`delete from drizzle.__drizzle_migrations
        where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`,
    );
    expect(await askReady(behind)).toEqual({ status: 503, body: 'the database is not up to date\n' });
    expect((await fetch(`${behind.url}/health`)).status).toBe(200);
  });

  test('where the database is frozen, which is told within two seconds', async () => {
    const { service: far, proxy } = await openBehindProxy();
    expect(await askReady(far)).toEqual(ready);
    proxy.freeze();
    const startedAt = performance.now();
    expect(await askReady(far)).toEqual({ status: 503, body: 'the database does not answer\n' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect((await fetch(`${far.url}/health`)).status).toBe(200);
    proxy.thaw();
    await expect.poll(() => askReady(far), { timeout: 10_000 }).toEqual(ready);
  });
});

describe('what is amiss', () => {
  const check = (part: Part['check']) =>
    createReadiness([{ otherwise: 'it fails', check: part }]).findFault();

  test.each<[string, Part['check'], string | null]>([
    ['nothing', async () => null, null],
    ['what a part says', async () => 'it is old', 'it is old'],
    ['that a part fails, without its words', () => Promise.reject(new Error('s3cret')), 'it fails'],
    ['that a part does not answer', () => new Promise(() => {}), 'it fails'],
  ])('is %s', async (_what, part, expected) => {
    expect(await check(part)).toBe(expected);
  });

  test('is the storage where it cannot be read', async () => {
    const storage = { ...service.storage, stat: () => Promise.reject(new Error('EACCES /secret/path')) };
    expect(await createReadiness(partsOf({ storage })).findFault()).toBe('the storage does not answer');
  });

  test('is importing where its worker has stopped looking for work', async () => {
    const worker = { wake() {}, isAlive: () => false, countRunning: () => 0, close: async () => {} };
    const readiness = createReadiness(partsOf({ storage: service.storage, worker }));
    expect(await readiness.findFault()).toBe('importing has stopped');
  });
});

describe('a service that is closed', () => {
  test.each([
    ['goes on for two seconds where somebody asks whether it is ready', true, 1_990, 4_000],
    ['is gone at once where nobody does', false, 0, 1_500],
  ])('and not told for how long to drain %s', async (_what, isAsked, leastMs, mostMs) => {
    const draining = await openTestService({ DRAIN_SECONDS: '' });
    if (isAsked) await askReady(draining);
    const startedAt = performance.now();
    await draining.close();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(leastMs);
    expect(performance.now() - startedAt).toBeLessThan(mostMs);
  });

  test('says so and goes on answering for DRAIN_SECONDS', async () => {
    const draining = await openTestService({ DRAIN_SECONDS: '1' });
    const startedAt = performance.now();
    const closed = draining.close();
    await sleep(50);
    expect(await askReady(draining)).toEqual({ status: 503, body: 'the service is stopping\n' });
    expect((await fetch(`${draining.url}/health`)).status).toBe(200);
    expect(await draining.query('{ __typename }')).toEqual({ __typename: 'Query' });
    await closed;
    expect(performance.now() - startedAt).toBeGreaterThan(990);
    await expect(fetch(`${draining.url}/health`)).rejects.toThrow();
  });
});

async function openBehindProxy() {
  const url = new URL(service.databaseUrl);
  const proxy = await openTcpProxy(Number(url.port));
  url.port = String(proxy.port);
  const far = await openTestService({ DATABASE_URL: url.href });
  onTestFinished(async () => {
    proxy.thaw();
    await far.close();
    await proxy.close();
  });
  return { service: far, proxy };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/data/database.ts';
import { isUnavailability } from '../../src/data/unavailable.ts';
import { useProxiedDatabase } from '../support/proxied-database.ts';

const tested = useProxiedDatabase();

// Drizzle sends a statement only when it is awaited.
const ask = async () => tested.database.db.execute<{ answer: number }>(sql`select 42 as answer`);
const pause = async (seconds: number) => tested.database.db.execute(sql`select pg_sleep(${seconds}::float8)`);

/** How long it took until the refusal, in milliseconds; fails unless it says that another try makes sense. */
async function refusalTime(request: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const error = await request.then(
    () => null,
    reason => reason,
  );
  expect(isUnavailability(error)).toBe(true);
  return performance.now() - startedAt;
}

describe('a pool whose connections are all held', () => {
  test('refuses what waits longer than it may, and goes on as soon as one is free', async () => {
    tested.open();
    const held = [pause(0.35), pause(0.35)];
    expect(await refusalTime(ask())).toBeGreaterThan(250);
    await Promise.all(held);
    expect(await ask()).toEqual([{ answer: 42 }]);
  });

  test('serves in the order in which they came', async () => {
    tested.open({ maxConnections: 1 });
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map(n => pause(0.02).then(() => order.push(n))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('refuses at once when too many wait', async () => {
    tested.open({ maxConnections: 1, maxWaiting: 2 });
    const running = [pause(0.1), pause(0.05), pause(0.05)];
    expect(await refusalTime(ask())).toBeLessThan(40);
    await Promise.all(running);
  });

  test('makes no more connections than it may', async () => {
    tested.open();
    await Promise.all(Array.from({ length: 10 }, () => pause(0.01)));
    expect(tested.proxy.countConnections()).toBe(2);
  });
});

test('a statement that takes too long is ended by Postgres, and its connection is of use again', async () => {
  tested.open({ maxConnections: 1 });
  await ask();
  const time = await refusalTime(pause(10));
  expect(time).toBeGreaterThan(350);
  expect(time).toBeLessThan(1_000);
  const [before] = await tested.database.db.execute(sql`select pg_backend_pid() as pid`);
  await refusalTime(pause(10));
  expect(await tested.database.db.execute(sql`select pg_backend_pid() as pid`)).toEqual([before]);
});

describe('a Postgres that is frozen', () => {
  test.each([
    ['amid a statement', () => ask()],
    ['before a transaction', () => tested.database.db.transaction(async () => {})],
    [
      'amid a transaction',
      () =>
        tested.database.db.transaction(async transaction => {
          await transaction.execute(sql`select 1`);
          tested.proxy.freeze();
          await transaction.execute(sql`select 2`);
        }),
    ],
    [
      'before the commit',
      () =>
        tested.database.db.transaction(async transaction => {
          await transaction.execute(sql`select 1`);
          tested.proxy.freeze();
        }),
    ],
  ])('%s is given up in time, and answers as soon as it can again', async (when, request) => {
    tested.open();
    await ask();
    if (!when.startsWith('amid a t') && when !== 'before the commit') tested.proxy.freeze();
    const time = await refusalTime(request());
    expect(time).toBeGreaterThan(1_300);
    expect(time).toBeLessThan(2_500);
    tested.proxy.thaw();
    expect(await ask()).toEqual([{ answer: 42 }]);
  });
});

describe('a Postgres that dies', () => {
  test('under load leaves no request waiting, and answers at once when it is back', async () => {
    tested.open({ maxConnections: 8 });
    let isOver = false;
    const outcomes = { answered: 0, refused: 0 };
    const load = Array.from({ length: 24 }, async (_, n) => {
      while (!isOver) {
        const request =
          n % 2 === 0
            ? ask()
            : tested.database.db.transaction(async transaction => {
                await transaction.execute(sql`select 1`);
                await transaction.execute(sql`select pg_sleep(0.001)`);
              });
        await request.then(
          () => outcomes.answered++,
          async error => {
            expect(isUnavailability(error)).toBe(true);
            outcomes.refused++;
            await sleep(2);
          },
        );
      }
    });
    for (let kill = 0; kill < 5; kill++) {
      await sleep(60);
      await tested.proxy.refuse();
      await sleep(60);
      await tested.proxy.listen();
      await expect.poll(ask, { interval: 10, timeout: 1_000 }).toEqual([{ answer: 42 }]);
    }
    isOver = true;
    await Promise.all(load);
    expect(outcomes.answered).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(10);
    expect(tested.proxy.countConnections()).toBeLessThanOrEqual(8);
  });

  test('is not asked again by each request while it is away', async () => {
    tested.open();
    await tested.proxy.refuse();
    await refusalTime(ask());
    expect(await refusalTime(ask())).toBeLessThan(20);
    await tested.proxy.listen();
    await expect.poll(ask, { interval: 10, timeout: 300 }).toEqual([{ answer: 42 }]);
  });

  test('and takes an idle connection with it is not noticed by the next request', async () => {
    tested.open();
    await ask();
    tested.proxy.cut();
    await sleep(30);
    expect(await ask()).toEqual([{ answer: 42 }]);
  });
});

test('a connection that is used for long gives way to another, between statements and between transactions', async () => {
  tested.open({ maxConnections: 1, lifetimeMs: 60 });
  const askPid = async (db: Connection) =>
    (await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`))[0]?.pid;
  const pids = new Set<number | undefined>();
  const end = performance.now() + 400;
  while (performance.now() < end) {
    pids.add(await askPid(tested.database.db));
    const [before, after] = await tested.database.db.transaction(async transaction => {
      const first = await askPid(transaction);
      await sleep(5);
      return [first, await askPid(transaction)];
    });
    expect(after).toBe(before);
    pids.add(after);
  }
  // 400 / 60 at the least, but for what making them takes.
  expect(pids.size).toBeGreaterThan(3);
  expect(tested.proxy.countConnections()).toBe(1);
});

test('what is wrong with a statement is no unavailability, and breaks no connection', async () => {
  tested.open({ maxConnections: 1 });
  const error = await tested.database.db.execute(sql`select nonsense`).catch(reason => reason);
  expect(error).toBeInstanceOf(Error);
  expect(isUnavailability(error)).toBe(false);
  await ask();
  expect(tested.proxy.countConnections()).toBe(1);
});

test('a transaction that throws is undone, and its connection is of use again', async () => {
  tested.open({ maxConnections: 1 });
  await tested.database.db.execute(sql`create table if not exists kept (n integer)`);
  const undone = tested.database.db.transaction(async transaction => {
    await transaction.execute(sql`insert into kept values (1)`);
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  expect(await tested.database.db.execute(sql`select count(*)::int as count from kept`)).toEqual([
    { count: 0 },
  ]);
  expect(tested.proxy.countConnections()).toBe(1);
});

test('closing lets what runs finish, and refuses what waits', async () => {
  tested.open({ maxConnections: 1 });
  const running = pause(0.1);
  const waiting = refusalTime(ask());
  await sleep(20);
  await tested.database.close();
  await running;
  expect(await waiting).toBeLessThan(150);
  await refusalTime(ask());
});

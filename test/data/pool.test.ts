import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Connection,
  type DatabaseOptions,
  type OpenDatabase,
  openDatabase,
} from '../../src/data/database.ts';
import { isUnavailability } from '../../src/data/unavailable.ts';
import { createTestDatabase } from '../support/service.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let server: Awaited<ReturnType<typeof createTestDatabase>>;
let proxy: TcpProxy;
let database: OpenDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(async () => {
  proxy = await openTcpProxy(Number(new URL(server.url).port));
});
afterEach(async () => {
  await proxy.close();
  await database.close();
});

function open(options: Partial<DatabaseOptions> = {}): void {
  const url = new URL(server.url);
  url.port = String(proxy.port);
  database = openDatabase(url.href, { maxConnections: 2, waitMs: 300, statementMs: 400, ...options });
}

// Drizzle sends a statement only when it is awaited.
const ask = async () => database.db.execute<{ answer: number }>(sql`select 42 as answer`);
const pause = async (seconds: number) => database.db.execute(sql`select pg_sleep(${seconds}::float8)`);

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
    open();
    const held = [pause(0.35), pause(0.35)];
    expect(await refusalTime(ask())).toBeGreaterThan(250);
    await Promise.all(held);
    expect(await ask()).toEqual([{ answer: 42 }]);
  });

  test('serves in the order in which they came', async () => {
    open({ maxConnections: 1 });
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map(n => pause(0.02).then(() => order.push(n))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('refuses at once when too many wait', async () => {
    open({ maxConnections: 1, maxWaiting: 2 });
    const running = [pause(0.1), pause(0.05), pause(0.05)];
    expect(await refusalTime(ask())).toBeLessThan(40);
    await Promise.all(running);
  });

  test('makes no more connections than it may', async () => {
    open();
    await Promise.all(Array.from({ length: 10 }, () => pause(0.01)));
    expect(proxy.countConnections()).toBe(2);
  });
});

test('a statement that takes too long is ended by Postgres, and its connection is of use again', async () => {
  open({ maxConnections: 1 });
  await ask();
  const time = await refusalTime(pause(10));
  expect(time).toBeGreaterThan(350);
  expect(time).toBeLessThan(1_000);
  const [before] = await database.db.execute(sql`select pg_backend_pid() as pid`);
  await refusalTime(pause(10));
  expect(await database.db.execute(sql`select pg_backend_pid() as pid`)).toEqual([before]);
});

describe('a Postgres that is frozen', () => {
  test.each([
    ['amid a statement', () => ask()],
    ['before a transaction', () => database.db.transaction(async () => {})],
    [
      'amid a transaction',
      () =>
        database.db.transaction(async transaction => {
          await transaction.execute(sql`select 1`);
          proxy.freeze();
          await transaction.execute(sql`select 2`);
        }),
    ],
    [
      'before the commit',
      () =>
        database.db.transaction(async transaction => {
          await transaction.execute(sql`select 1`);
          proxy.freeze();
        }),
    ],
  ])('%s is given up in time, and answers as soon as it can again', async (when, request) => {
    open();
    await ask();
    if (!when.startsWith('amid a t') && when !== 'before the commit') proxy.freeze();
    const time = await refusalTime(request());
    expect(time).toBeGreaterThan(1_300);
    expect(time).toBeLessThan(2_500);
    proxy.thaw();
    expect(await ask()).toEqual([{ answer: 42 }]);
  });
});

describe('a Postgres that dies', () => {
  test('under load leaves no request waiting, and answers at once when it is back', async () => {
    open({ maxConnections: 8 });
    let isOver = false;
    const outcomes = { answered: 0, refused: 0 };
    const load = Array.from({ length: 24 }, async (_, n) => {
      while (!isOver) {
        const request =
          n % 2 === 0
            ? ask()
            : database.db.transaction(async transaction => {
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
      await proxy.refuse();
      await sleep(60);
      await proxy.listen();
      await expect.poll(ask, { interval: 10, timeout: 1_000 }).toEqual([{ answer: 42 }]);
    }
    isOver = true;
    await Promise.all(load);
    expect(outcomes.answered).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(10);
    expect(proxy.countConnections()).toBeLessThanOrEqual(8);
  });

  test('is not asked again by each request while it is away', async () => {
    open();
    await proxy.refuse();
    await refusalTime(ask());
    expect(await refusalTime(ask())).toBeLessThan(20);
    await proxy.listen();
    await expect.poll(ask, { interval: 10, timeout: 300 }).toEqual([{ answer: 42 }]);
  });

  test('and takes an idle connection with it is not noticed by the next request', async () => {
    open();
    await ask();
    proxy.cut();
    await sleep(30);
    expect(await ask()).toEqual([{ answer: 42 }]);
  });
});

test('a connection that is used for long gives way to another, between statements and between transactions', async () => {
  open({ maxConnections: 1, lifetimeMs: 60 });
  const end = performance.now() + 400;
  while (performance.now() < end) {
    expect(await ask()).toEqual([{ answer: 42 }]);
    const inTransaction = database.db.transaction(async transaction => {
      const [before] = await transaction.execute(sql`select pg_backend_pid() as pid`);
      await sleep(5);
      return [before, ...(await transaction.execute(sql`select pg_backend_pid() as pid`))];
    });
    const [before, after] = await inTransaction;
    expect(after).toEqual(before);
  }
  expect(proxy.countConnections()).toBe(1);
});

test('what is wrong with a statement is no unavailability, and breaks no connection', async () => {
  open({ maxConnections: 1 });
  const error = await database.db.execute(sql`select nonsense`).catch(reason => reason);
  expect(error).toBeInstanceOf(Error);
  expect(isUnavailability(error)).toBe(false);
  await ask();
  expect(proxy.countConnections()).toBe(1);
});

test('a transaction that throws is undone, and its connection is of use again', async () => {
  open({ maxConnections: 1 });
  await database.db.execute(sql`create table if not exists kept (n integer)`);
  const undone = database.db.transaction(async transaction => {
    await transaction.execute(sql`insert into kept values (1)`);
    throw new Error('no');
  });
  await expect(undone).rejects.toThrow('no');
  expect(await database.db.execute(sql`select count(*)::int as count from kept`)).toEqual([{ count: 0 }]);
  expect(proxy.countConnections()).toBe(1);
});

describe('a transaction', () => {
  beforeEach(async () => {
    open({ maxConnections: 1 });
    await database.db.execute(sql`create table if not exists kept (n integer)`);
    await database.db.execute(sql`truncate kept`);
  });
  const insert = (db: Connection, n: number) => db.execute(sql`insert into kept values (${n}::int)`);
  const listKept = () => database.db.execute(sql`select n from kept order by n`);

  test('sends what it reads behind BEGIN, which is one round trip; a change waits until it has begun', async () => {
    const sent: string[] = [];
    await database.close();
    open({ maxConnections: 1, onStatement: text => sent.push(text) });
    const read = (db: Connection) => db.execute(sql`select 1`);
    await database.db.transaction(read);
    sent.length = 0;
    proxy.freeze();
    const reading = database.db.transaction(transaction =>
      Promise.all([read(transaction), read(transaction)]),
    );
    await sleep(50);
    expect(sent).toEqual(['begin', 'select 1', 'select 1']);
    proxy.thaw();
    await reading;
    sent.length = 0;
    proxy.freeze();
    const writing = database.db.transaction(transaction =>
      Promise.all([read(transaction), insert(transaction, 1), read(transaction)]),
    );
    await sleep(50);
    expect(sent).toEqual(['begin', 'select 1']);
    proxy.thaw();
    await writing;
    expect(sent).toEqual(['begin', 'select 1', 'insert into kept values ($1::int)', 'select 1', 'commit']);
  });

  test('that cannot begin changes nothing, whatever it says first, and leaves its connection of use', async () => {
    await insert(database.db, 0);
    proxy.garble('begin', 'begun');
    for (const readsFirst of [false, true]) {
      const failing = database.db.transaction(async transaction => {
        if (readsFirst) await transaction.execute(sql`select n from kept for update`);
        await Promise.all([insert(transaction, 1), insert(transaction, 2)]);
      });
      expect(await failing.catch(error => error.cause)).toMatchObject({ code: '42601' });
    }
    proxy.garble('', '');
    expect(await listKept()).toEqual([{ n: 0 }]);
    await database.db.transaction(transaction => insert(transaction, 3));
    expect(await listKept()).toEqual([{ n: 0 }, { n: 3 }]);
    expect(proxy.countConnections()).toBe(1);
  });

  test('one of whose statements failed is undone, though it went on', async () => {
    const failing = database.db.transaction(async transaction => {
      await insert(transaction, 1);
      await transaction.execute(sql`select 1 / 0`).catch(() => {});
    });
    await expect(failing).rejects.toThrow();
    expect(await listKept()).toEqual([]);
  });

  test('that ends before its last statement does is undone with it', async () => {
    const failing = database.db.transaction(async transaction => {
      await insert(transaction, 1);
      transaction.execute(sql`select 1 / 0`).catch(() => {});
      await Promise.resolve();
    });
    await expect(failing).rejects.toThrow();
    expect(await listKept()).toEqual([]);
    await insert(database.db, 2);
    expect(await listKept()).toEqual([{ n: 2 }]);
  });

  test('keeps what stands around a part that failed, and undoes the parts of that with it', async () => {
    await database.db.transaction(async transaction => {
      await insert(transaction, 1);
      const part = transaction.transaction(async outer => {
        await insert(outer, 2);
        const inner = outer.transaction(async innermost => {
          await insert(innermost, 3);
          throw new Error('inner');
        });
        await expect(inner).rejects.toThrow('inner');
        await outer.transaction(last => insert(last, 4));
        throw new Error('outer');
      });
      await expect(part).rejects.toThrow('outer');
      await transaction.transaction(kept => insert(kept, 5));
    });
    expect(await listKept()).toEqual([{ n: 1 }, { n: 5 }]);
  });

  test('which another is put beside that fails at once takes nothing that waited for BEGIN with it', async () => {
    const failing = database.db.transaction(transaction =>
      Promise.all([insert(transaction, 1), Promise.reject(new Error('at once'))]),
    );
    await expect(failing).rejects.toThrow('at once');
    await insert(database.db, 2);
    expect(await listKept()).toEqual([{ n: 2 }]);
    expect(proxy.countConnections()).toBe(1);
  });

  test('that is over sends nothing any more', async () => {
    let late: Promise<unknown> | undefined;
    const failing = database.db.transaction(async transaction => {
      late = (async () => {
        await sleep(30);
        await insert(transaction, 1);
      })();
      late.catch(() => {});
      throw new Error('early');
    });
    await expect(failing).rejects.toThrow('early');
    await expect(late).rejects.toThrow();
    expect(await listKept()).toEqual([]);
  });

  test('in a part of which a statement failed that nobody waited for is undone', async () => {
    const failing = database.db.transaction(async transaction => {
      await insert(transaction, 1);
      await transaction.transaction(async part => {
        part.execute(sql`select 1 / 0`).catch(() => {});
        await Promise.resolve();
      });
    });
    await expect(failing).rejects.toThrow();
    expect(await listKept()).toEqual([]);
    await insert(database.db, 2);
    expect(await listKept()).toEqual([{ n: 2 }]);
  });

  test('behind a statement that failed tells of that one, not of those that were refused for it', async () => {
    const failing = database.db.transaction(async transaction => {
      const first = transaction.execute(sql`select 1 / 0`).catch(() => {});
      await Promise.all([first, insert(transaction, 1)]);
    });
    expect(await failing.catch(error => error.cause ?? error)).toMatchObject({ code: '22012' });
  });

  test('that runs is let finish by a close, which does not take longer', async () => {
    const running = database.db.transaction(async transaction => {
      await insert(transaction, 1);
      await transaction.execute(sql`select pg_sleep(0.1)`);
    });
    await sleep(20);
    const startedAt = performance.now();
    await Promise.all([database.close(), running]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    open();
    expect(await listKept()).toEqual([{ n: 1 }]);
  });
});

test('closing lets what runs finish, and refuses what waits', async () => {
  open({ maxConnections: 1 });
  const running = pause(0.1);
  const waiting = refusalTime(ask());
  await sleep(20);
  await database.close();
  await running;
  expect(await waiting).toBeLessThan(150);
  await refusalTime(ask());
});

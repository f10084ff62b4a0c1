import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { beforeEach, expect, test } from 'vitest';
import type { Connection } from '../../src/data/database.ts';
import { useProxiedDatabase } from '../support/proxied-database.ts';

const tested = useProxiedDatabase();

beforeEach(async () => {
  tested.open({ maxConnections: 1 });
  await tested.database.db.execute(sql`create table if not exists kept (n integer)`);
  await tested.database.db.execute(sql`truncate kept`);
});
const insert = (db: Connection, n: number) => db.execute(sql`insert into kept values (${n}::int)`);
const listKept = () => tested.database.db.execute(sql`select n from kept order by n`);

test('a transaction sends what it reads behind BEGIN, which is one round trip; a change waits until it has begun', async () => {
  const sent: string[] = [];
  await tested.database.close();
  tested.open({ maxConnections: 1, onStatement: text => sent.push(text) });
  const read = (db: Connection) => db.execute(sql`select 1`);
  await tested.database.db.transaction(read);
  sent.length = 0;
  tested.proxy.freeze();
  const reading = tested.database.db.transaction(transaction =>
    Promise.all([read(transaction), read(transaction)]),
  );
  await sleep(50);
  expect(sent).toEqual(['begin', 'select 1', 'select 1']);
  tested.proxy.thaw();
  await reading;
  sent.length = 0;
  tested.proxy.freeze();
  const writing = tested.database.db.transaction(transaction =>
    Promise.all([read(transaction), insert(transaction, 1), read(transaction)]),
  );
  await sleep(50);
  expect(sent).toEqual(['begin', 'select 1']);
  tested.proxy.thaw();
  await writing;
  expect(sent).toEqual(['begin', 'select 1', 'insert into kept values ($1::int)', 'select 1', 'commit']);
});

test('a transaction that cannot begin changes nothing, whatever it says first, and leaves its connection of use', async () => {
  await insert(tested.database.db, 0);
  tested.proxy.garble('begin', 'begun');
  for (const readsFirst of [false, true]) {
    const failing = tested.database.db.transaction(async transaction => {
      if (readsFirst) await transaction.execute(sql`select n from kept for update`);
      await Promise.all([insert(transaction, 1), insert(transaction, 2)]);
    });
    expect(await failing.catch(error => error.cause)).toMatchObject({ code: '42601' });
  }
  tested.proxy.garble('', '');
  expect(await listKept()).toEqual([{ n: 0 }]);
  await tested.database.db.transaction(transaction => insert(transaction, 3));
  expect(await listKept()).toEqual([{ n: 0 }, { n: 3 }]);
  expect(tested.proxy.countConnections()).toBe(1);
});

test('a transaction that cannot be committed is undone, and leaves its connection of use', async () => {
  await insert(tested.database.db, 0);
  tested.proxy.garble('commit', 'comm1t');
  for (let time = 1; time <= 3; time++) {
    const failing = tested.database.db.transaction(transaction => insert(transaction, time));
    expect(await failing.catch(error => error)).toMatchObject({ code: '42601' });
    // In a transaction that failed, this would be refused.
    expect(await listKept()).toEqual([{ n: 0 }]);
  }
  tested.proxy.garble('', '');
  await tested.database.db.transaction(transaction => insert(transaction, 9));
  expect(await listKept()).toEqual([{ n: 0 }, { n: 9 }]);
  expect(tested.proxy.countConnections()).toBe(1);
});

test('a connection that was left in a failed transaction is of use again after the next', async () => {
  await tested.database.db.execute(sql`select 1`);
  await tested.database.db.execute(sql`begin`);
  await tested.database.db.execute(sql`select 1 / 0`).catch(() => {});
  await expect(tested.database.db.transaction(transaction => insert(transaction, 1))).rejects.toThrow();
  await tested.database.db.transaction(transaction => insert(transaction, 2));
  expect(await listKept()).toEqual([{ n: 2 }]);
  expect(tested.proxy.countConnections()).toBe(1);
});

test('a transaction one of whose statements failed is undone, though it went on', async () => {
  const failing = tested.database.db.transaction(async transaction => {
    await insert(transaction, 1);
    await transaction.execute(sql`select 1 / 0`).catch(() => {});
  });
  await expect(failing).rejects.toThrow();
  expect(await listKept()).toEqual([]);
});

test('a transaction that ends before its last statement does is undone with it', async () => {
  const failing = tested.database.db.transaction(async transaction => {
    await insert(transaction, 1);
    transaction.execute(sql`select 1 / 0`).catch(() => {});
    await Promise.resolve();
  });
  await expect(failing).rejects.toThrow();
  expect(await listKept()).toEqual([]);
  await insert(tested.database.db, 2);
  expect(await listKept()).toEqual([{ n: 2 }]);
});

test('a transaction keeps what stands around a part that failed, and undoes the parts of that with it', async () => {
  await tested.database.db.transaction(async transaction => {
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

test('a transaction that fails while a change still waits for BEGIN sends it before the end, not behind it', async () => {
  const failing = tested.database.db.transaction(transaction =>
    Promise.all([insert(transaction, 1), Promise.reject(new Error('at once'))]),
  );
  await expect(failing).rejects.toThrow('at once');
  await insert(tested.database.db, 2);
  expect(await listKept()).toEqual([{ n: 2 }]);
  expect(tested.proxy.countConnections()).toBe(1);
});

test('a transaction that is over sends nothing any more', async () => {
  let late: Promise<unknown> | undefined;
  const failing = tested.database.db.transaction(async transaction => {
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

test('a transaction in a part of which a statement failed that nobody waited for is undone', async () => {
  const failing = tested.database.db.transaction(async transaction => {
    await insert(transaction, 1);
    await transaction.transaction(async part => {
      part.execute(sql`select 1 / 0`).catch(() => {});
      await Promise.resolve();
    });
  });
  await expect(failing).rejects.toThrow();
  expect(await listKept()).toEqual([]);
  await insert(tested.database.db, 2);
  expect(await listKept()).toEqual([{ n: 2 }]);
});

test('a transaction behind a statement that failed tells of that one, not of those that were refused for it', async () => {
  const failing = tested.database.db.transaction(async transaction => {
    const first = transaction.execute(sql`select 1 / 0`).catch(() => {});
    await Promise.all([first, insert(transaction, 1)]);
  });
  expect(await failing.catch(error => error.cause ?? error)).toMatchObject({ code: '22012' });
});

test('a transaction that runs is let finish by a close, which does not take longer', async () => {
  const running = tested.database.db.transaction(async transaction => {
    await insert(transaction, 1);
    await transaction.execute(sql`select pg_sleep(0.1)`);
  });
  await sleep(20);
  const startedAt = performance.now();
  await Promise.all([tested.database.close(), running]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  tested.open();
  expect(await listKept()).toEqual([{ n: 1 }]);
});

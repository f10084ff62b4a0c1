import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Abandonment, findAbandonment, runAbandonable } from '../../src/data/abandonment.ts';
import { createLoaders } from '../../src/data/loaders.ts';
import { shareRead } from '../../src/data/shared-reads.ts';
import { fill, type Image } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

/** A read that notes what it is asked, and answers when it is let. */
function openRead() {
  const asked: (readonly string[])[] = [];
  const letting: PromiseWithResolvers<void>[] = [];
  const read = shareRead(async (keys: readonly string[]) => {
    asked.push(keys);
    const turn = Promise.withResolvers<void>();
    letting.push(turn);
    await turn.promise;
    return keys.map(key => `${key}!`);
  });
  return { read, asked, letting };
}

const turn = () => new Promise(resolve => setImmediate(() => setImmediate(resolve)));

describe('reads of several requests', () => {
  test('that come at once are one, and each is answered its own', async () => {
    const { read, asked, letting } = openRead();
    const answers = Promise.all([read(['a']), read(['b', 'c']), read(['a'])]);
    await turn();
    letting[0]?.resolve();
    expect(await answers).toEqual([['a!'], ['b!', 'c!'], ['a!']]);
    expect(asked).toEqual([['a', 'b', 'c', 'a']]);
  });

  test('are told an error of their own alone', async () => {
    const read = shareRead(async (keys: readonly string[]) => {
      if (keys.includes('bad')) throw new Error('bad is wrong');
      return keys.map(key => `${key}!`);
    });
    const answers = await Promise.allSettled(['a', 'bad', 'b'].map(key => read([key])));
    expect(answers).toMatchObject([
      { value: ['a!'] },
      { reason: { message: 'bad is wrong' } },
      { value: ['b!'] },
    ]);
  });

  test('that come while two are under way wait for one of these, and are one', async () => {
    const { read, asked, letting } = openRead();
    const answers = ['a', 'b', 'c', 'd'].map(async key => {
      await sleep(0);
      return read([key]);
    });
    const early = [read(['x'])];
    await turn();
    early.push(read(['y']));
    await turn();
    letting[0]?.resolve();
    await expect.poll(() => asked.flat().length).toBe(6);
    expect(asked.length).toBeLessThan(6);
    for (const { resolve } of letting) resolve();
    await expect
      .poll(() => {
        for (const { resolve } of letting) resolve();
        return Promise.race([Promise.all([...early, ...answers]), sleep(1, null)]);
      })
      .toEqual([['x!'], ['y!'], ['a!'], ['b!'], ['c!'], ['d!']]);
  });

  test('do not wait long for those that hang', async () => {
    const { read, asked } = openRead();
    for (const key of ['a', 'b', 'c', 'd']) {
      read([key]).catch(() => {});
      await turn();
    }
    expect(asked).toEqual([['a'], ['b']]);
    await expect.poll(() => asked, { timeout: 500, interval: 5 }).toEqual([['a'], ['b'], ['c', 'd']]);
    read(['e']).catch(() => {});
    await expect.poll(() => asked.at(-1), { timeout: 500, interval: 5 }).toEqual(['e']);
  });

  test('share what goes wrong, and no read after it does', async () => {
    let isBroken = true;
    const read = shareRead(async (keys: readonly string[]) => {
      if (isBroken) throw new TypeError('broken');
      return keys;
    });
    const failed = await Promise.allSettled([read(['a']), read(['b'])]);
    expect(failed).toMatchObject([
      { status: 'rejected', reason: { message: 'broken' } },
      { status: 'rejected', reason: { message: 'broken' } },
    ]);
    isBroken = false;
    expect(await read(['a'])).toEqual(['a']);
  });

  test('go on when one of the requests is given up, which is told so', async () => {
    const { read, asked, letting } = openRead();
    const leaving = new Abandonment();
    const left = runAbandonable(leaving, () => read(['left'])).catch(error => error);
    const stayed = read(['stayed']);
    leaving.abandon(new Error('gone'));
    await turn();
    letting[0]?.resolve();
    expect(await stayed).toEqual(['stayed!']);
    expect(await left).toMatchObject({ message: 'gone' });
    expect(asked).toEqual([['stayed']]);
  });

  test.each([
    ['all of them are', true],
    ['some of them are not', false],
  ])('are given up when %s', async (_when, isLast) => {
    let found: Abandonment | undefined;
    let given = 0;
    const read = shareRead(async (keys: readonly string[]) => {
      found = findAbandonment();
      found?.onAbandoned(() => given++);
      return keys;
    });
    const [one, other] = [new Abandonment(), new Abandonment()];
    const answers = [one, other].map(each => runAbandonable(each, () => read(['a'])));
    await Promise.all(answers);
    expect(found?.reason).toBeUndefined();
    one.abandon(new Error('left'));
    if (isLast) other.abandon(new Error('left'));
    expect([found?.reason !== undefined, given]).toEqual([isLast, isLast ? 1 : 0]);
  });

  test('that are large go by themselves', async () => {
    const { read, asked, letting } = openRead();
    const large = (name: string) => Array.from({ length: 25 }, (_, index) => `${name}${index}`);
    const answers = ['a', 'b'].map(name => read(large(name)));
    await turn();
    expect(asked).toEqual([large('a'), large('b')]);
    letting[1]?.resolve();
    expect((await answers[1])?.[24]).toBe('b24!');
    letting[0]?.resolve();
    await answers[0];
  });

  test('have a bound', async () => {
    const { read, asked } = openRead();
    for (let n = 0; n < 500; n++) read(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']).catch(() => {});
    await expect.poll(() => asked.flat().length).toBe(4_000);
    expect(Math.max(...asked.map(keys => keys.length))).toBeLessThanOrEqual(1_000);
  });
});

describe('a service', () => {
  let service: TestService;
  let images: Image[];
  beforeAll(async () => {
    service = await openTestService();
    images = await fill(service, '1', ['a', 'b', 'c', 'd']);
    await service.db.execute(sql`
      insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color)
      values (sha256('x'), 'image/png', 1, 2, 3, 'hash', '#abcdef')`);
    await service.db.execute(
      sql`update images set state = 'UPLOADED', file_hash = sha256('x') where name = 'a'`,
    );
  });
  afterAll(() => service.close());

  test('answers many requests at once with few statements', async () => {
    service.statements.length = 0;
    const rows = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        createLoaders(service.db, 'LIVE').imageById.load(images[n % 4]?.id ?? ''),
      ),
    );
    expect(rows.map(row => row?.id)).toEqual(rows.map((_, n) => images[n % 4]?.id));
    expect(service.statements.length).toBeLessThanOrEqual(5);
  });

  test('never shows strangers what others asked for at the same time', async () => {
    const [first, second] = images.map(({ id }) => id);
    if (!first || !second) throw new Error('There are no images');
    const [live, ready] = [createLoaders(service.db, 'LIVE'), createLoaders(service.db, 'READY')];
    const page = {
      productId: '1',
      group: 'GALLERY',
      limit: 9,
      backward: false,
      after: null,
      before: null,
    } as const;
    const seen = await Promise.all(
      [live, ready, live, ready].map(async loaders => [
        (await loaders.imageById.load(second))?.id,
        (await loaders.imageById.load(first))?.id,
        (await loaders.galleryPage.load(page)).rows.length,
        await loaders.galleryCountByProductId.load('1'),
        await loaders.imageCountByProductId.load('1'),
      ]),
    );
    const all = [second, first, 4, 4, 4];
    const some = [undefined, first, 1, 1, 1];
    expect(seen).toEqual([all, some, all, some]);
  });

  test('shows a request all that was written before it', async () => {
    const { id } = images[3] ?? { id: '' };
    const name = async () => (await createLoaders(service.db, 'LIVE').imageById.load(id))?.name;
    const load = Array.from({ length: 20 }, async () => {
      for (let n = 0; n < 30; n++) await name();
    });
    for (let n = 0; n < 30; n++) {
      await service.db.execute(sql`update images set name = ${`n${n}`} where id = ${id}`);
      expect(await name()).toBe(`n${n}`);
    }
    await Promise.all(load);
  });
});

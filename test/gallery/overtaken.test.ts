import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SetOvertaken } from '../../src/data/set-changes.ts';
import { checkImagesOnProduct } from '../../src/gallery/presence.ts';
import { Problems } from '../../src/gallery/problems.ts';
import { fill, fromUrl, galleryNames, mutate, mutateWell, readGallery, replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

// A change of one set reads it, and writes only where it is still what was read; else it locks it, and begins anew.

let service: TestService;
let other: postgres.Sql;
beforeAll(async () => {
  service = await openTestService();
  other = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
  // The purge that every service begins with.
  await vi.waitFor(() => expect(service.statements).toContain('commit'));
});
afterAll(async () => {
  await other.end({ timeout: 5 });
  await service.close();
});

let lastProduct = 7_000;
let productId = '';
let ids: string[] = [];
beforeEach(async () => {
  productId = String(++lastProduct);
  ids = (await fill(service, productId, ['a', 'b', 'c'])).map(({ id }) => id);
  service.statements.length = 0;
});

const verbs = () => service.statements.map(text => text.trim().replace(/\s.*/s, ''));

/** Statements on this database that wait for a lock. */
async function countWaiting(sql: postgres.TransactionSql): Promise<number> {
  const waiting = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return waiting.length;
}

/** What another process does while it holds the product's lock, which the change begins to wait for. */
async function meanwhile<Result>(
  change: () => Promise<Result>,
  work: (sql: postgres.TransactionSql) => Promise<unknown>,
): Promise<Result> {
  const changing = await other.begin(async sql => {
    await sql`select from products where id = ${productId} for update`;
    const begun = change();
    await vi.waitFor(async () => expect(await countWaiting(sql)).toBe(1), { interval: 5, timeout: 1_500 });
    await work(sql);
    return { begun };
  });
  return changing.begun;
}

async function addX(sql: postgres.TransactionSql): Promise<void> {
  await sql`insert into images (product_id, order_key, position, name, source_url)
    values (${productId}, 'b00', 3, 'x', 'https://example.com/x')`;
  await sql`update products set images_version = images_version + 1 where id = ${productId}`;
}

/** What each does to a, b and c, of whose set another process adds x at the end meanwhile, if told. */
const changes: [what: string, change: () => Promise<unknown>, names: string[], besideX: string[]][] = [
  [
    'a replacement',
    () => replace(service, { productId, images: ['c', 'd', 'a'].map(fromUrl) }),
    ['c', 'd', 'a'],
    ['c', 'd', 'a'],
  ],
  [
    'a replacement by ids',
    () => replace(service, { productId, images: [{ id: ids[2], altText: 'told' }, { id: ids[0] }] }),
    ['c', 'a'],
    ['c', 'a'],
  ],
  [
    'a creation',
    () => mutateWell(service, 'createProductImage', { input: { productId, ...fromUrl('d') } }),
    ['a', 'b', 'c', 'd'],
    ['a', 'b', 'c', 'x', 'd'],
  ],
  [
    'a creation between',
    () => mutateWell(service, 'createProductImage', { input: { productId, position: 1, ...fromUrl('d') } }),
    ['a', 'd', 'b', 'c'],
    ['a', 'd', 'b', 'c', 'x'],
  ],
  [
    'an order',
    () =>
      service.query(
        'mutation ($imageIds: [ID!]!, $productId: ID!) { reorderProductImages(productId: $productId, imageIds: $imageIds) { images { id } } }',
        { productId, imageIds: [ids[2], ids[1]] },
      ),
    ['c', 'b', 'a'],
    ['c', 'b', 'a', 'x'],
  ],
  ['a deletion of all', () => mutateWell(service, 'deleteAllProductImages', { productId }), [], []],
];

describe.each(changes)('%s', (_what, change, names, besideX) => {
  const expectSet = async (expected: string[], version: number) => {
    const { images, imagesVersion, imageCount } = await readGallery(service, productId);
    expect(images.nodes.map(({ name }) => name)).toEqual(expected);
    expect(images.nodes.map(({ position }) => position)).toEqual(expected.map((_, position) => position));
    expect({ imagesVersion, imageCount }).toEqual({ imagesVersion: version, imageCount: expected.length });
  };

  test('by itself is one statement that reads and one that writes', async () => {
    await change();
    expect(verbs()).toEqual(['select', 'with']);
    await expectSet(names, 2);
  });

  test('takes what came in between for what it is', async () => {
    await meanwhile(change, addX);
    expect(verbs()).toEqual(['select', 'with', 'begin', 'select', 'select', 'with', 'commit']);
    await expectSet(besideX, 3);
  });

  test('goes on where the lock was held for nothing', async () => {
    await meanwhile(change, sql => sql`update products set kind = 'SKU' where id = ${productId}`);
    expect(verbs()).toEqual(['select', 'with']);
    await expectSet(names, 2);
  });
});

test.for<[what: string, change: () => Promise<unknown>]>([
  [
    'a replacement that removes, adds, and writes others anew',
    async () => {
      const images = [{ id: ids[2], altText: 'told' }, { id: ids[1], ...fromUrl('new') }, fromUrl('d')];
      return (await replace(service, { productId, images, expectedVersion: 1 })).userErrors;
    },
  ],
  [
    'an order',
    async () => {
      const order = { productId, imageIds: ids.toReversed(), expectedVersion: 1 };
      return (await mutate(service, 'reorderProductImages', order)).userErrors;
    },
  ],
])('%s, of the version before, changes nothing', async ([, change]) => {
  const list = () =>
    other`select * from images where product_id = ${productId} and name <> 'x' order by id`.then(rows => [
      ...rows,
    ]);
  const before = await list();
  const errors = await meanwhile(change, addX);
  expect(errors).toMatchObject([{ code: 'VERSION_CONFLICT' }]);
  expect(await list()).toEqual(before);
  expect(await readGallery(service, productId)).toMatchObject({ imagesVersion: 2, imageCount: 4 });
});

test('what is told to be removed is what was there last', async () => {
  const { removed } = await meanwhile(() => replace(service, { productId, images: [fromUrl('b')] }), addX);
  expect(removed.map(({ name }) => name)).toEqual(['a', 'c', 'x']);
});

test('a set that stays is answered while its product is locked, and raises no version', async () => {
  await other.begin(async sql => {
    await sql`select from products where id = ${productId} for update`;
    const { product, kept } = await replace(service, { productId, images: ['a', 'b', 'c'].map(fromUrl) });
    expect(product).toEqual({ imagesVersion: 1 });
    expect(kept.map(({ id }) => id)).toEqual(ids);
  });
  expect(verbs()).toEqual(['select']);
});

test('a product comes into being with its first images, or is there already', async () => {
  const [filled, created, emptied] = [++lastProduct, ++lastProduct, ++lastProduct].map(String);
  await fill(service, filled as string, ['a', 'b']);
  await mutateWell(service, 'createProductImage', { input: { productId: created, ...fromUrl('a') } });
  expect(verbs()).toEqual(['select', 'with', 'select', 'with']);
  expect(await readGallery(service, filled as string)).toMatchObject({ imagesVersion: 1, imageCount: 2 });
  expect(await readGallery(service, created as string)).toMatchObject({ imagesVersion: 1, imageCount: 1 });
  await fill(service, emptied as string, ['a']);
  await mutateWell(service, 'deleteAllProductImages', { productId: emptied });
  await fill(service, emptied as string, ['b', 'c']);
  expect(await readGallery(service, emptied as string)).toMatchObject({ imagesVersion: 3, imageCount: 2 });
  const { userErrors } = await replace(service, { productId: emptied, images: [], expectedVersion: 0 });
  expect(userErrors).toMatchObject([
    { code: 'VERSION_CONFLICT', message: expect.stringContaining('version 3') },
  ]);
});

test('a product that another process makes meanwhile keeps what is in it', async () => {
  const made = String(++lastProduct);
  let creating: Promise<unknown> | undefined;
  await other.begin(async sql => {
    await sql`insert into products (id, images_version) values (${made}, 1)`;
    await sql`insert into images (product_id, order_key, position, name) values (${made}, 'a0', 0, 'x')`;
    creating = mutateWell(service, 'createProductImage', { input: { productId: made, ...fromUrl('a') } });
    await expect.poll(() => countWaiting(sql), { interval: 5 }).toBe(1);
  });
  await creating;
  expect(await galleryNames(service, made)).toEqual(['x', 'a']);
  expect(await readGallery(service, made)).toMatchObject({ imagesVersion: 2 });
});

test('of changes at the same time as those of another process none is lost', async () => {
  const each = 60;
  const addByLock = async (key: string) =>
    other.begin(async sql => {
      await sql`select from products where id = ${productId} for update`;
      await sql`
        insert into images (product_id, order_key, position, name)
        select ${productId}, ${key}, count(*), ${key} from images where product_id = ${productId}`;
      await sql`update products set images_version = images_version + 1 where id = ${productId}`;
    });
  const addAll = async () => {
    for (let at = 0; at < each; at++) await addByLock(`b0${digits[at]}`);
  };
  const createAll = async () => {
    for (let at = 0; at < each; at++) {
      const input = { productId, position: at % 3, ...fromUrl(`n${at}`) };
      await mutateWell(service, 'createProductImage', { input });
    }
  };
  await Promise.all([addAll(), createAll()]);
  const { images, imagesVersion } = await readGallery(service, productId);
  expect(imagesVersion).toBe(1 + 2 * each);
  expect(images.nodes.map(({ position }) => position)).toEqual([...Array(3 + 2 * each).keys()]);
  expect(images.nodes.slice(-each).map(({ name }) => name)).toEqual([...digits].map(digit => `b0${digit}`));
  // The other was quicker at times, and at times it was not.
  expect(verbs()).toContain('begin');
  expect(verbs().filter(verb => verb === 'begin').length).toBeLessThan(each);
});

/** Of order keys. */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.slice(0, 60);

test('an image that came back since its set was read is not told to be on another product', async () => {
  const named = [{ id: ids[1] as string, path: ['imageIds', 0] }];
  const checking = checkImagesOnProduct(
    service.db,
    productId,
    [{ id: ids[0] as string }],
    named,
    new Problems(),
  );
  await expect(checking).rejects.toThrow(SetOvertaken);
});

import { generateKeyBetween } from 'fractional-indexing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill, fromUrl, mutateWell, readGallery, replace } from '../support/gallery.ts';
import { expectShortKeys, longKeys, setOrderKeys } from '../support/order-keys.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

let lastProduct = 9_000_000_000;

interface Product {
  productId: string;
  a: string;
  b: string;
  c: string;
  d: string;
}

/** A gallery in which nothing fits between the second and the third; the last is its thumbnail. */
async function furnish(): Promise<Product> {
  const productId = String(++lastProduct);
  const images = await fill(service, productId, ['a', 'b', 'c', 'd']);
  const [a = '', b = '', c = '', d = ''] = images.map(image => image.id);
  await mutateWell(service, 'updateProductImage', { id: d, input: { isThumbnail: true } });
  await setOrderKeys(service, [
    [b, longKeys[0]],
    [c, longKeys[1]],
  ]);
  return { productId, a, b, c, d };
}

/** What is to be right of a product after one change, whatever it was. */
async function expectGallery({ productId, d }: Product, names: readonly string[], version: number) {
  const { images, imagesVersion } = await readGallery(service, productId);
  expect(images.nodes.map(image => image.name)).toEqual(names);
  expect(images.nodes.map(image => image.position)).toEqual(names.map((_, position) => position));
  expect(imagesVersion).toBe(version);
  const data = await service.query('query ($id: ID!) { product(id: $id) { thumbnail { id } } }', {
    id: productId,
  });
  expect(data).toEqual({ product: { thumbnail: { id: d } } });
}

test('between these keys is none that the database takes', async () => {
  const { d } = await furnish();
  await expect(setOrderKeys(service, [[d, generateKeyBetween(...longKeys)]])).rejects.toMatchObject({
    cause: { code: '54000' },
  });
});

const create = (input: object) => mutateWell(service, 'createProductImage', { input });
const update = (id: string, input: object) => mutateWell(service, 'updateProductImage', { id, input });
const reorder = (productId: string, imageIds: string[]) =>
  mutateWell(service, 'reorderProductImages', { productId, imageIds });

interface Case {
  how: string;
  run: (product: Product) => Promise<unknown>;
  names: string[];
}

const changes: Case[] = [
  {
    how: 'createProductImage in between',
    run: async ({ productId }) => {
      const { image } = await create({ productId, ...fromUrl('new'), position: 2 });
      expect(image).toMatchObject({ name: 'new', position: 2 });
    },
    names: ['a', 'b', 'new', 'c', 'd'],
  },
  {
    how: 'createProductImage at the end',
    run: ({ productId }) => create({ productId, ...fromUrl('new') }),
    names: ['a', 'b', 'c', 'd', 'new'],
  },
  {
    how: 'createProductImage with an idempotency key',
    run: ({ productId }) =>
      create({ productId, ...fromUrl('new'), position: 2, idempotencyKey: `${productId} new` }),
    names: ['a', 'b', 'new', 'c', 'd'],
  },
  {
    how: 'updateProductImage of the first',
    run: async ({ a }) => {
      const { image } = await update(a, { position: 1 });
      expect(image).toMatchObject({ name: 'a', position: 1 });
    },
    names: ['b', 'a', 'c', 'd'],
  },
  {
    how: 'updateProductImage of the last',
    run: async ({ d }) => {
      const { image } = await update(d, { position: 2 });
      expect(image).toMatchObject({ name: 'd', position: 2, isThumbnail: true });
    },
    names: ['a', 'b', 'd', 'c'],
  },
  {
    how: 'reorderProductImages',
    run: async ({ productId, a, b, c, d }) => {
      const { images } = await reorder(productId, [a, b, d, c]);
      expect(images.map(image => [image.name, image.position])).toEqual([
        ['a', 0],
        ['b', 1],
        ['d', 2],
        ['c', 3],
      ]);
    },
    names: ['a', 'b', 'd', 'c'],
  },
  {
    how: 'replaceProductImages',
    run: async ({ productId }) => {
      const names = ['a', 'b', 'new', 'c', 'd'];
      const replaced = await replace(service, { productId, images: names.map(fromUrl) });
      expect(replaced.userErrors).toEqual([]);
      expect(replaced.images.map(image => image.name)).toEqual(names);
      expect(replaced.added.map(image => image.name)).toEqual(['new']);
      expect(replaced.kept.map(image => image.name)).toEqual(['a', 'b', 'c', 'd']);
    },
    names: ['a', 'b', 'new', 'c', 'd'],
  },
];

describe('keys of a group that became too long are given anew', () => {
  test.for(changes)('by $how', async ({ run, names }) => {
    const product = await furnish();
    await run(product);
    await expectGallery(product, names, 3);
    await expectShortKeys(service, product.productId);
  });

  test('where an image comes from another group', async () => {
    const product = await furnish();
    const { image } = await create({ productId: product.productId, ...fromUrl('f'), type: 'SPIN_360' });
    const moved = await update(image?.id ?? '', { type: 'DETAIL_PICTURE', position: 2 });
    expect(moved.image).toMatchObject({ name: 'f', position: 2 });
    await expectGallery(product, ['a', 'b', 'f', 'c', 'd'], 4);
    await expectShortKeys(service, product.productId);
  });

  test.for(['b', 'c'] as const)('where %s, whose key is too long, is restored', async name => {
    const product = await furnish();
    await mutateWell(service, 'deleteProductImages', { ids: [product[name]] });
    const { images } = await mutateWell(service, 'restoreProductImages', { ids: [product[name]] });
    expect(images).toMatchObject([{ name, position: name === 'b' ? 1 : 2 }]);
    await expectGallery(product, ['a', 'b', 'c', 'd'], 4);
    await expectShortKeys(service, product.productId);
  });

  test('where one is restored whose key another has now', async () => {
    const product = await furnish();
    const { productId, a, b, c } = product;
    const { image } = await create({ productId, ...fromUrl('e') });
    await mutateWell(service, 'deleteProductImages', { ids: [image?.id] });
    await setOrderKeys(service, [
      [image?.id, longKeys[0]],
      [a, 'a0'],
      [b, longKeys[0]],
      [c, longKeys[1]],
    ]);
    await service.db.execute(`update images set replacement_id = '${replacementId}' where id = ${c}`);
    const { images } = await mutateWell(service, 'restoreProductImages', { ids: [image?.id] });
    expect(images).toMatchObject([{ name: 'e', position: 2 }]);
    await expectGallery(product, ['a', 'b', 'e', 'c', 'd'], 5);
    await expectShortKeys(service, productId);
    // By which an image that is still being imported finds one with the same bytes.
    const [row] = await service.db.execute(`select replacement_id from images where id = ${c}`);
    expect(row).toEqual({ replacement_id: replacementId });
  });
});

const replacementId = '00000000-0000-4000-8000-000000000000';

test('a move that takes no new keys for others leaves them theirs, and their time of change', async () => {
  const productId = String(++lastProduct);
  const [a, b, c, d] = await fill(service, productId, ['a', 'b', 'c', 'd']);
  const keys = await expectShortKeys(service, productId);
  await update(d?.id ?? '', { position: 1 });
  const moved = await expectShortKeys(service, productId);
  expect(moved.toSpliced(1, 1)).toEqual(keys.slice(0, 3));
  const { images } = await readGallery(service, productId);
  const times = new Map(images.nodes.map(image => [image.id, image.updatedAt]));
  for (const image of [a, b, c]) expect(times.get(image?.id ?? '')).toBe(image?.updatedAt);
});

test('what takes no new key leaves long ones as they are', async () => {
  const { productId, a, b, c, d } = await furnish();
  const keysOf = () =>
    service.db.execute(
      `select order_key from images where product_id = ${productId} and deleted_at is null order by order_key`,
    );
  const keys = await keysOf();
  await replace(service, { productId, images: ['a', 'b', 'c', 'd'].map(fromUrl) });
  await reorder(productId, [a, b, c, d]);
  expect((await readGallery(service, productId)).imagesVersion).toBe(2);
  await update(b, { altText: 'new' });
  expect(await keysOf()).toEqual(keys);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countAll, fill, type Image, type Problem, readGallery } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

let lastProduct = 6_000_000_000;
const newProduct = () => String(++lastProduct);

interface Deleted {
  deletedCount: number;
  deletedIds: string[];
  deletedImages: (Image & { deletedAt: string | null; restorableUntil: string | null })[];
  userErrors: Problem[];
}

const payload =
  '{ deletedCount deletedIds deletedImages { id name position deletedAt restorableUntil } userErrors { code path message } }';

async function deleteOne(variables: object): Promise<Deleted> {
  const data = await service.query<{ deleteProductImage: Deleted }>(
    `mutation ($id: ID!, $productId: ID, $permanent: Boolean) {
      deleteProductImage(id: $id, productId: $productId, permanent: $permanent) ${payload} }`,
    variables,
  );
  return data.deleteProductImage;
}

async function deleteAll(variables: object): Promise<Deleted> {
  const data = await service.query<{ deleteAllProductImages: Deleted }>(
    `mutation ($productId: ID!, $permanent: Boolean, $dryRun: Boolean) {
      deleteAllProductImages(productId: $productId, permanent: $permanent, dryRun: $dryRun) ${payload} }`,
    variables,
  );
  return data.deleteAllProductImages;
}

async function find(id: string | undefined): Promise<unknown> {
  const data = await service.query<{ productImage: unknown }>(
    'query ($id: ID!) { productImage(id: $id) { id } }',
    { id },
  );
  return data.productImage;
}

describe('deleteProductImage', () => {
  test('takes the image out of every read and closes the gap', async () => {
    const productId = newProduct();
    const [a, b, c] = await fill(service, productId, ['a', 'b', 'c']);
    const total = await countAll(service);
    const result = await deleteOne({ id: b?.id, productId });
    expect(result).toMatchObject({ deletedCount: 1, deletedIds: [b?.id], userErrors: [] });
    expect(result.deletedImages).toMatchObject([{ id: b?.id, name: 'b', position: 1 }]);
    const gallery = await readGallery(service, productId);
    expect(gallery.images.nodes.map(({ id, position }) => [id, position])).toEqual([
      [a?.id, 0],
      [c?.id, 1],
    ]);
    expect(gallery).toMatchObject({ imagesVersion: 2, imageCount: 2 });
    expect(await find(b?.id)).toBeNull();
    expect(await countAll(service)).toBe(total - 1);
    expect(await countAll(service, { productIds: [productId], deleted: true })).toBe(1);
  });

  test('keeps it restorable for thirty days', async () => {
    const [image] = await fill(service, newProduct(), ['a']);
    const { deletedImages } = await deleteOne({ id: image?.id });
    const [deleted] = deletedImages;
    const days =
      (Date.parse(deleted?.restorableUntil ?? '') - Date.parse(deleted?.deletedAt ?? '')) / 86_400_000;
    expect(days).toBe(30);
  });

  test.for([undefined, true])('says that there is no such image (permanent: %s)', async permanent => {
    const { deletedCount, userErrors } = await deleteOne({ id: '999', permanent });
    expect(deletedCount).toBe(0);
    expect(userErrors).toEqual([
      { code: 'IMAGE_NOT_FOUND', path: ['id'], message: 'Product image not found with id: 999' },
    ]);
  });

  test('deletes an image once', async () => {
    const [image] = await fill(service, newProduct(), ['a']);
    await deleteOne({ id: image?.id });
    const { userErrors } = await deleteOne({ id: image?.id });
    expect(userErrors).toMatchObject([{ code: 'IMAGE_NOT_FOUND' }]);
  });

  test('refuses an image of another product', async () => {
    const productId = newProduct();
    const other = newProduct();
    const [image] = await fill(service, productId, ['a']);
    await fill(service, other, ['b']);
    const { userErrors } = await deleteOne({ id: image?.id, productId: other });
    expect(userErrors).toEqual([
      {
        code: 'IMAGE_NOT_ON_PRODUCT',
        path: ['id'],
        message: `image ${image?.id} is on product ${productId}, not on ${other}`,
      },
    ]);
    expect(await find(image?.id)).toEqual({ id: image?.id });
  });

  test('says that it has never seen the product', async () => {
    const [image] = await fill(service, newProduct(), ['a']);
    const { userErrors } = await deleteOne({ id: image?.id, productId: '77777' });
    expect(userErrors).toEqual([
      { code: 'PRODUCT_NOT_FOUND', path: ['productId'], message: 'Product not found with id: 77777' },
    ]);
  });

  test('tells of both ids when both are none', async () => {
    const { userErrors } = await deleteOne({ id: 'x', productId: '' });
    expect(userErrors.map(({ code, path }) => [code, path])).toEqual([
      ['INVALID', ['id']],
      ['INVALID', ['productId']],
    ]);
  });

  test('purges at once when asked to, also what was deleted before', async () => {
    const productId = newProduct();
    const [a, b] = await fill(service, productId, ['a', 'b']);
    await deleteOne({ id: b?.id });
    for (const image of [a, b]) {
      const { deletedIds, userErrors } = await deleteOne({ id: image?.id, permanent: true });
      expect([deletedIds, userErrors]).toEqual([[image?.id], []]);
    }
    expect(await countAll(service, { productIds: [productId], deleted: true })).toBe(0);
    const rows = await service.db.execute(`select id from images where product_id = ${productId}`);
    expect(rows).toHaveLength(0);
  });
});

describe('deleteAllProductImages', () => {
  test('deletes 251 images when there are 251', async () => {
    const productId = newProduct();
    const names = Array.from({ length: 251 }, (_, index) => `n${index}`);
    await fill(service, productId, names);
    const result = await deleteAll({ productId });
    expect(result.deletedCount).toBe(251);
    expect(result.deletedImages.map(image => image.name)).toEqual(names);
    expect(await readGallery(service, productId)).toMatchObject({ imageCount: 0, imagesVersion: 2 });
  });

  test.for(['88888', newProduct()])('is fine without images', async productId => {
    expect(await deleteAll({ productId })).toEqual({
      deletedCount: 0,
      deletedIds: [],
      deletedImages: [],
      userErrors: [],
    });
    expect((await readGallery(service, productId)).imagesVersion).toBe(0);
  });

  test('in a dry run tells what it would delete', async () => {
    const productId = newProduct();
    await fill(service, productId, ['a', 'b']);
    const before = await readGallery(service, productId);
    const { deletedImages } = await deleteAll({ productId, dryRun: true });
    expect(deletedImages.map(image => image.name)).toEqual(['a', 'b']);
    expect(await readGallery(service, productId)).toEqual(before);
  });

  test('leaves other products alone', async () => {
    const [productId, other] = [newProduct(), newProduct()];
    await fill(service, productId, ['a']);
    await fill(service, other, ['b']);
    const before = await readGallery(service, other);
    await deleteAll({ productId });
    expect(await readGallery(service, other)).toEqual(before);
  });

  test('refuses an id that is none', async () => {
    const { userErrors } = await deleteAll({ productId: 'abc' });
    expect(userErrors).toMatchObject([{ code: 'INVALID', path: ['productId'] }]);
  });
});

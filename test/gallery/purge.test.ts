import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { collectFiles, purge } from '../../src/gallery/purge.ts';
import { countAll, fill, fromUrl, mutateWell } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

let lastProduct = 11_000_000_000;
const newProduct = () => String(++lastProduct);
const isStored = async (key: string) => (await service.storage.stat(key)) !== null;
const remove = (ids: string[], permanent = false) =>
  mutateWell(service, 'deleteProductImages', { ids, permanent });

async function letRetentionPass(id: string): Promise<void> {
  await service.db.execute(
    `update images set restorable_until = now() - interval '1 second' where id = ${id}`,
  );
}

async function countRows(table: string, condition: string): Promise<number> {
  const [row] = await service.db.execute<{ count: number }>(
    `select count(*)::int as count from ${table} where ${condition}`,
  );
  return row?.count ?? 0;
}

describe('the purge', () => {
  test('leaves neither row nor file when the retention has passed', async () => {
    const image = await storeImage(service, newProduct(), await drawPicture('#102030'));
    await remove([image.id]);
    await letRetentionPass(image.id);
    expect(await purge(service.db, service.storage)).toEqual({ images: 1, files: 1 });
    expect(await countRows('images', `id = ${image.id}`)).toBe(0);
    expect(await countRows('files', `hash = '\\x${image.hash}'`)).toBe(0);
    expect(await isStored(image.key)).toBe(false);
  });

  test('leaves what can still be restored', async () => {
    const image = await storeImage(service, newProduct(), await drawPicture('#203040'));
    await remove([image.id]);
    expect(await purge(service.db, service.storage)).toEqual({ images: 0, files: 0 });
    const { images } = await mutateWell(service, 'restoreProductImages', { ids: [image.id] });
    expect(images).toMatchObject([{ id: image.id, state: 'UPLOADED' }]);
    expect(await isStored(image.key)).toBe(true);
  });

  test('leaves a file that another image still names, until that goes too', async () => {
    const bytes = await drawPicture('#304050');
    const one = await storeImage(service, newProduct(), bytes);
    const other = await storeImage(service, newProduct(), bytes);
    expect(other.key).toBe(one.key);
    await remove([one.id], true);
    expect(await isStored(one.key)).toBe(true);
    await remove([other.id], true);
    expect(await isStored(one.key)).toBe(false);
  });

  test('leaves a file that a deleted image can come back to', async () => {
    const bytes = await drawPicture('#405060');
    const one = await storeImage(service, newProduct(), bytes);
    const other = await storeImage(service, newProduct(), bytes);
    await remove([other.id]);
    await remove([one.id], true);
    expect(await isStored(one.key)).toBe(true);
  });

  test('takes the bytes at once when a deletion is permanent', async () => {
    const productId = newProduct();
    const image = await storeImage(service, productId, await drawPicture('#506070'));
    await mutateWell(service, 'deleteAllProductImages', { productId, permanent: true });
    expect(await isStored(image.key)).toBe(false);
    expect(await countRows('released_files', 'true')).toBe(0);
  });

  test('takes the bytes that an image leaves for another source', async () => {
    const image = await storeImage(service, newProduct(), await drawPicture('#607080'));
    await mutateWell(service, 'updateProductImage', { id: image.id, input: fromUrl('other.jpg') });
    await collectFiles(service.db, service.storage);
    expect(await isStored(image.key)).toBe(false);
  });

  test('finishes what a crash between bytes and row left', async () => {
    const image = await storeImage(service, newProduct(), await drawPicture('#708090'));
    const broken = { ...service.storage, remove: () => Promise.reject(new Error('disk is gone')) };
    await service.db.execute(`delete from images where id = ${image.id}`);
    await expect(collectFiles(service.db, broken)).rejects.toThrow('disk is gone');
    expect(await countRows('files', `hash = '\\x${image.hash}'`)).toBe(1);
    await service.storage.remove(image.key);
    expect(await collectFiles(service.db, service.storage)).toBe(1);
    expect(await countRows('files', `hash = '\\x${image.hash}'`)).toBe(0);
  });

  test('takes more than a thousand at once, shared by several that run side by side', async () => {
    const productId = newProduct();
    await fill(
      service,
      productId,
      Array.from({ length: 1_000 }, (_, index) => `n${index}`),
    );
    await mutateWell(service, 'deleteAllProductImages', { productId });
    await fill(
      service,
      productId,
      Array.from({ length: 500 }, (_, index) => `m${index}`),
    );
    await mutateWell(service, 'deleteAllProductImages', { productId });
    await service.db.execute(
      `update images set restorable_until = now() - interval '1 second' where product_id = ${productId}`,
    );
    const runs = await Promise.all([1, 2, 3].map(() => purge(service.db, service.storage)));
    expect(runs.reduce((sum, run) => sum + run.images, 0)).toBe(1_500);
    expect(await countAll(service, { productIds: [productId], deleted: true })).toBe(0);
  });
});

test('a service purges by itself', async () => {
  const own = await openTestService({ PURGE_INTERVAL_SECONDS: '1', RETENTION_DAYS: '0' });
  try {
    const image = await storeImage(own, '1', await drawPicture('#8090a0'));
    await mutateWell(own, 'deleteProductImages', { ids: [image.id] });
    await vi.waitFor(async () => expect(await own.storage.stat(image.key)).toBeNull(), { timeout: 5_000 });
  } finally {
    await own.close();
  }
});

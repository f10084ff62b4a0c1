import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BrokenFile, checkFiles } from '../../src/gallery/check-files.ts';
import { purge } from '../../src/gallery/purge.ts';
import { deleteAll, deleteMany } from '../support/mutations.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

const productId = '1';
beforeEach(async () => {
  await deleteAll(service, productId, { permanent: true });
  await purge(service.db, service.storage);
});

async function check(readsBytes: boolean): Promise<{ checked: number; broken: BrokenFile[] }> {
  const broken: BrokenFile[] = [];
  const onBroken = (file: BrokenFile) => void broken.push(file);
  const checked = await checkFiles(service.db, service.storage, { readsBytes, onBroken });
  return { checked, broken };
}

describe.each([
  ['by their sizes', false],
  ['by their bytes', true],
])('a check of files %s', (_how, readsBytes) => {
  test('finds nothing where all are there', async () => {
    for (const color of ['#101010', '#202020']) {
      await storeImage(service, productId, await drawPicture(color));
    }
    expect(await check(readsBytes)).toEqual({ checked: 2, broken: [] });
  });

  test('names the images of a file that is missing, those that can be restored too', async () => {
    const bytes = await drawPicture('#303030');
    const [one, other] = [
      await storeImage(service, productId, bytes),
      await storeImage(service, productId, bytes),
    ];
    await storeImage(service, productId, await drawPicture('#404040'));
    await deleteMany(service, [one.id]);
    await service.storage.remove(one.key);
    const broken = [{ key: one.key, fault: 'is missing', imageIds: [one.id, other.id] }];
    expect(await check(readsBytes)).toEqual({ checked: 2, broken });
  });

  test('finds one that was cut short', async () => {
    const { key } = await storeImage(service, productId, await drawPicture('#505050'));
    await service.storage.write(key, Buffer.from('cut'));
    expect((await check(readsBytes)).broken).toMatchObject([{ key, fault: expect.stringMatching(/^has /) }]);
  });

  test('is silent of one that is being removed', async () => {
    const { key, hash } = await storeImage(service, productId, await drawPicture('#606060'));
    await service.db.execute(`delete from images where file_hash = '\\x${hash}'`);
    await service.storage.remove(key);
    expect(await check(readsBytes)).toEqual({ checked: 1, broken: [] });
  });
});

test('other bytes of the same number are found where bytes are read', async () => {
  const bytes = await drawPicture('#707070');
  const { key, id } = await storeImage(service, productId, bytes);
  await service.storage.write(key, Buffer.alloc(bytes.length));
  expect((await check(false)).broken).toEqual([]);
  expect((await check(true)).broken).toEqual([
    { key, fault: 'has other bytes than were stored', imageIds: [id] },
  ]);
});

test('more files than are read at once are checked, each once', async () => {
  await service.db.execute(`
    insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color)
    select sha256(n::text::bytea), 'image/gif', 1, 1, 1, '', '' from generate_series(1, 1001) as n`);
  await service.db.execute(`
    insert into products (id) values (2);
    insert into images (product_id, order_key, position, name, state, file_hash)
    select 2, 'a' || lpad(n::text, 5, '0'), n - 1, '', 'UPLOADED', sha256(n::text::bytea)
    from generate_series(1, 1001) as n`);
  const { checked, broken } = await check(false);
  expect([checked, broken.length, new Set(broken.map(({ key }) => key)).size]).toEqual([1001, 1001, 1001]);
});

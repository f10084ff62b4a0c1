import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepOriginals } from '../../src/gallery/sweep.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { mutateWell } from '../support/gallery.ts';
import { checkStored, fetchBytes, hashOf, upload } from '../support/import-service.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

const soon = () => new Date(Date.now() + 10_000);
const isStored = async (key: string) => (await service.storage.stat(key)) !== null;

/** Bytes that no row names, as a kill between writing the two leaves them. */
async function orphan(color: string): Promise<{ bytes: Buffer; key: string }> {
  const bytes = await drawPicture(color);
  const key = originalKey(hashOf(bytes), 'png');
  await service.storage.write(key, bytes);
  return { bytes, key };
}

describe('a sweep', () => {
  test('removes bytes that no file is entered for, and no others', async () => {
    const named = await storeImage(service, '1', await drawPicture('#111199'));
    const { key } = await orphan('#222299');
    await service.storage.write('originals/ab/readme.txt', Buffer.from('not ours'));
    expect(await sweepOriginals(service.db, service.storage, soon())).toBe(1);
    expect(await isStored(key)).toBe(false);
    expect(await isStored(named.key)).toBe(true);
    expect(await isStored('originals/ab/readme.txt')).toBe(true);
    await service.storage.remove('originals/ab/readme.txt');
    expect(await sweepOriginals(service.db, service.storage, soon())).toBe(0);
  });

  test('leaves bytes of the last hour, which somebody may be about to name', async () => {
    const { key } = await orphan('#333399');
    expect(await sweepOriginals(service.db, service.storage)).toBe(0);
    expect(await isStored(key)).toBe(true);
    await service.storage.remove(key);
  });

  test('removes what refused uploads left, hundreds of them too', async () => {
    for (let index = 0; index < 510; index += 1) {
      const hash = hashOf(Buffer.from(String(index)));
      await service.storage.write(originalKey(hash, 'gif'), Buffer.from('x'));
    }
    await upload(service, 'no id', 'a.png', await drawPicture('#444499'));
    expect(await sweepOriginals(service.db, service.storage, soon())).toBe(511);
  });

  test('that races with uploads of the same bytes takes none from an image', {
    timeout: 30_000,
  }, async () => {
    let isOver = false;
    let swept = 0;
    const sweeping = (async () => {
      while (!isOver) swept += await sweepOriginals(service.db, service.storage, soon());
    })();
    const bytes = await drawPicture('#555599');
    const key = originalKey(hashOf(bytes), 'png');
    for (let round = 0; round < 60; round += 1) {
      await service.storage.write(key, bytes);
      const { image } = await upload(service, '2', 'a.png', bytes);
      expect(image?.state).toBe('UPLOADED');
      expect((await fetchBytes(image ?? { url: null })).equals(bytes)).toBe(true);
      await mutateWell(service, 'deleteAllProductImages', { productId: '2', permanent: true });
    }
    isOver = true;
    await sweeping;
    expect(swept).toBeGreaterThan(0);
    await checkStored(service);
  });
});

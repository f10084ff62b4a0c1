import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linesOf, replace } from '../support/gallery.ts';
import {
  checkStored,
  hashOf,
  type ImportedImage,
  openImportService,
  retry,
  waitForSet,
} from '../support/import-service.ts';
import type { TestService } from '../support/service.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

let service: TestService;
let sources: SourceServer;
let bytes: Buffer;
beforeAll(async () => {
  [service, sources, bytes] = await Promise.all([
    openImportService(),
    openSourceServer(),
    drawPicture('#654321'),
  ]);
});
afterAll(async () => {
  await service.close();
  await sources.close();
});

let lastProduct = 26_000_000_000;
const newProduct = () => String(++lastProduct);

/** After its first try. */
async function importFrom(path: string): Promise<ImportedImage & { productId: string }> {
  const productId = newProduct();
  await replace(service, { productId, images: [{ source: { url: sources.url(path) } }] });
  const [image] = await waitForSet(service, productId, ({ state }) => state !== 'IMPORTED');
  if (!image) throw new Error('the image is gone');
  return { ...image, productId };
}

describe('retrying', () => {
  test('makes a failed image go again, with all its tries before it', async () => {
    const failed = await importFrom('/missing.png');
    expect(failed).toMatchObject({ state: 'FAILED', failure: { code: 'SOURCE_NOT_FOUND', attempts: 1 } });
    sources.put('/missing.png', bytes);
    const { product, images, userErrors } = await retry(service, [failed.id]);
    expect(userErrors).toEqual([]);
    expect(product).toEqual({ id: failed.productId });
    expect(images).toMatchObject([{ id: failed.id, state: 'IMPORTED', failure: null }]);
    const [image] = await waitForSet(service, failed.productId);
    expect(image).toMatchObject({ id: failed.id, state: 'UPLOADED', contentHash: hashOf(bytes) });
  });

  test('that fails again says so, as after a first try', async () => {
    const failed = await importFrom('/still-missing.png');
    await retry(service, [failed.id]);
    const [image] = await waitForSet(service, failed.productId, ({ state }) => state !== 'IMPORTED');
    expect(image).toMatchObject({ state: 'FAILED', failure: { code: 'SOURCE_NOT_FOUND', attempts: 1 } });
    expect(sources.timesOf('/still-missing.png')).toHaveLength(2);
  });

  test('does not let a waiting image wait', async () => {
    sources.put('/busy.png', response => response.writeHead(503).end());
    const waiting = await importFrom('/busy.png');
    expect(waiting.state).toBe('PENDING');
    await service.db.execute(
      `update images set import_due_at = now() + interval '1 hour', retry_at = now() + interval '1 hour' where id = ${waiting.id}`,
    );
    sources.put('/busy.png', bytes);
    await retry(service, [waiting.id]);
    expect(await waitForSet(service, waiting.productId)).toMatchObject([{ state: 'UPLOADED' }]);
  });

  test('leaves what is stored as it is', async () => {
    sources.put('/stored.png', bytes);
    const stored = await importFrom('/stored.png');
    const { images, userErrors } = await retry(service, [stored.id]);
    expect(userErrors).toEqual([]);
    expect(images).toMatchObject([{ id: stored.id, state: 'UPLOADED', contentHash: hashOf(bytes) }]);
    expect(sources.timesOf('/stored.png')).toHaveLength(1);
  });

  test('of images of several products names no single one, and answers in the order asked', async () => {
    const [one, other] = [await importFrom('/missing-1'), await importFrom('/missing-2')];
    const { product, images } = await retry(service, [other.id, one.id]);
    expect(product).toBeNull();
    expect(images.map(({ id }) => id)).toEqual([other.id, one.id]);
  });

  test('tells all that is wrong, and then retries nothing', async () => {
    const failed = await importFrom('/missing-3');
    const { images, userErrors } = await retry(service, [failed.id, '999', 'x', '-1', failed.id, '']);
    expect(images).toEqual([]);
    expect(linesOf(userErrors).sort()).toEqual([
      expect.stringMatching(/^DUPLICATE_INPUT ids\.4: /),
      expect.stringMatching(/^IMAGE_NOT_FOUND ids\.1: /),
      expect.stringMatching(/^INVALID ids\.2: /),
      expect.stringMatching(/^INVALID ids\.3: /),
      expect.stringMatching(/^INVALID ids\.5: /),
    ]);
    expect(await waitForSet(service, failed.productId)).toMatchObject([{ failure: { attempts: 1 } }]);
    expect(sources.timesOf('/missing-3')).toHaveLength(1);
  });

  test('takes 250 images at the most, and not none', async () => {
    const ids = Array.from({ length: 251 }, (_, index) => String(index + 1));
    expect(linesOf((await retry(service, ids)).userErrors)[0]).toMatch(
      /^BATCH_LIMIT_EXCEEDED ids: .*251.* 250/,
    );
    const none = await retry(service, []);
    expect(none).toMatchObject({ images: [], userErrors: [] });
  });

  test('many times at once imports once for each state that it met, and ends well', async () => {
    const failed = await importFrom('/missing-4');
    sources.put('/missing-4', bytes);
    await Promise.all(Array.from({ length: 20 }, () => retry(service, [failed.id])));
    expect(await waitForSet(service, failed.productId)).toMatchObject([{ state: 'UPLOADED' }]);
    expect(sources.timesOf('/missing-4').length).toBe(2);
  });
});

test('what is stored in the end is what rows name', async () => {
  await checkStored(service);
});

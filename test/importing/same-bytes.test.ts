import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { claimImports } from '../../src/data/import-queue.ts';
import { purge } from '../../src/gallery/purge.ts';
import { mutateWell, readGallery, replace } from '../support/gallery.ts';
import {
  checkStored,
  fetchBytes,
  hashOf,
  type ImportedImage,
  listStored,
  openImportService,
  readImage,
  readSet,
  sendFiles,
  waitForSet,
} from '../support/import-service.ts';
import type { TestService } from '../support/service.ts';
import { holdBack, openSourceServer, type SourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

let service: TestService;
let sources: SourceServer;
beforeAll(async () => {
  [service, sources] = await Promise.all([openImportService(), openSourceServer()]);
});
afterAll(async () => {
  await service.close();
  await sources.close();
});

let lastProduct = 25_000_000_000;
const newProduct = () => String(++lastProduct);
let lastPath = 0;

/** An entry whose address nobody has named before. */
function entryOf(bytes: Buffer, more: object = {}) {
  const path = `/pictures/${++lastPath}`;
  sources.put(path, bytes);
  return { source: { url: sources.url(path) }, ...more };
}

/** As `entryOf`, but the bytes come when `release` is called. */
function heldEntryOf(bytes: Buffer) {
  const held = holdBack(bytes);
  const path = `/pictures/${++lastPath}`;
  sources.put(path, held.answer);
  return { entry: { source: { url: sources.url(path) } }, path, release: held.release };
}

const idsOf = (images: readonly { id: string }[]) => images.map(({ id }) => id);
const isStored = ({ state }: ImportedImage) => state === 'UPLOADED';
const draw = (...colors: string[]) => Promise.all(colors.map(drawPicture));

describe('a replacement from new addresses', () => {
  test('keeps the images whose bytes it brings: ids, texts, in the order told', async () => {
    const productId = newProduct();
    const [red, green, blue] = (await draw('#ff0000', '#00ff00', '#0000ff')) as [Buffer, Buffer, Buffer];
    await replace(service, {
      productId,
      images: [entryOf(red, { altText: 'red one' }), entryOf(green, { altText: 'green' })],
    });
    const [first, second] = await waitForSet(service, productId, isStored);
    const { imagesVersion } = await readGallery(service, productId);
    await replace(service, {
      productId,
      images: [entryOf(blue), entryOf(green), entryOf(red, { altText: 'new text' })],
    });
    const images = await waitForSet(service, productId, isStored);
    expect(images.map(image => image.contentHash)).toEqual([blue, green, red].map(hashOf));
    expect(images.map(image => [image.position, image.altText])).toEqual([
      [0, null],
      [1, 'green'],
      [2, 'new text'],
    ]);
    expect(idsOf(images).slice(1)).toEqual([second?.id, first?.id]);
    expect(images[1]?.sourceUrl).not.toBe(second?.sourceUrl);
    const gallery = await readGallery(service, productId);
    expect(gallery.imageCount).toBe(3);
    expect(gallery.imagesVersion).toBe(imagesVersion + 3);
    const deleted = await service.query<{ imageCount: number }>(
      'query ($id: ID!) { imageCount(filter: { productIds: [$id], deleted: true }) }',
      { id: productId },
    );
    expect(deleted.imageCount).toBe(0);
  });

  test('keeps one image where two entries bring its bytes', async () => {
    const productId = newProduct();
    const [bytes] = (await draw('#ff8000')) as [Buffer];
    await replace(service, { productId, images: [entryOf(bytes)] });
    const [old] = await waitForSet(service, productId, isStored);
    await replace(service, { productId, images: [entryOf(bytes), entryOf(bytes)] });
    const images = await waitForSet(service, productId, isStored);
    expect(images).toHaveLength(2);
    expect(idsOf(images).filter(id => id === old?.id)).toHaveLength(1);
    expect(images.map(image => image.position)).toEqual([0, 1]);
  });

  test('keeps an image that was a frame as one of the gallery, and the other way round', async () => {
    const productId = newProduct();
    const pictures = await draw('#800001', '#800002', '#800003', '#800005', '#800006');
    const [one, other, third, ...more] = pictures as [Buffer, Buffer, Buffer];
    await replace(service, {
      productId,
      // So that the next order keys of the two groups are the same.
      images: [one, ...more].map(bytes => entryOf(bytes)),
      images360: [entryOf(other), entryOf(third)],
    });
    const before = await waitForSet(service, productId, isStored);
    await replace(service, {
      productId,
      images: [entryOf(other)],
      images360: [entryOf(one), entryOf(third)],
    });
    const images = await waitForSet(service, productId, isStored);
    expect(images.map(({ id, type }) => [id, type])).toEqual([
      [before[3]?.id, 'MORE_PHOTO'],
      [before[0]?.id, 'SPIN_360'],
      [before[4]?.id, 'SPIN_360'],
    ]);
  });

  test('keeps the image of the same group where both a photo and a frame have the bytes', async () => {
    const productId = newProduct();
    const [bytes] = (await draw('#800004')) as [Buffer];
    await replace(service, { productId, images: [entryOf(bytes)], images360: [entryOf(bytes)] });
    const before = await waitForSet(service, productId, isStored);
    // The frame comes first.
    await replace(service, { productId, images: [], images360: [entryOf(bytes)] });
    const images = await waitForSet(service, productId, isStored);
    expect(idsOf(images)).toEqual([before[1]?.id]);
  });

  test('keeps the thumbnail', async () => {
    const productId = newProduct();
    const [one, other] = (await draw('#a00001', '#a00002')) as [Buffer, Buffer];
    await replace(service, { productId, images: [entryOf(one), entryOf(other)] });
    const [, second] = await waitForSet(service, productId, isStored);
    await mutateWell(service, 'updateProductImage', { id: second?.id, input: { isThumbnail: true } });
    await replace(service, { productId, images: [entryOf(other), entryOf(one)] });
    await waitForSet(service, productId, isStored);
    const { product } = await service.query<{ product: { thumbnail: { id: string } } }>(
      'query ($id: ID!) { product(id: $id) { thumbnail { id } } }',
      { id: productId },
    );
    expect(product.thumbnail.id).toBe(second?.id);
  });

  test('stays where the removed one is purged just then', async () => {
    const productId = newProduct();
    const [bytes] = (await draw('#a00003')) as [Buffer];
    await replace(service, { productId, images: [entryOf(bytes)] });
    await waitForSet(service, productId, isStored);
    const held = heldEntryOf(bytes);
    const { added, removed } = await replace(service, { productId, images: [held.entry] });
    await service.db.transaction(async transaction => {
      await transaction.execute(`delete from images where id = ${removed[0]?.id}`);
      held.release();
      await vi.waitFor(async () => expect(await countWaiting()).toBe(1));
    });
    const images = await waitForSet(service, productId, isStored);
    expect(idsOf(images)).toEqual(idsOf(added));
  });
});

describe('an import whose image meanwhile', () => {
  test('was given another address has no effect', async () => {
    const productId = newProduct();
    const [late, current] = (await draw('#b00001', '#b00002')) as [Buffer, Buffer];
    const held = heldEntryOf(late);
    const { images } = await replace(service, { productId, images: [held.entry] });
    await vi.waitFor(() => expect(sources.timesOf(held.path)).toHaveLength(1));
    await mutateWell(service, 'updateProductImage', { id: images[0]?.id, input: entryOf(current) });
    const [image] = await waitForSet(service, productId, isStored);
    held.release();
    await vi.waitFor(() => expect(sources.countOpen()).toBe(0));
    await vi.waitFor(async () => expect(await countClaims()).toBe(0));
    expect(await readImage(service, image?.id ?? '')).toMatchObject({ contentHash: hashOf(current) });
  });

  test('was given a file has no effect', async () => {
    const productId = newProduct();
    const [late, current] = (await draw('#b00003', '#b00004')) as [Buffer, Buffer];
    const held = heldEntryOf(late);
    const { images } = await replace(service, { productId, images: [held.entry] });
    await vi.waitFor(() => expect(sources.timesOf(held.path)).toHaveLength(1));
    await giveFile(images[0]?.id ?? '', current);
    held.release();
    await vi.waitFor(() => expect(sources.countOpen()).toBe(0));
    await new Promise(resolve => setTimeout(resolve, 150));
    const [image] = await readSet(service, productId);
    expect(image).toMatchObject({ id: images[0]?.id, state: 'UPLOADED', contentHash: hashOf(current) });
  });

  test('was replaced does not come back', async () => {
    const productId = newProduct();
    const [late, current] = (await draw('#b00005', '#b00006')) as [Buffer, Buffer];
    const held = heldEntryOf(late);
    await replace(service, { productId, images: [held.entry] });
    await vi.waitFor(() => expect(sources.timesOf(held.path)).toHaveLength(1));
    await replace(service, { productId, images: [entryOf(current)] });
    held.release();
    await vi.waitFor(() => expect(sources.countOpen()).toBe(0));
    const images = await waitForSet(service, productId, isStored);
    expect(images.map(image => image.contentHash)).toEqual([hashOf(current)]);
  });

  test('was deleted stays unseen, and is there when it is restored', async () => {
    const productId = newProduct();
    const [late] = (await draw('#b00007')) as [Buffer];
    const held = heldEntryOf(late);
    const { images } = await replace(service, { productId, images: [held.entry] });
    await vi.waitFor(() => expect(sources.timesOf(held.path)).toHaveLength(1));
    await mutateWell(service, 'deleteProductImages', { ids: idsOf(images) });
    held.release();
    await vi.waitFor(() => expect(sources.countOpen()).toBe(0));
    expect(await readSet(service, productId)).toEqual([]);
    await mutateWell(service, 'restoreProductImages', { ids: idsOf(images) });
    const [image] = await waitForSet(service, productId, isStored);
    expect((await fetchBytes(image ?? { url: null })).equals(late)).toBe(true);
  });

  test('was purged leaves no bytes', async () => {
    const productId = newProduct();
    const [late] = (await draw('#b00008')) as [Buffer];
    const held = heldEntryOf(late);
    await replace(service, { productId, images: [held.entry] });
    await vi.waitFor(() => expect(sources.timesOf(held.path)).toHaveLength(1));
    await mutateWell(service, 'deleteAllProductImages', { productId, permanent: true });
    held.release();
    await vi.waitFor(async () => expect((await listStored(service)).join()).toContain(hashOf(late)));
    await vi.waitFor(async () => {
      await purge(service.db, service.storage);
      expect((await listStored(service)).join()).not.toContain(hashOf(late));
    });
  });
});

describe('importing that races with changes', () => {
  test('never takes an image from a file that it was given', { timeout: 30_000 }, async () => {
    const productId = newProduct();
    const [bytes, given] = (await draw('#c00001', '#c00002')) as [Buffer, Buffer];
    for (let round = 0; round < 60; round += 1) {
      const { images } = await replace(service, { productId, images: [1, 2, 3].map(() => entryOf(bytes)) });
      await Promise.all(images.map(({ id }) => giveFile(id, given)));
      for (const image of await readSet(service, productId)) {
        expect(image).toMatchObject({ state: 'UPLOADED', failure: null, contentHash: hashOf(given) });
      }
    }
    await vi.waitFor(async () => expect(await countClaims()).toBe(0));
    const images = await readSet(service, productId);
    expect(images.map(image => image.contentHash)).toEqual([1, 2, 3].map(() => hashOf(given)));
  });

  test('ends with the last set asked for, whoever asks meanwhile', { timeout: 30_000 }, async () => {
    const productId = newProduct();
    const pictures = await draw('#d00001', '#d00002', '#d00003', '#d00004');
    const pick = (seed: number) => pictures.filter((_, index) => (seed >> index) & 1);
    await Promise.all(
      [1, 2, 3].map(async writer => {
        for (let round = 0; round < 30; round += 1) {
          const images = pick((writer * 7 + round * 5) % 16).map(bytes => entryOf(bytes));
          expect((await replace(service, { productId, images })).userErrors).toEqual([]);
        }
      }),
    );
    const last = [pictures[2], pictures[0], pictures[3]].map(bytes => bytes ?? Buffer.alloc(0));
    await replace(service, { productId, images: last.map(bytes => entryOf(bytes)) });
    const images = await waitForSet(service, productId, isStored);
    expect(images.map(image => image.contentHash)).toEqual(last.map(hashOf));
    expect(images.map(image => image.position)).toEqual([0, 1, 2]);
  });
});

test('what somebody else is writing just now is not claimed', async () => {
  const own = await openImportService({ IMPORTING: 'off' });
  try {
    const [bytes] = (await draw('#e00001')) as [Buffer];
    const { images } = await replace(own, { productId: '1', images: [entryOf(bytes), entryOf(bytes)] });
    const options = { limit: 5, leaseMs: 1_000, maxPerHost: 5 };
    await own.db.transaction(async transaction => {
      await transaction.execute(`update images set import_due_at = null where id = ${images[0]?.id}`);
      expect(idsOf(await claimImports(own.db, options))).toEqual([images[1]?.id]);
    });
    expect(await claimImports(own.db, options)).toEqual([]);
  } finally {
    await own.close();
  }
});

test('what is stored in the end is what rows name', async () => {
  await checkStored(service);
});

async function giveFile(id: string, bytes: Buffer): Promise<void> {
  const { data, errors } = await sendFiles<{ updateProductImage: { userErrors: unknown[] } }>(
    service,
    `mutation ($id: ID!, $input: UpdateProductImageInput!) {
      updateProductImage(id: $id, input: $input) { userErrors { code message } } }`,
    { id, input: { source: { file: null } } },
    [{ name: 'given.png', bytes, path: 'variables.input.source.file' }],
  );
  if (errors) throw new Error(JSON.stringify(errors));
  const { userErrors } = data.updateProductImage;
  // A moment ago the import may have found that another image has its bytes.
  if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
}

async function countClaims(): Promise<number> {
  const [row] = await service.db.execute<{ count: number }>(
    `select count(*)::int as count from images where import_claim is not null and deleted_at is null`,
  );
  return row?.count ?? 0;
}

/** Statements that wait for a lock. */
async function countWaiting(): Promise<number> {
  const [row] = await service.db.execute<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

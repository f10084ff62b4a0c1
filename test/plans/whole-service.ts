import { findGoodApiKeys, hadApiKeys, listApiKeys } from '../../src/data/api-keys.ts';
import type { Database } from '../../src/data/database.ts';
import { findFilesAfter, findImageIdsOfFile } from '../../src/data/files.ts';
import { measureImportBacklog } from '../../src/data/import-backlog.ts';
import { claimImports, releaseImport } from '../../src/data/import-queue.ts';
import { createLoaders } from '../../src/data/loaders.ts';
import { hasVariations } from '../../src/data/products.ts';
import { purge } from '../../src/gallery/purge.ts';
import { sweepOriginals } from '../../src/gallery/sweep.ts';
import { exportText, importText } from '../bulk/bulk-files.ts';
import { makeKey } from '../support/credentials.ts';
import { openEventStream } from '../support/event-stream.ts';
import { fromUrl, mutateWell, replace } from '../support/gallery.ts';
import { hashOf, retry, upload, waitForSet } from '../support/import-service.ts';
import { deleteAll, deleteMany } from '../support/mutations.ts';
import type { TestService } from '../support/service.ts';
import { openSourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

const range = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => String(first + index));

/** What is read of products and by ids, as the API and gateways do it, by members of staff and by strangers. */
export async function readProducts(service: TestService): Promise<void> {
  const image = 'nodes { id url } pageInfo { endCursor hasNextPage } totalCount';
  await service.query(
    `query ($ids: [ID!]!, $images: [ID!]!, $known: [_Any!]!) {
      productsByIds(ids: $ids) { kind parent { id } thumbnail { id } imageCount imagesVersion images360 { id }
        first: images(first: 5) { ${image} } last: images(last: 5) { ${image} } }
      productImagesByIds(ids: $images) { id product { marketingColor } }
      _entities(representations: $known) { ... on ProductImage { name } ... on Product { imageCount } }
    }`,
    {
      ids: range(25),
      images: range(100, 5_000),
      known: range(10).flatMap(id => [
        { __typename: 'Product', id },
        { __typename: 'ProductImage', id },
      ]),
    },
  );
  const loaders = createLoaders(service.db, 'READY');
  await loaders.galleryPage.loadMany(
    range(100).map(productId => ({
      ...{ productId, group: 'GALLERY' as const, limit: 5, backward: false },
      ...{ after: 'a0', before: null },
    })),
  );
  for (const loader of [
    loaders.thumbnailByProductId,
    loaders.galleryCountByProductId,
    loaders.imageCountByProductId,
  ]) {
    await loader.loadMany(range(100));
  }
}

/** Every mutation, on a product that has images and a new one. */
export async function changeProducts(service: TestService): Promise<void> {
  const [productId = '', otherId = ''] = await findFullProducts(service.db);
  const ids = await findLiveIds(service.db);
  const { image } = await upload(service, productId, 'new.png', await drawPicture('#123456'));
  const id = image?.id;
  const input = {
    productId,
    ...fromUrl('one.jpg'),
    position: 2,
    isThumbnail: true,
    idempotencyKey: productId,
  };
  await mutateWell(service, 'createProductImage', { input });
  await mutateWell(service, 'createProductImage', { input });
  await mutateWell(service, 'updateProductImage', { id, input: { position: 0, isThumbnail: true } });
  await mutateWell(service, 'updateProductImage', { id, input: { type: 'SPIN_360', ...fromUrl('two.jpg') } });
  await mutateWell(service, 'reorderProductImages', { productId, imageIds: [id] });
  await deleteMany(service, ids, { dryRun: true });
  await deleteMany(service, ids);
  await mutateWell(service, 'restoreProductImages', { ids });
  await deleteMany(service, ids.slice(20), { permanent: true });
  await replace(service, { productId, images: ['three.jpg', 'four.jpg'].map(fromUrl) });
  await deleteAll(service, otherId);
  await deleteAll(service, otherId, { permanent: true });
  await mutateWell(service, 'updateProduct', { id: '90001', input: { kind: 'OFFER', parentId: productId } });
  await hasVariations(service.db, productId);
  await service.query('{ product(id: 90001) { images { nodes { id } totalCount } thumbnail { id } } }');
}

async function findLiveIds(db: Database): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(
    'select id from images where deleted_at is null and id > 40000 order by id limit 100',
  );
  return rows.map(({ id }) => id);
}

/** Such as no change has met yet. */
async function findFullProducts(db: Database): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(
    'select id from products where id between 700 and 1700 and images_version = 1 order by id limit 2',
  );
  return rows.map(({ id }) => id);
}

/** From the queue, with failures and with bytes that are known; `service` imports. */
export async function importImages(service: TestService): Promise<void> {
  const sources = await openSourceServer();
  try {
    const productId = '80001';
    sources.put('/one', await drawPicture('#aa0000'));
    sources.put('/same', await drawPicture('#aa0000'));
    const from = (path: string) => ({ source: { url: sources.url(path) } });
    await replace(service, { productId, images: [from('/one'), from('/missing')] });
    const images = await waitForSet(service, productId);
    await retry(
      service,
      images.map(({ id }) => id),
    );
    await waitForSet(service, productId);
    await replace(service, { productId, images: [from('/same')] });
    await waitForSet(service, productId);
  } finally {
    await sources.close();
  }
  await measureImportBacklog(service.db, 5_000);
}

/** What runs by itself, or from the command line. */
export async function tendStore(service: TestService): Promise<void> {
  const lines = range(600).map(
    n => `${n},https://bulk.example/${n}.jpg,${Number(n) % 2 ? 'true' : 'false'}\n`,
  );
  await importText(service, `product_id,source,is_thumbnail\n${lines.join('')}`);
  for (const task of await claimImports(service.db, { limit: 10, leaseMs: 1_000, maxPerHost: 4 })) {
    await releaseImport(service.db, task, 60_000);
  }
  await measureImportBacklog(service.db, 5_000);
  await exportText(service, 'ndjson');
  await service.db.execute(`update images set deleted_at = now(), restorable_until = now() where id = any(array(
    select generate_series(60000, 61500)))`);
  await purge(service.db, service.storage);
  const bytes = Buffer.from('nobody names them');
  const hash = hashOf(bytes);
  await service.storage.write(`originals/${hash.slice(0, 2)}/${hash}.png`, bytes);
  await sweepOriginals(service.db, service.storage, new Date(Date.now() + 10_000));
  const [file] = await findFilesAfter(service.db, 'ab', 500);
  await findImageIdsOfFile(service.db, file?.hash ?? '');
}

/** Until a change is told; leaves with the test. */
export async function watchProduct(service: TestService): Promise<void> {
  const follow =
    'subscription { productImagesChanged(productId: 5) { product { images { nodes { id } } } } }';
  const stream = await openEventStream(service.url, follow);
  await stream.find(() => true);
  await mutateWell(service, 'updateProductImage', { id: '35', input: { altText: 'Changed' } });
  stream.leave();
}

/** The last of all: from then on the service asks who is there. */
export async function keepKeys(service: TestService): Promise<void> {
  await makeKey(service.db, { isRevoked: true });
  await findGoodApiKeys(service.db);
  await hadApiKeys(service.db);
  await listApiKeys(service.db);
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRunning, kill, postmasterPid, waitUntil } from '../support/embedded-service.ts';
import { type Installation, listTree, openInstallation, type Service } from '../support/process.ts';

/** The images of a product, as their sources; each change raises the version by one. */
interface Gallery {
  version: number;
  sources: string[];
}

/** Changes one product, one change after the other. */
interface Writer {
  productId: string;
  acknowledged: Gallery;
  /** What the last change sent asks for, answered or not. */
  sent: Gallery;
}

const replace = `mutation ($productId: ID!, $images: [ReplaceProductImageInput!]!) {
  changed: replaceProductImages(input: { productId: $productId, images: $images }) { userErrors { message } }
}`;
const removeAll = `mutation ($productId: ID!) {
  changed: deleteAllProductImages(productId: $productId) { userErrors { message } }
}`;
const removeFirst = `mutation ($productId: ID!, $id: ID!) {
  changed: deleteProductImage(productId: $productId, id: $id) { userErrors { message } }
}`;
const gallery = `query ($productId: ID!) {
  product(id: $productId) { imagesVersion imageCount images(first: 250) { nodes { id position sourceUrl } } }
}`;

const writerCount = 4;
/** Of the quickest writer. */
const changesBeforeKill = 30;

let installation: Installation;
let service: Service;

beforeAll(async () => {
  installation = await openInstallation();
  service = await installation.start({ SAMPLE: 'off' });
});

afterAll(async () => installation.close());

describe.each([
  ['the service', false, 100],
  ['the service and its Postgres', true, 200],
])('after kill -9 of %s under load', (_what, killsPostgres, firstProduct) => {
  let writers: Writer[];
  let left: number[];

  beforeAll(async () => {
    const tree = listTree(service.pid);
    const postmaster = postmasterPid(installation.postgresDirectory);
    writers = await writeUntil(firstProduct, async () => {
      await kill(service.pid);
      if (killsPostgres) await kill(postmaster);
    });
    service = await installation.start({ SAMPLE: 'off' });
    left = tree.filter(isRunning);
  });

  test('the start takes less than ten seconds', () => {
    expect(service.startedInMs).toBeLessThan(10_000);
  });

  test('every acknowledged change is there, and every other whole or absent', async () => {
    for (const { productId, acknowledged, sent } of writers) {
      const found = await findGallery(productId);
      expect(acknowledged.version).toBeGreaterThan(0);
      expect([acknowledged, sent]).toContainEqual({ version: found.version, sources: found.sources });
      expect(found.positions).toEqual(found.sources.map((_, index) => index));
      expect(found.count).toBe(found.sources.length);
    }
  });

  test('nothing is left of the processes of before', () => {
    expect(left).toEqual([]);
  });
});

test('after kill -9 of Postgres alone the service answers again, with every acknowledged change', async () => {
  const writer = createWriter('300');
  while (writer.acknowledged.version < 20) await changeNext(writer);
  await kill(postmasterPid(installation.postgresDirectory));
  const killedAt = performance.now();
  await waitUntil(() => answers(), 10_000);
  expect(performance.now() - killedAt).toBeLessThan(5_000);
  const { version, sources } = await findGallery('300');
  expect({ version, sources }).toEqual(writer.acknowledged);
  await changeNext(writer);
  expect(writer.acknowledged).toBe(writer.sent);
});

/** Lets the writers write, and kills amid their changes. */
async function writeUntil(firstProduct: number, killNow: () => Promise<void>): Promise<Writer[]> {
  const writers = Array.from({ length: writerCount }, (_, n) => createWriter(String(firstProduct + n)));
  const { promise: isTime, resolve } = Promise.withResolvers<void>();
  let isKilled = false;
  const writing = writers.map(async writer => {
    while (!isKilled) {
      await changeNext(writer).catch(error => {
        if (!isKilled) throw error;
      });
      if (writer.acknowledged.version === changesBeforeKill) resolve();
    }
  });
  await Promise.race([isTime, Promise.all(writing)]);
  isKilled = true;
  await killNow();
  await Promise.all(writing);
  return writers;
}

function createWriter(productId: string): Writer {
  const empty = { version: 0, sources: [] };
  return { productId, acknowledged: empty, sent: empty };
}

/** Throws when no answer comes. */
async function changeNext(writer: Writer): Promise<void> {
  const { productId, acknowledged } = writer;
  const version = acknowledged.version + 1;
  if (version % 5 === 3) {
    const { ids } = await findGallery(productId);
    writer.sent = { version, sources: acknowledged.sources.slice(1) };
    await send(removeFirst, { productId, id: ids[0] });
  } else if (version % 5 === 0) {
    writer.sent = { version, sources: [] };
    await send(removeAll, { productId });
  } else {
    const sources = [1, 2, 3].map(n => `https://shop.example/${productId}/${version}-${n}.jpg`);
    writer.sent = { version, sources };
    await send(replace, { productId, images: sources.map(url => ({ source: { url } })) });
  }
  writer.acknowledged = writer.sent;
}

async function send(mutation: string, variables: object): Promise<void> {
  const { changed } = await service.query<{ changed: { userErrors: object[] } }>(mutation, variables);
  expect(changed.userErrors).toEqual([]);
}

interface Found {
  imagesVersion: number;
  imageCount: number;
  images: { nodes: { id: string; position: number; sourceUrl: string }[] };
}

async function findGallery(productId: string) {
  const { product } = await service.query<{ product: Found }>(gallery, { productId });
  const { nodes } = product.images;
  return {
    version: product.imagesVersion,
    count: product.imageCount,
    ids: nodes.map(node => node.id),
    positions: nodes.map(node => node.position),
    sources: nodes.map(node => node.sourceUrl),
  };
}

function answers(): Promise<boolean> {
  return service.query('{ imageCount }').then(
    () => true,
    () => false,
  );
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { createLog } from '../../src/log.ts';
import { kill, postmasterPid, waitUntil } from '../support/embedded-service.ts';
import { type EventStream, openEventStream } from '../support/event-stream.ts';
import { type Installation, openInstallation, type Service, within } from '../support/process.ts';

let installation: Installation;
let one: Service;
let two: Service;
let databaseUrl: string;
beforeAll(async () => {
  installation = await openInstallation();
  one = await installation.start({ SAMPLE: 'off' });
  const attached = { directory: installation.postgresDirectory, log: createLog('silent'), attach: true };
  ({ url: databaseUrl } = await openEmbeddedPostgres(attached));
  two = await installation.start({ DATABASE_URL: databaseUrl, DATA_DIR: join(installation.folder, 'two') });
}, 60_000);
afterAll(() => installation?.close());

interface Told {
  productImagesChanged: {
    product: { imagesVersion: number; images: { nodes: { sourceUrl: string; state: string }[] } };
  };
}

const follow =
  'subscription ($id: ID!) { productImagesChanged(productId: $id) { product { imagesVersion images { nodes { sourceUrl state } } } } }';

async function subscribe(service: Service, id: string): Promise<EventStream<Told>> {
  const stream = await openEventStream<Told>(service.url, follow, { id });
  await stream.find(() => true);
  return stream;
}

const subscribeOften = (service: Service, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => subscribe(service, String(1 + (n % 20)))));

const imagesOf = ({ productImagesChanged: { product } }: Told) => product.images.nodes;
const shows = (name: string) => (told: Told) =>
  imagesOf(told).some(image => image.sourceUrl.endsWith(`/${name}.jpg`));

/** In each of the twenty products. */
async function create(service: Service, name: string): Promise<void> {
  const creations = Array.from(
    { length: 20 },
    (_, n) =>
      `n${n}: createProductImage(input: { productId: ${n + 1}, source: { url: "https://shop.example/${name}.jpg" } }) { userErrors { message } }`,
  );
  await service.query(`mutation { ${creations.join('\n')} }`);
}

test('two hundred subscribers are told within a second of changes in another process', async () => {
  const streams = await subscribeOften(one, 200);
  await create(two, 'elsewhere');
  const changedAt = performance.now();
  await Promise.all(streams.map(stream => stream.find(shows('elsewhere'))));
  expect(performance.now() - changedAt).toBeLessThan(1_000);
  for (const stream of streams) stream.leave();
});

test('subscribers of both processes are told of the change after a kill -9 of Postgres', async () => {
  const streams = (await Promise.all([subscribeOften(one, 20), subscribeOften(two, 20)])).flat();
  const postmaster = postmasterPid(installation.postgresDirectory);
  await kill(postmaster);
  await waitUntil(() => hasAnotherPostgres(postmaster));
  await waitUntil(async () => (await fetch(`${two.url}/ready`)).ok);
  await create(two, 'after-kill');
  await Promise.all(streams.map(stream => stream.find(shows('after-kill'), 10_000)));
  for (const stream of streams) stream.leave();
}, 40_000);

test('a subscriber is told of what is imported from a file, and what becomes of it in a worker', async () => {
  const stream = await subscribe(one, '77');
  const path = join(installation.folder, 'images.csv');
  await writeFile(path, 'product_id,source\n77,http://127.0.0.1/forbidden.jpg\n');
  const environment = { DATABASE_URL: databaseUrl, DATA_DIR: join(installation.folder, 'two') };
  expect(await installation.run(['import', path], environment)).toMatchObject({ exitCode: 0 });
  await stream.find(told => imagesOf(told)[0]?.state === 'IMPORTED');
  const worker = installation.spawn(['work'], environment);
  await stream.find(told => imagesOf(told)[0]?.state === 'FAILED', 10_000);
  worker.signal('SIGTERM');
  await within(10_000, 'the end of the worker', worker.ended);
  stream.leave();
}, 40_000);

test('SIGTERM ends open streams so that clients come back, and the service at once', async () => {
  const streams = await subscribeOften(two, 50);
  const { exitCode, stderr } = await within(3_000, 'the end', two.stop());
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const ends = await Promise.all(streams.map(stream => stream.ended));
  expect(new Set(ends)).toEqual(new Set(['cut']));
});

function hasAnotherPostgres(than: number): boolean {
  try {
    return postmasterPid(installation.postgresDirectory) !== than;
  } catch {
    return false;
  }
}

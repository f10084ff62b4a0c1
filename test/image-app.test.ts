import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { openImageApp } from '../src/image-app.ts';
import { createLog } from '../src/log.ts';
import { scrape } from './support/prometheus.ts';
import { openTestService, type TestService } from './support/service.ts';
import { drawPicture, storeImage } from './support/stored-images.ts';

let folder: string;
let images: Awaited<ReturnType<typeof openImageApp>>;
let api: TestService;
let address: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-apart-'));
  const config = parseConfig({ SERVE: 'images', PORT: '0', DATA_DIR: folder });
  images = await openImageApp(config, { log: createLog('silent') });
  api = await openTestService({ SERVE: 'graphql', IMAGES_URL: images.url, DATA_DIR: folder });
  const { id } = await storeImage(api, '7', await drawPicture('#336699'));
  const data = await api.query<{ productImage: { url: string } }>(
    'query ($id: ID!) { productImage(id: $id) { url(transform: {width: 20}) } }',
    { id },
  );
  address = data.productImage.url;
});
afterAll(async () => {
  await api.close();
  await images.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a service without images', () => {
  test('gives addresses of the one that has them, with the same keys', async () => {
    expect(address.startsWith(`${images.url}/images/`)).toBe(true);
    const answer = await fetch(address);
    expect(answer.status).toBe(200);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 20, height: 15 });
  });

  test('has none itself', async () => {
    const { status } = await fetch(address.replace(images.url, api.url));
    expect(status).toBe(404);
  });
});

test('a service of images has no API', async () => {
  expect((await fetch(`${images.url}/graphql?query={imageCount}`)).status).toBe(404);
});

test('a service of images tells how many it made, and nothing of a database', async () => {
  await (await fetch(address)).arrayBuffer();
  const figures = await scrape(`${images.url}/metrics`);
  const made = [...figures].filter(([name]) => name.startsWith('packshot_renders_total{outcome="made"'));
  expect(made).toMatchObject([[expect.anything(), 1]]);
  expect([...figures.keys()].filter(name => /_pool_|_import_queue_/.test(name))).toEqual([]);
});

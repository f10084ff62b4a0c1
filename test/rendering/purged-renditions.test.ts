import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { openImageApp } from '../../src/image-app.ts';
import { createLog } from '../../src/log.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { type Installation, openInstallationForTest } from '../support/process.ts';
import { openTestService, type TestService } from '../support/service.ts';

// What is purged is gone with all that was made of it, whoever purges and whoever hands out images.

interface Uploaded {
  id: string;
  url: string;
  /** Of a rendition. */
  address: string;
}

const side = 600;

async function upload(service: { url: string }, width: number, format: string): Promise<Uploaded> {
  const query = `mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) {
    image { id url address: url(transform: { width: ${width}, format: ${format} }) } userErrors { message } } }`;
  const form = new FormData();
  const input = { productId: '1', source: { file: null } };
  form.set('operations', JSON.stringify({ query, variables: { input } }));
  form.set('map', '{"0": ["variables.input.source.file"]}');
  // No two are the same file.
  const noise = sharp(randomBytes(side * side * 3), { raw: { width: side, height: side, channels: 3 } });
  form.set('0', new Blob([new Uint8Array(await noise.png({ compressionLevel: 0 }).toBuffer())]), 'noise.png');
  const headers = { 'graphql-require-preflight': '1' };
  const response = await fetch(`${service.url}/graphql`, { method: 'POST', headers, body: form });
  const { data } = (await response.json()) as { data: { createProductImage: { image: Uploaded } } };
  return data.createProductImage.image;
}

const ask = async (address: string) => {
  const response = await fetch(address);
  await response.arrayBuffer();
  return response.status;
};

async function purge(service: TestService, id: string): Promise<void> {
  await service.query(
    'mutation ($id: ID!) { deleteProductImage(id: $id, permanent: true) { userErrors { message } } }',
    { id },
  );
}

async function listKept({ dataDirectory }: Installation): Promise<string[]> {
  const names = await readdir(join(dataDirectory, 'renditions'), { recursive: true });
  return names.filter(name => name.endsWith('.webp'));
}

test('whatever is being made of an image while it is purged, nothing of it is handed out afterwards', async () => {
  const service = await openTestService();
  onTestFinished(() => service.close());
  for (const delayMs of [0, 5, 10, 20, 40, 80]) {
    const { id, url, address } = await upload(service, 590, 'AVIF');
    const making = ask(address);
    await sleep(delayMs);
    await purge(service, id);
    await making;
    await waitUntil(async () => (await ask(url)) === 404);
    expect([delayMs, await ask(address), await ask(address)]).toEqual([delayMs, 404, 404]);
  }
});

test('an API without images takes the renditions along that another process keeps', async () => {
  const installation = await openInstallationForTest();
  const secret = 'a-secret-of-more-than-thirty-two-characters';
  const shared = {
    DATA_DIR: installation.dataDirectory,
    SIGNING_KEYS: `main:${secret}`,
    CACHE_MEMORY_BYTES: '0',
  };
  const images = await openImageApp(
    parseConfig({ ...shared, PORT: '0', SERVE: 'images', DRAIN_SECONDS: '0' }),
    { log: createLog('silent') },
  );
  onTestFinished(() => images.close());
  const service = await openTestService({ ...shared, SERVE: 'graphql', IMAGES_URL: images.url });
  onTestFinished(() => service.close());
  const { id, address } = await upload(service, 30, 'WEBP');
  expect(await ask(address)).toBe(200);
  await waitUntil(async () => (await listKept(installation)).length === 1);
  await purge(service, id);
  await waitUntil(async () => (await listKept(installation)).length === 0);
});

test('the command that purges takes renditions along', { timeout: 60_000 }, async () => {
  const installation = await openInstallationForTest();
  const service = await installation.start({
    SAMPLE: 'off',
    RETENTION_DAYS: '0',
    PURGE_INTERVAL_SECONDS: '86400',
  });
  const { id, address } = await upload(service, 30, 'WEBP');
  expect(await ask(address)).toBe(200);
  await waitUntil(async () => (await listKept(installation)).length === 1);
  await service.query('mutation ($id: ID!) { deleteProductImage(id: $id) { userErrors { message } } }', {
    id,
  });
  const purged = await installation.run(['purge'], { RETENTION_DAYS: '0' });
  expect(purged).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Purged 1 images and 1 files'),
  });
  expect(await listKept(installation)).toEqual([]);
  await service.stop();
});

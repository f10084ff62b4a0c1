import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../support/embedded-service.ts';
import { mutateWell } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';

let folder: string;
let service: TestService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-renditions-'));
  service = await openTestService({ DATA_DIR: folder });
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

test('the renditions of an image go with it when it is purged, and no others', async () => {
  const [purged, kept] = await Promise.all([
    storeImage(service, '1', await drawPicture('#112233')),
    storeImage(service, '2', await drawPicture('#445566')),
  ]);
  const addresses = await Promise.all([addressOf(purged.id), addressOf(kept.id)]);
  for (const address of addresses) expect((await fetch(address)).status).toBe(200);
  await waitUntil(async () => (await listRenditions()).length === 2);
  await mutateWell(service, 'deleteAllProductImages', { productId: '1', permanent: true });
  await waitUntil(async () => (await listRenditions()).length === 1);
  expect(await listRenditions()).toEqual([expect.stringContaining(kept.hash)]);
  expect(await Promise.all(addresses.map(async address => (await fetch(address)).status))).toEqual([
    404, 200,
  ]);
});

async function addressOf(id: string): Promise<string> {
  const data = await service.query<{ productImage: { url: string } }>(
    'query ($id: ID!) { productImage(id: $id) { url(transform: {width: 20}) } }',
    { id },
  );
  return data.productImage.url;
}

async function listRenditions(): Promise<string[]> {
  const names = await readdir(join(folder, 'renditions'), { recursive: true });
  return names.filter(name => name.endsWith('.jpg'));
}

import { afterAll, beforeAll, expect, test } from 'vitest';
import { importPath, writeBulkFile } from '../bulk/bulk-files.ts';
import { countAll, replace } from '../support/gallery.ts';
import { openImportService, waitForSet } from '../support/import-service.ts';
import type { TestService } from '../support/service.ts';
import { delay, openSourceServer, type SourceServer } from '../support/source-server.ts';
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

test('an image that somebody adds does not wait for a bulk file with images of the same host', async () => {
  const picture = await drawPicture('teal');
  const names = Array.from({ length: 200 }, (_, index) => `/bulk/${index}.png`);
  for (const name of [...names, '/wanted.png']) sources.put(name, delay(picture, 60));
  const lines = names.map((name, index) => `${500 + index},${sources.url(name)}\n`);
  const path = await writeBulkFile(`product_id,source\n${lines.join('')}`);
  expect(await importPath(service, path)).toMatchObject({ added: 200 });
  await replace(service, { productId: '7', images: [{ source: { url: sources.url('/wanted.png') } }] });
  const [image] = await waitForSet(service, '7');
  expect(image?.state).toBe('UPLOADED');
  expect(await countAll(service, { states: ['IMPORTED'] })).toBeGreaterThan(50);
});

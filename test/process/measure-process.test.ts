import { afterAll, beforeAll, expect, test } from 'vitest';
import { kill, waitUntil } from '../support/embedded-service.ts';
import { paintQuarters } from '../support/painted-image.ts';
import { type Installation, listStarted, openInstallation, type Service } from '../support/process.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';

let installation: Installation;
let sources: SourceServer;
beforeAll(async () => {
  [installation, sources] = await Promise.all([openInstallation(), openSourceServer()]);
  sources.put('/picture.png', await paintQuarters().png().toBuffer());
});
afterAll(async () => {
  await installation?.close();
  await sources?.close();
});

const start = () => installation.start({ SAMPLE: 'off', IMPORTING: 'on', ALLOW_PRIVATE_SOURCES: 'on' });

/** Adds an image, and waits until the process that measures is through with it. */
async function importOne(service: Service, productId: string): Promise<number> {
  await service.query(
    `mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) { userErrors { message } } }`,
    { input: { productId, images: [{ source: { url: sources.url('/picture.png') } }] } },
  );
  const question = `{ imageCount(filter: { productIds: ["${productId}"], states: [UPLOADED] }) }`;
  await waitUntil(async () => (await service.query<{ imageCount: number }>(question)).imageCount === 1);
  const [pid = 0] = listStarted(service.pid, 'measure-process');
  expect(isThere(pid)).toBe(true);
  return pid;
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the process that measures ends with a service that is told to stop', async () => {
  const service = await start();
  const measuring = await importOne(service, '1');
  await service.stop();
  expect(isThere(measuring)).toBe(false);
});

test('the process that measures ends with a service that is killed', async () => {
  const service = await start();
  const measuring = await importOne(service, '2');
  await kill(service.pid);
  await waitUntil(() => !isThere(measuring));
});

test('the process that measures is killed, and the next image has another', async () => {
  const service = await start();
  const killed = await importOne(service, '3');
  await kill(killed);
  expect(await importOne(service, '4')).not.toBe(killed);
  await service.stop();
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isRunning, kill } from '../support/embedded-service.ts';
import { replace } from '../support/gallery.ts';
import {
  checkStored,
  fetchBytes,
  hashOf,
  openImportService,
  readSet,
  waitForSet,
} from '../support/import-service.ts';
import { type Command, type Installation, openInstallation, within } from '../support/process.ts';
import type { TestService } from '../support/service.ts';
import { delay, holdBack, openSourceServer, type SourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

let installation: Installation;
let service: TestService;
let sources: SourceServer;
beforeAll(async () => {
  [installation, sources] = await Promise.all([openInstallation(), openSourceServer()]);
  service = await openImportService({ IMPORTING: 'off', DATA_DIR: installation.dataDirectory });
});
afterAll(async () => {
  await service.close();
  await installation.close();
  await sources.close();
});

let lastProduct = 24_000_000_000;
const newProduct = () => String(++lastProduct);

/** `npm run work`, with a lease of a few seconds: longer than another takes to start, as is the time for a download. */
async function startWork(): Promise<Command> {
  const command = installation.spawn(['work'], {
    ...{ DATABASE_URL: service.databaseUrl, ALLOW_PRIVATE_SOURCES: 'on' },
    ...{ IMPORT_LEASE_SECONDS: '4', DOWNLOAD_TIMEOUT_MS: '3500' },
  });
  // What a failed test leaves would import for the next.
  onTestFinished(async () => {
    if (isRunning(command.pid)) await kill(command.pid);
  });
  await vi.waitFor(() => expect(command.hasLogged('Importing images that are due')).toBe(true), 10_000);
  return command;
}

const importOf = async (productId: string, ...paths: string[]) => {
  const images = paths.map(path => ({ source: { url: sources.url(path) } }));
  return (await replace(service, { productId, images })).images;
};

describe('a worker', () => {
  test('killed in mid-download is followed by another, which imports its images once', async () => {
    const bytes = await Promise.all(['#100000', '#200000', '#300000'].map(drawPicture));
    const held = bytes.map(holdBack);
    for (const [index, { answer }] of held.entries()) sources.put(`/killed/${index}`, answer);
    const productId = newProduct();
    const killed = await startWork();
    const added = await importOf(productId, '/killed/0', '/killed/1', '/killed/2');
    await vi.waitFor(() => expect(sources.countOpen()).toBe(3), 5_000);
    const other = await startWork();
    await kill(killed.pid);
    const killedAt = performance.now();
    for (const { release } of held) release();
    const images = await waitForSet(service, productId);
    expect(performance.now() - killedAt).toBeLessThan(8_000);
    expect(images.map(({ id, state, contentHash }) => [id, state, contentHash])).toEqual(
      added.map(({ id }, index) => [id, 'UPLOADED', hashOf(bytes[index] ?? Buffer.alloc(0))]),
    );
    for (const index of [0, 1, 2]) expect(sources.timesOf(`/killed/${index}`)).toHaveLength(2);
    await stop(other);
  });

  test('frozen past its lease and woken writes nothing', async () => {
    const old = await drawPicture('#400000');
    const current = await drawPicture('#500000');
    const held = holdBack(old);
    sources.put('/frozen', held.answer);
    const productId = newProduct();
    const frozen = await startWork();
    await importOf(productId, '/frozen');
    await vi.waitFor(() => expect(sources.countOpen()).toBe(1), 5_000);
    frozen.signal('SIGSTOP');
    // What it was sent waits in its socket, and is all there when it wakes.
    held.release();
    sources.put('/frozen', current);
    const other = await startWork();
    const [image] = await waitForSet(service, productId);
    await stop(other);
    expect(image).toMatchObject({ state: 'UPLOADED', contentHash: hashOf(current) });
    const before = await readRow(productId);
    frozen.signal('SIGCONT');
    await sleep(1_000);
    expect(await readRow(productId)).toEqual(before);
    await stop(frozen);
    expect(await readRow(productId)).toEqual(before);
  });

  test('told to stop hands back what it has not finished, and that try does not count', async () => {
    sources.put('/stopped', delay(await drawPicture('#600000'), 1_300));
    const productId = newProduct();
    const stopped = await startWork();
    await importOf(productId, '/stopped');
    await vi.waitFor(() => expect(sources.timesOf('/stopped')).toHaveLength(1), 5_000);
    await stop(stopped);
    expect(await readRow(productId)).toMatchObject({ state: 'IMPORTED', attempts: 0, is_due: true });
    const other = await startWork();
    const [image] = await waitForSet(service, productId);
    expect((await fetchBytes(image ?? { url: null })).length).toBe(image?.fileSize);
    await stop(other);
  });

  test('killed at any moment leaves each image imported once, and no other bytes', {
    timeout: 40_000,
  }, async () => {
    const paths = Array.from({ length: 60 }, (_, index) => `/many/${index}`);
    const bytes = await Promise.all(paths.map((_, index) => drawPicture(`rgb(7, ${index}, 9)`)));
    for (const [index, path] of paths.entries()) {
      sources.put(path, delay(bytes[index] ?? Buffer.alloc(0), 20));
    }
    const productId = newProduct();
    await importOf(productId, ...paths);
    for (const lifeMs of [120, 60, 180]) {
      const work = await startWork();
      await sleep(lifeMs);
      await kill(work.pid);
    }
    const last = await startWork();
    const images = await waitForSet(service, productId, undefined, 15_000);
    expect(images.map(({ contentHash }) => contentHash)).toEqual(bytes.map(hashOf));
    await stop(last);
    await checkStored(service);
  });
});

async function stop(command: Command): Promise<void> {
  command.signal('SIGTERM');
  expect(await within(10_000, 'the end of the worker', command.ended)).toMatchObject({ exitCode: 0 });
}

async function readRow(productId: string) {
  expect(await readSet(service, productId)).toHaveLength(1);
  const [row] = await service.db.execute(`
    select state, attempts, file_hash, import_claim, updated_at, xmin, import_due_at <= now() as is_due
    from images where product_id = ${productId}`);
  return row;
}

import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { originalKey } from '../../src/storage/keys.ts';
import { replace } from '../support/gallery.ts';
import {
  checkStored,
  fetchBytes,
  hashOf,
  openImportService,
  readSet,
  upload,
  waitForSet,
} from '../support/import-service.ts';
import { keepLog } from '../support/log-lines.ts';
import { openS3Server } from '../support/s3-server.ts';
import type { TestService } from '../support/service.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

const kept = keepLog();
let folder: string;
let service: TestService;
let sources: SourceServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-failing-'));
  [service, sources] = await Promise.all([
    openImportService({ DATA_DIR: folder }, { log: kept.log }),
    openSourceServer(),
  ]);
});
afterAll(async () => {
  await service.close();
  await sources.close();
  await rm(folder, { recursive: true });
});

let lastProduct = 27_000_000_000;
const newProduct = () => String(++lastProduct);

async function importFrom(own: TestService, path: string, bytes: Buffer): Promise<string> {
  sources.put(path, bytes);
  const productId = newProduct();
  await replace(own, { productId, images: [{ source: { url: sources.url(path) } }] });
  return productId;
}

const notStored = { code: 'STORAGE_FAILED', message: 'the image could not be stored' };

describe('a disk', () => {
  const pathOf = (bytes: Buffer) => join(folder, 'files', originalKey(hashOf(bytes), 'png'));
  let bytes: Buffer;
  let round = 0;
  beforeEach(async () => {
    round += 1;
    bytes = await drawPicture(`#00f0${round}0`);
  });

  const faults: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
    [
      'with a file where a folder must be',
      () => obstruct(dirname(pathOf(bytes))),
      () => rm(dirname(pathOf(bytes))),
    ],
    [
      'that cannot be renamed to',
      () => mkdir(join(pathOf(bytes), 'in-the-way'), { recursive: true }),
      () => rm(pathOf(bytes), { recursive: true }),
    ],
    [
      'that is no longer mounted',
      () => rename(join(folder, 'files'), join(folder, 'unmounted')),
      () => rename(join(folder, 'unmounted'), join(folder, 'files')),
    ],
  ];

  test.each(faults)(
    '%s keeps the image waiting, and takes it when it is well again',
    async (_name, obstruct, repair) => {
      await obstruct();
      const productId = await importFrom(service, `/disk/${round}`, bytes);
      const [waiting] = await waitForSet(service, productId, ({ failure }) => failure !== null);
      expect(waiting).toMatchObject({
        ...{ state: 'PENDING', contentHash: null, url: sources.url(`/disk/${round}`) },
        failure: { ...notStored, attempts: 1, retryAt: expect.any(String) },
      });
      const before = kept.lines().length;
      expect((await upload(service, newProduct(), 'a.png', bytes)).userErrors).toEqual([
        { ...notStored, path: ['input', 'source', 'file'] },
      ]);
      const logged = kept.lines().slice(before);
      expect(logged.filter(({ msg }) => msg === 'A file could not be stored')).toMatchObject([
        { level: 50, err: { message: expect.stringMatching(/^E[A-Z]+: .*[/]files/) } },
      ]);
      await repair();
      const [image] = await waitForSet(service, productId);
      expect(image).toMatchObject({ state: 'UPLOADED', contentHash: hashOf(bytes) });
      expect((await fetchBytes(image ?? { url: null })).equals(bytes)).toBe(true);
    },
  );

  test('that holds half of the bytes gets all of them', async () => {
    await mkdir(dirname(pathOf(bytes)), { recursive: true });
    await writeFile(pathOf(bytes), bytes.subarray(0, 50));
    const [image] = await waitForSet(service, await importFrom(service, '/disk/half', bytes));
    expect((await fetchBytes(image ?? { url: null })).equals(bytes)).toBe(true);
  });

  test('that stays broken is not taken for a fault of the image, which waits on', async () => {
    const fault = dirname(pathOf(bytes));
    await obstruct(fault);
    const productId = await importFrom(service, '/disk/down', bytes);
    for (let tries = 1; tries <= 7; tries += 1) {
      const counted = Math.min(tries, 4);
      await waitForSet(
        service,
        productId,
        ({ failure }) => failure?.code === 'STORAGE_FAILED' && failure.attempts === counted,
      );
      await service.db.execute(
        `update images set failure_code = null, import_due_at = now() where product_id = ${productId}`,
      );
    }
    await rm(fault);
    await service.db.execute(`update images set import_due_at = now() where product_id = ${productId}`);
    expect(await waitForSet(service, productId)).toMatchObject([{ state: 'UPLOADED' }]);
  });

  test('holds what rows name', async () => {
    await checkStored(service);
  });
});

async function obstruct(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'in the way');
}

test('a store that is down keeps the image waiting', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER').stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
  const server = await openS3Server();
  const own = await openImportService({ STORAGE: `s3://images?endpoint=${server.endpoint}` });
  try {
    const [there, lost] = await Promise.all([drawPicture('#0101f0'), drawPicture('#0101f1')]);
    const storedId = await importFrom(own, '/s3/there', there);
    const [stored] = await waitForSet(own, storedId);
    expect((await fetchBytes(stored ?? { url: null })).equals(there)).toBe(true);
    server.stop();
    const productId = await importFrom(own, '/s3/lost', lost);
    const [waiting] = await waitForSet(own, productId, ({ failure }) => failure !== null);
    expect(waiting).toMatchObject({ state: 'PENDING', failure: notStored, contentHash: null });
    const { userErrors } = await upload(own, newProduct(), 'a.png', lost);
    expect(userErrors).toEqual([{ ...notStored, path: ['input', 'source', 'file'] }]);
    expect(await readSet(own, storedId)).toMatchObject([{ state: 'UPLOADED' }]);
  } finally {
    await own.close();
    await server.close();
    vi.unstubAllEnvs();
  }
});

describe('a product that is locked for long', () => {
  /** Makes an image's row by hand, as the lock holds up whoever changes the set. */
  async function insertImage(productId: string, replacementId: string | null): Promise<void> {
    sources.put(`/locked/${productId}`, await drawPicture('#0f0f0f'));
    await service.db.execute(sql`
      insert into images (product_id, order_key, position, name, source_url, source_host, replacement_id, import_due_at)
      values (${productId}, 'a1', 0, 'locked', ${sources.url(`/locked/${productId}`)}, '127.0.0.1', ${replacementId}, now())`);
  }

  /** As a replacement leaves them behind. */
  async function insertRemoved(productId: string, replacementId: string): Promise<void> {
    await service.db.execute(sql`
      insert into images (product_id, order_key, position, name, replacement_id, deleted_at, restorable_until)
      values (${productId}, 'a0', 0, 'removed', ${replacementId}, now(), now() + interval '1 day')`);
  }

  const lock = (productId: string) => sql`select 1 from products where id = ${productId} for no key update`;

  test('costs its images no try where it must be waited for', async () => {
    const [productId, replacementId] = [newProduct(), randomUUID()];
    await replace(service, { productId, images: [] });
    await insertRemoved(productId, replacementId);
    await service.db.transaction(async transaction => {
      await transaction.execute(lock(productId));
      await insertImage(productId, replacementId);
      for (const queued of [
        { attempts: 1, is_claimed: true },
        { attempts: 0, is_claimed: false },
      ]) {
        await vi.waitFor(async () => expect(await readQueue(productId)).toEqual([queued]), 4_000);
      }
    });
    await service.db.execute(
      sql`update images set import_due_at = now() where source_url like ${`%${productId}`}`,
    );
    expect(await waitForSet(service, productId)).toMatchObject([{ state: 'UPLOADED', failure: null }]);
  });

  test('does not hold up images whose set stays as it is', async () => {
    const productId = newProduct();
    await replace(service, { productId, images: [] });
    await service.db.transaction(async transaction => {
      await transaction.execute(lock(productId));
      await insertImage(productId, null);
      expect(await waitForSet(service, productId)).toMatchObject([{ state: 'UPLOADED' }]);
    });
  });
});

async function readQueue(productId: string) {
  const rows = await service.db.execute(
    sql`select attempts, import_claim is not null as is_claimed from images
      where product_id = ${productId} and deleted_at is null`,
  );
  return [...rows];
}

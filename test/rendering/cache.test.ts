import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { type Cache, type CacheOptions, openCache } from '../../src/rendering/cache.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { failing } from '../support/failing-storage.ts';
import { openS3Server, s3Credentials } from '../support/s3-server.ts';
import { listKeys } from '../support/storage-contract.ts';

const picture = randomBytes(30_000);
/** What one picture of that size is counted as. */
const countedBytes = 32_768;

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'packshot-cache-'));
  folder = join(parent, 'renditions');
});
afterEach(() => rm(parent, { recursive: true, maxRetries: 5 }));

const openDisk = () => openDiskStorage(folder);

function open(options: Partial<CacheOptions> = {}): Cache {
  const cache = openCache({
    open: openDisk,
    log: createLog('silent'),
    maxBytes: 100_000_000,
    maxMemoryBytes: 0,
    ...options,
  });
  onTestFinished(() => cache.close());
  return cache;
}

/** As renditions are named: in a folder of the first two characters. */
function keyOf(name: string | number): string {
  const hash = createHash('sha256').update(String(name)).digest('hex');
  return `${hash.slice(0, 2)}/${hash}-10x10.jpg`;
}

async function keepStored(cache: Cache, ...names: (string | number)[]): Promise<void> {
  for (const name of names) cache.keep(keyOf(name), picture);
  for (const name of names) await waitUntil(async () => (await cache.find(keyOf(name))) !== null);
}

async function listFiles(): Promise<string[]> {
  const storage = await openDisk();
  return listKeys(storage, '');
}

describe('a rendition that is kept', () => {
  test('is found again, and after a restart', async () => {
    const cache = open();
    await keepStored(cache, 'a');
    await cache.close();
    expect((await open().find(keyOf('a')))?.bytes.equals(picture)).toBe(true);
  });

  test('is stored before the cache is closed', async () => {
    const cache = open();
    for (let name = 0; name < 20; name++) cache.keep(keyOf(name), picture);
    await cache.close();
    expect(await listFiles()).toHaveLength(20);
  });

  test('is in memory at once, where it may be', async () => {
    const cache = open({ maxMemoryBytes: 1_000_000 });
    cache.keep(keyOf('a'), picture);
    expect(cache.recall(keyOf('a'))).toBe(picture);
    const without = open();
    without.keep(keyOf('a'), picture);
    expect(without.recall(keyOf('a'))).toBeNull();
  });

  test('comes into memory when it is found twice', async () => {
    await keepStored(open(), 'a');
    const cache = open({ maxMemoryBytes: 1_000_000 });
    await cache.find(keyOf('a'));
    expect(cache.recall(keyOf('a'))).toBeNull();
    await cache.find(keyOf('a'));
    expect(cache.recall(keyOf('a'))?.equals(picture)).toBe(true);
  });

  test('belongs to who found it, unless another did too or it is in memory', async () => {
    await keepStored(open(), 'a');
    const cache = open({ maxMemoryBytes: 1_000_000 });
    expect(await cache.find(keyOf('a'))).toMatchObject({ isSole: true });
    expect(await cache.find(keyOf('a'))).toMatchObject({ isSole: false });
    const without = open();
    const together = await Promise.all([without.find(keyOf('a')), without.find(keyOf('a'))]);
    expect(together).toMatchObject([{ isSole: false }, { isSole: false }]);
    expect(await without.find(keyOf('a'))).toMatchObject({ isSole: true });
  });

  test('is found by another process that shares the storage', async () => {
    const other = open();
    await keepStored(open(), 'a');
    expect((await other.find(keyOf('a')))?.bytes.equals(picture)).toBe(true);
  });

  test('is read once, however many look for it at once', async () => {
    await keepStored(open(), 'a');
    let reads = 0;
    const counting = async (): Promise<Storage> => {
      const disk = await openDisk();
      return {
        ...disk,
        readBytes(key, maxBytes) {
          reads++;
          return disk.readBytes(key, maxBytes);
        },
      };
    };
    const cache = open({ open: counting });
    const found = await Promise.all(Array.from({ length: 100 }, () => cache.find(keyOf('a'))));
    expect(found.every(one => one?.bytes.equals(picture))).toBe(true);
    expect(reads).toBe(1);
  });
});

describe('too many', () => {
  test('in memory push out the least used', async () => {
    const cache = open({ open: null, maxMemoryBytes: 8 * picture.length });
    for (let name = 0; name < 8; name++) cache.keep(keyOf(name), picture);
    cache.recall(keyOf(0));
    cache.keep(keyOf('new'), picture);
    expect(cache.recall(keyOf(1))).toBeNull();
    expect(cache.recall(keyOf(0))).not.toBeNull();
    expect(cache.recall(keyOf('new'))).not.toBeNull();
  });

  test('in the storage push out the least used', async () => {
    const cache = open({ maxBytes: 8 * countedBytes });
    await keepStored(cache, 0, 1, 2, 3, 4, 5, 6, 7);
    await cache.find(keyOf(0));
    await keepStored(cache, 'new');
    await waitUntil(async () => (await listFiles()).length === 8);
    expect(await cache.find(keyOf(1))).toBeNull();
    expect(await cache.find(keyOf(0))).not.toBeNull();
  });

  test('in the storage do not push out what is used from memory', async () => {
    const cache = open({ maxBytes: 8 * countedBytes, maxMemoryBytes: 10_000_000 });
    cache.keep(keyOf(0), picture);
    for (let name = 1; name < 30; name++) {
      await waitUntil(async () => (await cache.find(keyOf(name - 1))) !== null);
      cache.recall(keyOf(0));
      cache.keep(keyOf(name), picture);
    }
    await cache.close();
    expect(await open().find(keyOf(0))).not.toBeNull();
  });

  test('that lie there at the start go', async () => {
    const before = open();
    for (let name = 0; name < 30; name++) before.keep(keyOf(name), picture);
    await before.close();
    const cache = open({ maxBytes: 8 * countedBytes });
    await waitUntil(async () => (await listFiles()).length === 8);
    expect(cache.recall(keyOf(0))).toBeNull();
  });

  test('that another process stored go when they are noticed', async () => {
    open({ maxBytes: 8 * countedBytes, listIntervalMs: 50 });
    const other = open();
    for (let name = 0; name < 30; name++) other.keep(keyOf(name), picture);
    await waitUntil(async () => (await listFiles()).length === 8);
  });

  test('never count what another process removed', async () => {
    const cache = open({ maxBytes: 8 * countedBytes, listIntervalMs: 50 });
    await keepStored(cache, 0, 1, 2, 3, 4, 5, 6, 7);
    await open().drop(keyOf(7).slice(0, 10));
    await waitUntil(async () => (await listFiles()).length === 7);
    await sleep(200);
    await keepStored(cache, 'new');
    expect(await cache.find(keyOf(0))).not.toBeNull();
  });

  test('push out the least used, however often all are looked through', async () => {
    const cache = open({ maxBytes: 8 * countedBytes, listIntervalMs: 20 });
    await keepStored(cache, 0, 1, 2, 3, 4, 5, 6, 7);
    for (let name = 7; name >= 0; name--) await cache.find(keyOf(name));
    await sleep(200);
    await keepStored(cache, 'new');
    await waitUntil(async () => (await listFiles()).length <= 8);
    expect(await cache.find(keyOf(7))).toBeNull();
  });

  test('are not one that is too large for all others', async () => {
    const cache = open({ maxBytes: 8 * countedBytes, maxMemoryBytes: 8 * picture.length });
    await keepStored(cache, 0, 1);
    cache.keep(keyOf('large'), randomBytes(60_000));
    await cache.close();
    expect(await listFiles()).toHaveLength(2);
    expect(cache.recall(keyOf('large'))).toBeNull();
    expect(cache.recall(keyOf(0))).not.toBeNull();
  });
});

describe('a file that lies', () => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['is empty', () => Buffer.alloc(0)],
    ['lost its end', bytes => bytes.subarray(0, 20_000)],
    ['lost all but a few bytes', bytes => bytes.subarray(0, 7)],
    ['got more', bytes => Buffer.concat([bytes, Buffer.from('x')])],
    ['is all zeros', bytes => Buffer.alloc(bytes.length)],
    [
      'has zeros from the middle on',
      bytes => Buffer.concat([bytes.subarray(0, 16_384), Buffer.alloc(13_628)]),
    ],
    ['has one bit turned', bytes => Buffer.from(bytes.map((byte, at) => (at === 9_999 ? byte ^ 1 : byte)))],
    ['has no header', () => picture],
  ])('because it %s is as none, and goes', async (_how, spoil) => {
    const cache = open();
    await keepStored(cache, 'a');
    const path = join(folder, keyOf('a'));
    await writeFile(path, spoil(await readFile(path)));
    expect(await cache.find(keyOf('a'))).toBeNull();
    await waitUntil(async () => (await listFiles()).length === 0);
    await keepStored(cache, 'a');
  });

  test('because it is that of another is as none', async () => {
    const cache = open();
    await keepStored(cache, 'a', 'b');
    await writeFile(join(folder, keyOf('a')), await readFile(join(folder, keyOf('b'))));
    expect(await cache.find(keyOf('a'))).toBeNull();
  });

  test('because it is too large to be a picture is as none', async () => {
    const cache = open();
    await keepStored(cache, 'a');
    await truncate(join(folder, keyOf('a')), 80_000_000);
    expect(await cache.find(keyOf('a'))).toBeNull();
  });
});

describe('a folder', () => {
  test('that vanishes is made again', async () => {
    const cache = open();
    await keepStored(cache, 'a');
    await rm(folder, { recursive: true });
    expect(await cache.find(keyOf('a'))).toBeNull();
    await keepStored(cache, 'a');
    expect(await readdir(folder)).toContain(keyOf('a').slice(0, 2));
  });

  test('that cannot be made is done without, until it can', async () => {
    await writeFile(folder, 'a file in its place');
    const cache = open({ maxMemoryBytes: 1_000_000, pauseMs: 50 });
    cache.keep(keyOf('a'), picture);
    expect(await cache.find(keyOf('a'))).toBeNull();
    expect(cache.recall(keyOf('a'))).toBe(picture);
    await rm(folder);
    await waitUntil(async () => {
      cache.keep(keyOf('a'), picture);
      return (await cache.find(keyOf('a'))) !== null;
    });
  });

  test('in the place of a rendition is as none', async () => {
    const cache = open();
    await mkdir(join(folder, keyOf('a')), { recursive: true });
    expect(await cache.find(keyOf('a'))).toBeNull();
  });
});

describe('a storage', () => {
  test('that is denied is done without', async () => {
    const cache = open({ open: async () => failing(await openDisk()) });
    for (let name = 0; name < 10; name++) {
      cache.keep(keyOf(name), picture);
      expect(await cache.find(keyOf(name))).toBeNull();
    }
    await cache.drop('ab/');
  });

  test('that is full makes room', async () => {
    let isFull = false;
    const full = async (): Promise<Storage> => {
      const disk = await openDisk();
      return {
        ...disk,
        async write(key, body, options) {
          if (!isFull) return disk.write(key, body, options);
          throw new StorageFailed('full', { cause: Object.assign(new Error(), { code: 'ENOSPC' }) });
        },
      };
    };
    const cache = open({ open: full });
    const names = Array.from({ length: 40 }, (_, name) => name);
    await keepStored(cache, ...names);
    isFull = true;
    cache.keep(keyOf('new'), picture);
    await waitUntil(async () => (await listFiles()).length === 38);
    expect(await cache.find(keyOf(39))).not.toBeNull();
  });

  test('that hangs keeps a request no longer than it may, and after three times none', async () => {
    let isHanging = true;
    let reads = 0;
    const hanging = async (): Promise<Storage> => {
      const disk = await openDisk();
      return {
        ...disk,
        readBytes(key, maxBytes) {
          reads++;
          return isHanging ? new Promise(() => {}) : disk.readBytes(key, maxBytes);
        },
      };
    };
    await keepStored(open(), 'a');
    const cache = open({ open: hanging, readTimeoutMs: 50, pauseMs: 300 });
    const startedAt = performance.now();
    for (let time = 0; time < 20; time++) expect(await cache.find(keyOf('a'))).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(reads).toBe(3);
    isHanging = false;
    await waitUntil(async () => (await cache.find(keyOf('a'))) !== null);
  });

  test('that hangs while it is opened keeps a request no longer, either', async () => {
    const cache = open({ open: () => new Promise(() => {}), readTimeoutMs: 50 });
    const startedAt = performance.now();
    for (let time = 0; time < 20; time++) expect(await cache.find(keyOf('a'))).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('that takes its time with writes keeps neither requests nor much memory', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let writes = 0;
    const slow = async (): Promise<Storage> => ({
      ...(await openDisk()),
      write() {
        writes++;
        return released;
      },
    });
    const cache = open({ open: slow });
    for (let name = 0; name < 100; name++) cache.keep(keyOf(name), Buffer.alloc(1_000_000));
    await waitUntil(() => writes > 0);
    expect(writes).toBe(2);
    release();
    await cache.close();
    expect(writes).toBe(32);
  });

  test('whose writes never end does not keep the process from ending', async () => {
    const stuck = async () => ({ ...(await openDisk()), write: () => new Promise<void>(() => {}) });
    const cache = open({ open: stuck });
    cache.keep(keyOf('a'), picture);
    const closedAt = performance.now();
    await cache.close();
    expect(performance.now() - closedAt).toBeLessThan(5_000);
  });

  test('on S3 keeps renditions, and is done without when it is down', async () => {
    const s3 = await openS3Server();
    onTestFinished(() => s3.close());
    const openS3 = async () =>
      openS3Storage({
        bucket: 'images',
        prefix: 'renditions/',
        endpoint: s3.endpoint,
        region: 'us-east-1',
        credentials: s3Credentials,
        spoolDirectory: parent,
        silenceTimeoutMs: 200,
      });
    await keepStored(open({ open: openS3 }), 'a');
    const cache = open({ open: openS3, maxMemoryBytes: 1_000_000, readTimeoutMs: 1_000 });
    expect((await cache.find(keyOf('a')))?.bytes.equals(picture)).toBe(true);
    s3.stop();
    const startedAt = performance.now();
    for (let name = 0; name < 20; name++) {
      cache.keep(keyOf(name), picture);
      expect(await cache.find(keyOf(`${name} of those that were never kept`))).toBeNull();
    }
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(cache.recall(keyOf(19))).toBe(picture);
  });

  test('is not needed', async () => {
    const cache = open({ open: null, maxMemoryBytes: 1_000_000 });
    cache.keep(keyOf('a'), picture);
    expect(await cache.find(keyOf('b'))).toBeNull();
    await cache.drop(keyOf('a').slice(0, 40));
    expect(cache.recall(keyOf('a'))).toBeNull();
  });
});

test('the renditions of one original are dropped together', async () => {
  const cache = open({ maxMemoryBytes: 1_000_000 });
  await keepStored(cache, 'a', 'b');
  cache.keep(keyOf('a').replace('10x10', '20x20'), picture);
  await waitUntil(async () => (await listFiles()).length === 3);
  await cache.drop(keyOf('a').split('-')[0] ?? '');
  await waitUntil(async () => (await listFiles()).length === 1);
  expect(cache.recall(keyOf('a'))).toBeNull();
  expect(await cache.find(keyOf('a'))).toBeNull();
  expect(await cache.find(keyOf('b'))).not.toBeNull();
});

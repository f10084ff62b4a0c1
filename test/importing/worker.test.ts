import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { measureImage } from '../../src/importing/measure-image.ts';
import { startWorker, type Worker } from '../../src/importing/worker.ts';
import { createLog } from '../../src/log.ts';
import { replace } from '../support/gallery.ts';
import { type HostileServer, openHostileServer } from '../support/hostile-server.ts';
import {
  checkStored,
  fetchBytes,
  hashOf,
  openImportService,
  readSet,
  waitForSet,
} from '../support/import-service.ts';
import {
  blue,
  green,
  paintNoise,
  paintQuarters,
  paintTurned,
  readQuarters,
  red,
  yellow,
} from '../support/painted-image.ts';
import type { TestService } from '../support/service.ts';
import { delay, holdBack, openSourceServer, type SourceServer } from '../support/source-server.ts';
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

let lastProduct = 21_000_000_000;
const newProduct = () => String(++lastProduct);
const fromPaths = (paths: string[], host?: string) =>
  paths.map(path => ({ source: { url: sources.url(path, host) } }));

describe('twenty URLs', () => {
  test('are answered at once, and are stored, measured and served once their bytes are here', async () => {
    const paths = Array.from({ length: 20 }, (_, index) => `/twenty/${index}.png`);
    const pictures = await Promise.all(paths.map((_, index) => drawPicture(`rgb(${index * 10}, 99, 7)`)));
    const held = pictures.map(holdBack);
    for (const [index, path] of paths.entries()) {
      sources.put(path, held[index]?.answer ?? Buffer.alloc(0));
    }
    const productId = newProduct();
    const { images } = await replace(service, { productId, images: fromPaths(paths) });
    expect(images).toHaveLength(20);
    const accepted = await readSet(service, productId);
    expect(new Set(accepted.map(({ state }) => state))).toEqual(new Set(['IMPORTED']));
    expect(accepted[7]).toMatchObject({
      ...{ failure: null, width: null, height: null, mimeType: null, fileSize: null },
      ...{ contentHash: null, thumbhash: null, dominantColor: null },
      url: sources.url('/twenty/7.png'),
    });
    for (const { release } of held) release();
    const stored = await waitForSet(service, productId);
    expect(stored.map(({ id }) => id)).toEqual(images.map(({ id }) => id));
    for (const [index, image] of stored.entries()) {
      const bytes = pictures[index] ?? Buffer.alloc(0);
      expect(image).toMatchObject({
        ...{ state: 'UPLOADED', failure: null, width: 40, height: 30, mimeType: 'image/png' },
        ...{ fileSize: bytes.length, contentHash: hashOf(bytes) },
        ...{
          thumbhash: expect.stringMatching(/^[\w+/=]{20,}$/),
          dominantColor: expect.stringMatching(/^#[0-9a-f]{6}$/),
        },
        sourceUrl: sources.url(paths[index] ?? ''),
      });
      expect((await fetchBytes(image)).equals(bytes)).toBe(true);
    }
  });
});

describe('the bytes decide', () => {
  const jpeg = () => paintQuarters().jpeg({ quality: 90 });
  const png = () => paintQuarters().png();
  const formats: [string, () => Promise<Buffer>, string][] = [
    ['baseline JPEG', () => jpeg().toBuffer(), 'image/jpeg'],
    ['progressive JPEG', () => paintQuarters().jpeg({ progressive: true }).toBuffer(), 'image/jpeg'],
    ['CMYK JPEG', () => jpeg().toColourspace('cmyk').toBuffer(), 'image/jpeg'],
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((turn): [string, () => Promise<Buffer>, string] => [
      `JPEG of orientation ${turn}`,
      () => paintTurned(turn).jpeg().toBuffer(),
      'image/jpeg',
    ]),
    ['palette PNG', () => paintQuarters().png({ palette: true }).toBuffer(), 'image/png'],
    ['16-bit PNG', () => png().toColourspace('rgb16').toBuffer(), 'image/png'],
    ['interlaced PNG', () => paintQuarters().png({ progressive: true }).toBuffer(), 'image/png'],
    ['WebP', () => paintQuarters().webp({ quality: 95 }).toBuffer(), 'image/webp'],
    ['lossless WebP', () => paintQuarters().webp({ lossless: true }).toBuffer(), 'image/webp'],
    ['GIF', () => paintQuarters().gif().toBuffer(), 'image/gif'],
  ];

  test('of every format taken, under whatever extension and type', async () => {
    const images = await Promise.all(
      formats.map(async ([name, encode], index) => {
        const path = `/formats/${index}.pdf`;
        const bytes = await encode();
        sources.put(path, response => response.setHeader('content-type', 'text/html').end(bytes));
        return { source: { url: sources.url(path) }, altText: name };
      }),
    );
    const productId = newProduct();
    await replace(service, { productId, images });
    const stored = await waitForSet(service, productId);
    expect(stored.map(({ altText, state, mimeType }) => [altText, state, mimeType])).toEqual(
      formats.map(([name, , mimeType]) => [name, 'UPLOADED', mimeType]),
    );
    for (const { width, height, thumbhash } of stored) {
      expect({ width, height }).toEqual({ width: 120, height: 80 });
      expect(readQuarters(thumbhash ?? '')).toEqual([red, green, blue, yellow]);
    }
    expect(await fetch(stored[0]?.url ?? '').then(response => response.headers.get('content-type'))).toBe(
      'image/jpeg',
    );
  });

  const noise = () => paintNoise().png().toBuffer();
  const text = (content: string) => async () => Buffer.from(content);
  const refusals: [string, () => Promise<Buffer>, string, RegExp][] = [
    ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'UNSUPPORTED_TYPE', /^file is SVG; /],
    ['PDF', text('%PDF-1.7\n'), 'UNSUPPORTED_TYPE', /^file is PDF; /],
    ['TIFF', () => paintQuarters().tiff().toBuffer(), 'UNSUPPORTED_TYPE', /^file is TIFF; /],
    ['HTML', text('<!doctype html><p>Not here'), 'UNSUPPORTED_TYPE', /^file is HTML; /],
    ['HEIC', text('\0\0\0\x18ftypheic'), 'UNSUPPORTED_TYPE', /^file is HEIC; /],
    ['nothing', text(''), 'UNSUPPORTED_TYPE', /^file is empty; /],
    ['half a PNG', async () => (await noise()).subarray(0, 10_000), 'CORRUPT_IMAGE', /cut short/],
    [
      'too wide a PNG',
      () =>
        sharp({ create: { width: 10_001, height: 1, channels: 3, background: 'red' } })
          .png()
          .toBuffer(),
      'DIMENSIONS_TOO_LARGE',
      /^image is 10001 × 1 pixels; at most 10000 a side/,
    ],
  ];

  test('also for what is refused, each with its code, after one try', async () => {
    const images = await Promise.all(
      refusals.map(async ([name, encode], index) => {
        const path = `/refused/${index}.jpg`;
        const bytes = await encode();
        sources.put(path, response => response.setHeader('content-type', 'image/jpeg').end(bytes));
        return { source: { url: sources.url(path) }, altText: name };
      }),
    );
    const productId = newProduct();
    await replace(service, { productId, images });
    const refused = await waitForSet(service, productId);
    for (const [index, [name, , code, message]] of refusals.entries()) {
      expect(refused[index]).toMatchObject({
        ...{ altText: name, state: 'FAILED', url: null, contentHash: null },
        failure: { code, message: expect.stringMatching(message), attempts: 1, retryAt: null },
      });
      expect(sources.timesOf(`/refused/${index}.jpg`)).toHaveLength(1);
    }
  });
});

describe('a hostile source', () => {
  let hostile: HostileServer;
  beforeAll(async () => {
    hostile = await openHostileServer(await drawPicture('#123456'));
  });
  afterAll(() => hostile.close());

  test.each([
    ['endless', 'FILE_TOO_LARGE', true],
    ['claims-huge', 'FILE_TOO_LARGE', true],
    ['status/404', 'SOURCE_NOT_FOUND', true],
    ['status/403', 'SOURCE_UNREACHABLE', true],
    ['encoded/gzip', 'SOURCE_UNREACHABLE', true],
    ['loop', 'SOURCE_UNREACHABLE', true],
    ['to?ftp%3A%2F%2F127.0.0.1%2F', 'URL_FORBIDDEN', true],
    ['to?http%3A%2F%2F169.254.169.254%2F', 'URL_FORBIDDEN', true],
    ['one-byte-a-second', 'SOURCE_UNREACHABLE', false],
    ['endless-head', 'SOURCE_UNREACHABLE', false],
    ['endless-informs', 'SOURCE_UNREACHABLE', false],
    ['silent', 'SOURCE_UNREACHABLE', false],
    ['silent-mid-body', 'SOURCE_UNREACHABLE', false],
    ['reset-after-head', 'SOURCE_UNREACHABLE', false],
    ['claims-more', 'SOURCE_UNREACHABLE', false],
    ['cut-chunks', 'SOURCE_UNREACHABLE', false],
    ['garbage', 'SOURCE_UNREACHABLE', false],
    ['status/503', 'SOURCE_UNREACHABLE', false],
  ])('that is %s ends as %s, for good: %s', async (path, code, isForGood) => {
    const own = await importOne(hostile.url(`/${path}`));
    expect(own).toMatchObject({
      state: isForGood ? 'FAILED' : 'PENDING',
      failure: { code, attempts: 1, retryAt: isForGood ? null : expect.any(String) },
    });
    if (!isForGood) expect(own?.url).toBe(hostile.url(`/${path}`));
  });

  /** After its first try. */
  async function importOne(url: string) {
    const productId = newProduct();
    await replace(service, { productId, images: [{ source: { url } }] });
    const [image] = await waitForSet(service, productId, ({ state }) => state !== 'IMPORTED', 6_000);
    return image;
  }
});

describe('back-off', () => {
  const gaps = (times: number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

  test('takes a source that fails twice and then works', async () => {
    const bytes = await drawPicture('#abcdef');
    let requests = 0;
    sources.put('/flaky.png', response => {
      requests += 1;
      if (requests < 3) response.writeHead(503).end();
      else response.end(bytes);
    });
    const productId = newProduct();
    await replace(service, { productId, images: fromPaths(['/flaky.png']) });
    const [waiting] = await waitForSet(service, productId, image => image.failure?.attempts === 1);
    expect(waiting).toMatchObject({ state: 'PENDING', failure: { code: 'SOURCE_UNREACHABLE' } });
    expect(waiting?.failure?.message).toBe('source answers 503; 200 is needed');
    const [image] = await waitForSet(service, productId);
    expect(image).toMatchObject({ state: 'UPLOADED', failure: null, contentHash: hashOf(bytes) });
    const [first = 0, second = 0] = gaps(sources.timesOf('/flaky.png'));
    expect(first).toBeGreaterThan(490);
    expect(first).toBeLessThan(2_300);
    expect(second).toBeGreaterThan(990);
    expect(second).toBeLessThan(3_800);
  });

  test('waits about 1, 2, 4 and 8 seconds, and gives up after five tries', async () => {
    sources.put('/down.png', response => response.writeHead(500).end());
    const productId = newProduct();
    await replace(service, { productId, images: fromPaths(['/down.png']) });
    for (let tries = 1; tries < 5; tries += 1) {
      const [image] = await waitForSet(service, productId, ({ failure }) => failure?.attempts === tries);
      const waitMs = await readDelay(productId);
      expect(image).toMatchObject({ state: 'PENDING', url: sources.url('/down.png') });
      expect(waitMs).toBeGreaterThanOrEqual(500 * 2 ** (tries - 1) - 1);
      expect(waitMs).toBeLessThanOrEqual(1_500 * 2 ** (tries - 1) + 1);
      await service.db.execute(`update images set import_due_at = now() where product_id = ${productId}`);
    }
    const [image] = await waitForSet(service, productId);
    expect(image).toMatchObject({
      ...{ state: 'FAILED', url: null, sourceUrl: sources.url('/down.png') },
      failure: { code: 'SOURCE_UNREACHABLE', attempts: 5, retryAt: null },
    });
    await sleep(600);
    expect(sources.timesOf('/down.png')).toHaveLength(5);
  });
});

describe('downloads at a time', () => {
  const workers: Worker[] = [];
  afterAll(() => Promise.all(workers.map(worker => worker.close())));

  /** A second one, on the same database and storage. */
  function startSecondWorker() {
    workers.push(
      startWorker({
        ...{ db: service.db, storage: service.storage, log: createLog('silent') },
        rules: { allowedPorts: 'any', allowLoopback: true },
        measure: measureImage,
        ...{ maxBytes: 20_000_000, deadlineMs: 5_000, maxAttempts: 5, concurrency: 8, maxPerHost: 4 },
        ...{ leaseMs: 20_000, pollMs: 20 },
      }),
    );
  }

  test('are four from one host, however many workers there are, and other hosts do not wait for it', async () => {
    startSecondWorker();
    const bytes = await drawPicture('#0a0b0c');
    const slow = Array.from({ length: 16 }, (_, index) => `/slow/${index}.png`);
    for (const path of slow) sources.put(path, delay(bytes, 250));
    sources.put('/quick.png', bytes);
    const [slowId, quickId] = [newProduct(), newProduct()];
    const startedAt = performance.now();
    await replace(service, { productId: slowId, images: fromPaths(slow, 'localhost') });
    await replace(service, { productId: quickId, images: fromPaths(['/quick.png']) });
    await waitForSet(service, quickId);
    const quickMs = performance.now() - startedAt;
    const unfinished = (await readSet(service, slowId)).filter(({ state }) => state === 'IMPORTED');
    expect(unfinished.length).toBeGreaterThan(0);
    expect(quickMs).toBeLessThan(1_000);
    await waitForSet(service, slowId);
    expect(sources.mostAtOnce('localhost')).toBe(4);
    for (const path of slow) expect(sources.timesOf(path)).toHaveLength(1);
  });
});

test('what is stored in the end is what rows name', async () => {
  await checkStored(service);
});

/** Between the last failure and the next try, once the try that is counted has ended: it counts from when it begins. */
async function readDelay(productId: string): Promise<number> {
  return vi.waitFor(async () => {
    const [row] = await service.db.execute<{ ms: string }>(
      `select extract(epoch from retry_at - updated_at) * 1000 as ms from images
       where product_id = ${productId} and import_claim is null`,
    );
    if (!row) throw new Error('it is being tried');
    return Number(row.ms);
  }, 10_000);
}

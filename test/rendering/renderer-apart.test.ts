import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import type { Renderer, RenderRequest } from '../../src/rendering/renderer.ts';
import { Overloaded, openRenderer } from '../../src/rendering/renderer.ts';
import { openRendererApart, type RendererApartOptions } from '../../src/rendering/renderer-apart.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { isRunning, kill, waitUntil } from '../support/embedded-service.ts';
import { recipeOf } from '../support/image-server.ts';
import { paintNoise } from '../support/painted-image.ts';
import { listProcessesOf } from '../support/process.ts';

let folder: string;
let storage: Storage;
let hash: string;
let opened: Renderer[];

beforeEach(async () => {
  opened = [];
  folder = await mkdtemp(join(tmpdir(), 'packshot-apart-'));
  storage = await openDiskStorage(folder);
  hash = await store(await paintNoise().png().toBuffer());
});
afterEach(async () => {
  await Promise.all(opened.map(renderer => renderer.close()));
  await waitUntil(() => makers().length === 0);
  await rm(folder, { recursive: true });
});

/** The processes that make renditions for the test. */
const makers = () => listProcessesOf(folder).filter(pid => pid !== process.pid);

/** Without the setting, or in a container, the file is empty or not there. */
const hasAutogroup =
  existsSync('/proc/self/autogroup') && readFileSync('/proc/self/autogroup', 'latin1') !== '';

const log = createLog('silent');

function open(options: Partial<RendererApartOptions> = {}): Renderer {
  const renderer = openRendererApart({
    storage: 'disk',
    storageDirectory: folder,
    environment: {},
    concurrency: 2,
    maxPixels: 25_000_000,
    maxReductionBytes: 10_000_000,
    maxWaitMs: 20_000,
    log,
    ...options,
  });
  opened.push(renderer);
  return renderer;
}

async function store(bytes: Buffer): Promise<string> {
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  await storage.write(originalKey(contentHash, 'png'), bytes);
  return contentHash;
}

const requestOf = (width: number, more: Partial<RenderRequest> = {}): RenderRequest => ({
  hash,
  extension: 'png',
  recipe: recipeOf(width, width),
  ...more,
});

describe('a renderer apart', () => {
  test.each(['jpeg', 'webp', 'png', 'avif'] as const)(
    'makes a %s as one in this process does',
    async encoding => {
      const request = requestOf(30, { recipe: recipeOf(30, 30, { encoding }) });
      const here = openRenderer({ storage, log, concurrency: 1, maxWaitMs: 1_000 });
      expect((await open().render(request))?.equals((await here.render(request)) ?? Buffer.alloc(0))).toBe(
        true,
      );
      await here.close();
    },
  );

  test('has one process, however much it makes, and none before the first', async () => {
    const renderer = open();
    expect(makers()).toEqual([]);
    await Promise.all(Array.from({ length: 10 }, (_, index) => renderer.render(requestOf(20 + index))));
    expect(makers()).toHaveLength(1);
  });

  test('lets queries go first', async () => {
    const renderer = open();
    await renderer.render(requestOf(20));
    const [maker = 0] = makers();
    expect(getPriority(maker)).toBe(Math.max(10, getPriority()));
  });

  test.runIf(existsSync('/proc/self/task'))('lets queries go before each of its threads', async () => {
    const renderer = open();
    await renderer.render(requestOf(20));
    const [maker = 0] = makers();
    const threads = readdirSync(`/proc/${maker}/task`).map(thread => {
      const [, name, nice] = /\((.*)\) \S (?:-?\d+ ){15}(-?\d+)/.exec(
        readFileSync(`/proc/${maker}/task/${thread}/stat`, 'latin1'),
      ) ?? ['', '', ''];
      return { name, nice };
    });
    const workers = threads.filter(({ name }) => /^lib(uv|vips)/.test(name ?? ''));
    expect(workers.length).toBeGreaterThan(0);
    for (const { nice } of workers) expect(Number(nice)).toBe(Math.max(10, getPriority()));
  });

  test.runIf(hasAutogroup)('lets queries go before its session', async () => {
    const renderer = open();
    await renderer.render(requestOf(20));
    const [maker = 0] = makers();
    await waitUntil(() => readFileSync(`/proc/${maker}/autogroup`, 'latin1').endsWith(' nice 10\n'));
    expect(readFileSync('/proc/self/autogroup', 'latin1')).not.toMatch(/ nice 10\n$/);
  });

  test('answers null where there is no such original', async () => {
    expect(await open().render(requestOf(20, { hash: 'a'.repeat(64) }))).toBeNull();
  });

  test('tells a storage that fails from a picture that cannot be made', async () => {
    const renderer = open();
    const broken = await store(Buffer.from('no picture'));
    await expect(renderer.render(requestOf(20, { hash: broken }))).rejects.toThrow('could not be made');
    await rm(folder, { recursive: true });
    await expect(renderer.render(requestOf(21))).rejects.toThrow(StorageFailed);
    storage = await openDiskStorage(folder);
  });

  test('refuses what would wait too long', async () => {
    const renderer = open({ concurrency: 1, maxWaitMs: 100 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => renderer.render(requestOf(20 + index))),
    );
    const refusals = outcomes.filter(({ status }) => status === 'rejected');
    expect(refusals.length).toBeGreaterThan(10);
    for (const refusal of refusals) expect(refusal).toMatchObject({ reason: expect.any(Overloaded) });
  });

  test('does not begin what nobody waits for any more', async () => {
    const renderer = open({ concurrency: 1 });
    const leaving = new AbortController();
    const before = Array.from({ length: 5 }, (_, index) => renderer.render(requestOf(20 + index)));
    const last = renderer.render(requestOf(30), leaving.signal);
    leaving.abort(new Error('left'));
    await expect(last).rejects.toThrow('left');
    expect(await Promise.all(before)).not.toContain(null);
  });
});

describe('a process that makes renditions', () => {
  test('and dies is started again, and what it was asked is answered', async () => {
    const renderer = open();
    await renderer.render(requestOf(20));
    const [maker] = makers();
    const asked = [renderer.render(requestOf(21)), renderer.render(requestOf(22))];
    await kill(maker);
    for (const made of await Promise.all(asked)) {
      expect(await sharp(made ?? Buffer.alloc(0)).metadata()).toMatchObject({ format: 'jpeg' });
    }
    expect(makers()).not.toContain(maker);
  });

  test('and dies again and again is an error, but not for what comes later', async () => {
    const renderer = open();
    await renderer.render(requestOf(20));
    let isKilling = true;
    const killing = (async () => {
      while (isKilling) {
        for (const pid of makers()) await kill(pid).catch(() => {});
        await new Promise(done => setTimeout(done, 5));
      }
    })();
    await expect(renderer.render(requestOf(21))).rejects.toThrow(Overloaded);
    isKilling = false;
    await killing;
    expect(await renderer.render(requestOf(21))).not.toBeNull();
  });

  test('and hangs is killed, and what it was asked is answered by the next', async () => {
    const renderer = open({ timeoutMs: 500, graceMs: 1_500 });
    await renderer.render(requestOf(20));
    const [maker = 0] = makers();
    process.kill(maker, 'SIGSTOP');
    expect(await renderer.render(requestOf(21))).not.toBeNull();
    expect(isRunning(maker)).toBe(false);
  });

  test('and is too slow for a picture is replaced when it has answered', async () => {
    const large = sharp({ create: { width: 4_500, height: 4_500, channels: 3, background: 'red' } });
    const slow = requestOf(4_000, {
      hash: await store(await large.png().toBuffer()),
      recipe: recipeOf(4_000, 4_000, { encoding: 'avif', quality: 100 }),
    });
    const renderer = open({ timeoutMs: 50 });
    await renderer.render(requestOf(20)).catch(() => {});
    const before = makers();
    await expect(renderer.render(slow)).rejects.toThrow(Overloaded);
    await waitUntil(() => !before.some(isRunning));
  });

  test('ends at once when its renderer is closed, whatever it makes', async () => {
    const renderer = open({ concurrency: 1 });
    await renderer.render(requestOf(20));
    expect(makers()).toHaveLength(1);
    const recipe = recipeOf(4_000, 4_000, { encoding: 'avif', quality: 100 });
    const outcomes = Promise.allSettled([
      renderer.render(requestOf(0, { recipe })),
      renderer.render(requestOf(21)),
    ]);
    const closedAt = performance.now();
    await renderer.close();
    expect(performance.now() - closedAt).toBeLessThan(500);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await waitUntil(() => makers().length === 0);
  });
});

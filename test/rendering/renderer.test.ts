import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Overloaded,
  openRenderer,
  type Renderer,
  type RendererOptions,
  type RenderRequest,
} from '../../src/rendering/renderer.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { failing } from '../support/failing-storage.ts';
import { recipeOf } from '../support/image-server.ts';
import { paintQuarters } from '../support/painted-image.ts';
import { decodePixels, measureDistance } from './picture-distance.ts';

let folder: string;
let disk: Storage;
let hash: string;
let opened: Renderer[];
let logged: { msg: string; hash?: string }[];
/** Keys of originals, in the order in which they were read. */
let reads: string[];
/** What reading waits for. */
let gate: Promise<void>;
let openGate: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-renderer-'));
  disk = await openDiskStorage(folder);
  hash = await store(await paintQuarters().png().toBuffer());
  [opened, logged, reads] = [[], [], []];
  ({ promise: gate, resolve: openGate } = Promise.withResolvers<void>());
});
afterEach(async () => {
  openGate();
  await Promise.all(opened.map(renderer => renderer.close()));
  await rm(folder, { recursive: true });
});

async function store(bytes: Buffer): Promise<string> {
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  await disk.write(originalKey(contentHash, 'png'), bytes);
  return contentHash;
}

/** Reads through the gate. */
function open(options: Partial<RendererOptions> = {}): Renderer {
  const storage: Storage = {
    ...disk,
    async readBytes(key, maxBytes) {
      reads.push(key);
      await gate;
      return disk.readBytes(key, maxBytes);
    },
  };
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const renderer = openRenderer({ storage, log, concurrency: 2, maxWaitMs: 10_000, ...options });
  opened.push(renderer);
  return renderer;
}

const requestOf = (width: number, more: Partial<RenderRequest> = {}): RenderRequest => ({
  hash,
  extension: 'png',
  recipe: recipeOf(width, 10),
  ...more,
});

/** So many that differ. */
const askFor = (renderer: Renderer, count: number) =>
  Array.from({ length: count }, (_, index) => renderer.render(requestOf(index + 1)));

function expectRefused(outcome: PromiseSettledResult<unknown>): void {
  expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Overloaded) });
}

describe('equal requests', () => {
  test('are one render, though a thousand ask at once', async () => {
    const renderer = open();
    const asked = Array.from({ length: 1_000 }, () => renderer.render(requestOf(50)));
    openGate();
    const made = await Promise.all(asked);
    expect(reads).toHaveLength(1);
    expect(new Set(made).size).toBe(1);
    expect(made[0]?.subarray(0, 2).toString('hex')).toBe('ffd8');
  });

  test('are made anew when the first is done', async () => {
    const renderer = open();
    openGate();
    for (let count = 0; count < 3; count += 1) await renderer.render(requestOf(50));
    expect(reads).toHaveLength(3);
  });

  test('differ in each part of a recipe', async () => {
    const renderer = open({ concurrency: 1 });
    const recipe = recipeOf(50, 50);
    const focus = { x: 500, y: 500 };
    const recipes = [
      recipe,
      { ...recipe, width: 51 },
      { ...recipe, height: 51 },
      { ...recipe, focus },
      { ...recipe, focus: { ...focus, x: 501 } },
      { ...recipe, focus: { ...focus, y: 501 } },
      { ...recipe, quality: 1 },
      { ...recipe, encoding: 'webp' as const },
    ];
    const asked = recipes.map(some => renderer.render(requestOf(0, { recipe: some })));
    openGate();
    await Promise.all(asked);
    expect(reads).toHaveLength(recipes.length);
  });

  test('fail together, and are tried again by who asks next', async () => {
    const broken = await store(Buffer.from('no picture'));
    const renderer = open();
    openGate();
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() => renderer.render(requestOf(9, { hash: broken }))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(renderer.render(requestOf(9, { hash: broken }))).rejects.toThrow('unsupported image format');
    expect(reads).toHaveLength(2);
  });
});

describe('what is asked at once', () => {
  test('is begun as far as there are places', async () => {
    const renderer = open({ concurrency: 3 });
    const asked = askFor(renderer, 10);
    await wait(50);
    expect(reads).toHaveLength(3);
    openGate();
    expect(await Promise.all(asked)).not.toContain(null);
    expect(reads).toHaveLength(10);
  });

  test('is refused when it has waited too long', async () => {
    const renderer = open({ concurrency: 1, maxWaitMs: 100 });
    const [first, ...others] = askFor(renderer, 3);
    const outcomes = await Promise.allSettled(others);
    for (const outcome of outcomes) expectRefused(outcome);
    openGate();
    expect(await first).not.toBeNull();
    expect(reads).toHaveLength(1);
  });

  test('is refused at once when too much waits, and told when to come again', async () => {
    const renderer = open({ concurrency: 1, maxWaitMs: 1_000 });
    const startedAt = performance.now();
    const asked = askFor(renderer, 500);
    const refused = await Promise.allSettled(asked.slice(-400));
    expect(performance.now() - startedAt).toBeLessThan(500);
    for (const outcome of refused) {
      expectRefused(outcome);
      // What waits is likely to take a second, and it comes after that.
      expect(outcome).toMatchObject({ reason: { retryAfterSeconds: 2 } });
    }
    openGate();
    await Promise.allSettled(asked);
  });

  test('gives up its place in the line when nobody waits for it any more', async () => {
    const renderer = open({ concurrency: 1 });
    const leaving = new AbortController();
    const first = renderer.render(requestOf(1));
    const left = renderer.render(requestOf(2), leaving.signal);
    const last = renderer.render(requestOf(3));
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    openGate();
    expect(await Promise.all([first, last])).not.toContain(null);
    expect(reads).toHaveLength(2);
  });

  test('is made for those who stay when who asked first has gone', async () => {
    const renderer = open({ concurrency: 1 });
    const leaving = new AbortController();
    const before = renderer.render(requestOf(1));
    const left = renderer.render(requestOf(2), leaving.signal);
    const stays = renderer.render(requestOf(2));
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    openGate();
    expect(await Promise.all([before, stays])).not.toContain(null);
  });
});

describe('a place', () => {
  test('is free again after a failure', async () => {
    const renderer = open({ concurrency: 1, maxPixels: 10 });
    openGate();
    for (const outcome of await Promise.allSettled(askFor(renderer, 5))) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('pixel limit') },
      });
    }
    expect(await renderer.render(requestOf(1, { hash: 'a'.repeat(64) }))).toBeNull();
  });

  test('is kept by what takes too long until it has ended; who asked has an answer long before', async () => {
    const renderer = open({ concurrency: 1, timeoutMs: 100 });
    await expect(renderer.render(requestOf(1))).rejects.toThrow(Overloaded);
    expect(logged).toMatchObject([{ msg: 'A picture takes too long to make', hash }]);
    const next = renderer.render(requestOf(2));
    await wait(50);
    expect(reads).toHaveLength(1);
    openGate();
    expect(await next).not.toBeNull();
  });
});

describe('a renderer', () => {
  test('makes the same of an original that it knows as one that does not', async () => {
    openGate();
    const [knowing, fresh] = [open(), open()];
    const request = requestOf(20, {
      recipe: recipeOf(20, 30, { encoding: 'png', focus: { x: 0, y: 1_000 } }),
    });
    await knowing.render(requestOf(50));
    expect(await knowing.render(request)).toEqual(await fresh.render(request));
  });

  test('answers null where there is no such original', async () => {
    openGate();
    expect(await open().render(requestOf(1, { hash: 'a'.repeat(64) }))).toBeNull();
    expect(await open().render(requestOf(1, { extension: 'jpg' }))).toBeNull();
  });

  test('tells that the storage fails', async () => {
    await expect(open({ storage: failing(disk) }).render(requestOf(1))).rejects.toThrow(StorageFailed);
  });

  test('that is closed refuses what waits and comes, and ends what it has begun', async () => {
    const renderer = open({ concurrency: 1 });
    const [first, second] = askFor(renderer, 2);
    let isClosed = false;
    const closing = renderer.close().then(() => {
      isClosed = true;
    });
    for (const outcome of await Promise.allSettled([second, renderer.render(requestOf(3))]))
      expectRefused(outcome);
    expect(isClosed).toBe(false);
    openGate();
    expect(await first).not.toBeNull();
    await closing;
  });
});

describe('several sizes of one original', () => {
  const original = { width: 1_200, height: 800 };
  const ask = (renderer: Renderer, width: number, more: Partial<RenderRequest> = {}) =>
    renderer.render({ ...requestOf(1), recipe: recipeOf(width, (width * 2) / 3), ...more });
  const distanceBetween = async (one: Buffer | null, other: Buffer | null) =>
    measureDistance(await decodePixels(one ?? expect.fail()), await decodePixels(other ?? expect.fail()));

  beforeEach(async () => {
    const { width, height } = original;
    hash = await store(await paintQuarters().resize(width, height, { kernel: 'nearest' }).png().toBuffer());
    openGate();
  });

  test('are made of it but for two', async () => {
    const renderer = open({ maxReductionBytes: 10_000_000 });
    for (const width of [300, 297, 294, 240, 150, 90]) expect(await ask(renderer, width)).not.toBeNull();
    expect(reads).toHaveLength(2);
  });

  test('are made of it twice where as many pixels are wanted as the smaller one has', async () => {
    const renderer = open({ maxReductionBytes: 10_000_000 });
    // A quarter has 300 pixels for 240, but not for 300; a half has 600 for 480.
    for (const width of [240, 240, 300, 300, 480, 480, 600]) await ask(renderer, width);
    expect(reads).toHaveLength(5);
  });

  test('look as if they were made of it', async () => {
    const [plain, reducing] = [open(), open({ maxReductionBytes: 10_000_000 })];
    for (const width of [210, 207, 204]) {
      for (const focus of [null, { x: 900, y: 100 }]) {
        const recipe = recipeOf(focus ? width - 50 : width, (width * 2) / 3, { encoding: 'png', focus });
        const [one, other] = await Promise.all([plain, reducing].map(each => ask(each, width, { recipe })));
        expect(await distanceBetween(one ?? null, other ?? null)).toBeLessThan(2);
      }
    }
    expect(reads).toHaveLength(6 + 2);
  });

  test('share what is being made smaller', async () => {
    const renderer = open({ concurrency: 8, maxReductionBytes: 10_000_000 });
    await ask(renderer, 300);
    ({ promise: gate, resolve: openGate } = Promise.withResolvers<void>());
    const asked = [297, 294, 291, 288].map(width => ask(renderer, width));
    await wait(50);
    openGate();
    expect(await Promise.all(asked)).not.toContain(null);
    expect(await ask(renderer, 285)).not.toBeNull();
    // All four had read it before one had made it smaller.
    expect(reads).toHaveLength(5);
  });

  test('are no more to be had when it has been removed', async () => {
    const renderer = open({ maxReductionBytes: 10_000_000 });
    for (const width of [300, 297, 294]) expect(await ask(renderer, width)).not.toBeNull();
    await disk.remove(originalKey(hash, 'png'));
    expect(await ask(renderer, 291)).toBeNull();
    expect(await ask(renderer, 288)).toBeNull();
    expect(reads).toHaveLength(3);
  });

  test.each([
    ['nothing may be kept', 0, original],
    ['it has few pixels', 10_000_000, { width: 600, height: 400 }],
    // A half takes 720,000 bytes.
    ['what is made smaller takes too much', 2_800_000, original],
  ])('are all made of it where %s', async (_where, maxReductionBytes, { width, height }) => {
    hash = await store(await paintQuarters().resize(width, height).png().toBuffer());
    const renderer = open({ maxReductionBytes });
    for (let narrower = 0; narrower < 4; narrower += 1)
      await ask(renderer, 396 * (width / original.width) - 3 * narrower);
    expect(reads).toHaveLength(4);
  });

  test('fail one by one where it is broken', async () => {
    const whole = await paintQuarters().resize(original.width, original.height).png().toBuffer();
    hash = await store(whole.subarray(0, whole.length / 2));
    const renderer = open({ maxReductionBytes: 10_000_000 });
    for (const width of [300, 297, 294]) await expect(ask(renderer, width)).rejects.toThrow(/png/i);
    expect(reads).toHaveLength(3);
  });
});

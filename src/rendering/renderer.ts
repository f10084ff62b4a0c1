import { LRUCache } from 'lru-cache';
import { createBudget } from '../imaging/budget.ts';
import { freeBytes } from '../imaging/free-bytes.ts';
import type { Logger } from '../log.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { estimateMemory, estimateReducing, estimateRendering } from './memory-estimate.ts';
import { Overloaded, openQueue } from './queue.ts';
import { createReductions, findDivisor } from './reductions.ts';
import {
  findScale,
  type OriginalHeader,
  type Reduction,
  readHeader,
  reducePicture,
  renderPicture,
  renderReduced,
  type SettledRecipe,
  sizeOfReduction,
} from './render.ts';
import { createSingleFlight } from './single-flight.ts';

export { Overloaded };

/** What a renderer is asked for: a recipe whose encoding is settled. */
export interface RenderRequest {
  /** Of the original. */
  hash: string;
  extension: string;
  recipe: SettledRecipe;
}

export interface Renderer {
  /**
   * The picture's bytes; null when there is no such original. Requests beyond what runs at once wait, up to a bound;
   * equal ones at once are made once, and share the buffer. What waits is not begun when all who asked have left by
   * their `signal`; each gets its reason.
   * @throws {Overloaded} when too many wait, one waited too long, or the making takes too long
   */
  render(request: RenderRequest, signal?: AbortSignal): Promise<Buffer | null>;
  /** Ends when what is under way has; what waits is refused. */
  close(): Promise<void>;
}

export interface RendererOptions {
  storage: Storage;
  log: Logger;
  /** Pictures made at once, each in a thread of libuv's; files are read by the same, so leave one free. */
  concurrency: number;
  /** How long a request waits for its turn. */
  maxWaitMs: number;
  /** Of an original. */
  maxPixels?: number;
  /** For the making of one picture, reading the original included. */
  timeoutMs?: number;
  /** For all that are made at once, as estimated. */
  maxMemoryBytes?: number;
  /** Beyond that, for originals made smaller, of which further renditions are made; none by default. */
  maxReductionBytes?: number;
}

/** Whatever MAX_FILE_BYTES is now, or was. */
const maxOriginalBytes = 200_000_000;

/** Of originals: renditions of one are often asked for together, and a header costs a fiftieth of a small one. */
const headersRemembered = 1_000;

export function openRenderer(options: RendererOptions): Renderer {
  const { storage, log, concurrency, maxWaitMs } = options;
  const { maxPixels = 25_000_000, timeoutMs = 20_000, maxMemoryBytes = 176_000_000 } = options;
  const limits = { maxPixels, timeoutMs };
  const queue = openQueue({ concurrency, maxWaitMs });
  const memory = createBudget(maxMemoryBytes);
  const flights = createSingleFlight<Buffer | null>();
  const reductions = createReductions(options.maxReductionBytes ?? 0);
  const headers = new LRUCache<string, OriginalHeader>({ max: headersRemembered });

  const findHeader = async (hash: string, original: Buffer): Promise<OriginalHeader> => {
    const header = headers.get(hash) ?? (await readHeader(original));
    headers.set(hash, header);
    return header;
  };

  const reduce = async (original: Buffer, header: OriginalHeader, divisor: number) =>
    memory.spend(estimateReducing(header, divisor), () => reducePicture(original, header, divisor, limits));

  const findOrReduce = async (
    original: Buffer,
    hash: string,
    header: OriginalHeader,
    divisor: number | null,
  ) => {
    if (divisor === null) return null;
    // Another size of it may have come meanwhile.
    const found = reductions.find(hash, divisor);
    if (found || !reductions.isWanted(hash, divisor, bytesOfReduction(header, divisor))) return found;
    const reducing = reduce(original, header, divisor);
    reductions.keep(hash, divisor, reducing);
    return reducing;
  };

  const makeOfReduction = async (reduction: Reduction, header: OriginalHeader, recipe: SettledRecipe) =>
    memory.spend(estimateRendering(header, recipe), () => renderReduced(reduction, header, recipe));

  const makeOfOriginal = async (original: Buffer, hash: string, recipe: SettledRecipe) => {
    const header = await findHeader(hash, original);
    const reduction = await findOrReduce(original, hash, header, divisorFor(header, recipe));
    if (reduction) return makeOfReduction(reduction, header, recipe);
    return memory.spend(estimateMemory(header, recipe), () =>
      renderPicture(original, header, recipe, limits),
    );
  };

  const make = async ({ hash, extension, recipe }: RenderRequest) => {
    const key = originalKey(hash, extension);
    const header = headers.get(hash);
    const divisor = header ? divisorFor(header, recipe) : null;
    const reduction = divisor === null ? null : reductions.find(hash, divisor);
    if (header && reduction) {
      if (await storage.stat(key)) return makeOfReduction(await reduction, header, recipe);
      reductions.drop(hash);
      return null;
    }
    const original = await storage.readBytes(key, maxOriginalBytes);
    if (!original) return null;
    try {
      return await makeOfOriginal(original, hash, recipe);
    } finally {
      freeBytes(original);
    }
  };

  /** A decoder cannot be stopped at once: whoever asked gets an answer in time, the place is free when it has ended. */
  const makeInTime = async (request: RenderRequest, signal: AbortSignal): Promise<Buffer | null> => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | null>();
    const run = queue.run(async () => {
      const timer = setTimeout(() => {
        log.warn({ ...request, timeoutMs }, 'A picture takes too long to make');
        reject(new Overloaded(Math.ceil(timeoutMs / 1_000)));
      }, timeoutMs);
      return make(request).finally(() => clearTimeout(timer));
    }, signal);
    run.then(resolve, reject);
    return promise;
  };

  return {
    render: (request, signal = new AbortController().signal) =>
      flights.run(formatKey(request), signal, left => makeInTime(request, left)),
    close: () => queue.close(),
  };
}

function divisorFor({ autoOrient }: OriginalHeader, recipe: SettledRecipe): number | null {
  return findDivisor(autoOrient.width * autoOrient.height, findScale(autoOrient, recipe));
}

/** Grey ones, too, come out in sRGB. */
function bytesOfReduction({ autoOrient, hasAlpha }: OriginalHeader, divisor: number): number {
  const { width, height } = sizeOfReduction(autoOrient, divisor);
  return width * height * (hasAlpha ? 4 : 3);
}

function formatKey({ hash, extension, recipe }: RenderRequest): string {
  const { width, height, focus, quality, encoding } = recipe;
  return [hash, extension, width, height, focus?.x, focus?.y, quality, encoding].join(' ');
}

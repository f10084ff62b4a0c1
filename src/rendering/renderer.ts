import { LRUCache } from 'lru-cache';
import { createBudget } from '../imaging/budget.ts';
import { freeBytes } from '../imaging/free-bytes.ts';
import type { Logger } from '../log.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { estimateMemory } from './memory-estimate.ts';
import { Overloaded, openQueue } from './queue.ts';
import { type OriginalHeader, readHeader, renderPicture, type SettledRecipe } from './render.ts';
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
  /** Pictures made at once, each in a thread of libuv's four; files are read by the same, so leave one free. */
  concurrency: number;
  /** Originals read meanwhile for those that come next, so that no processor waits for a file; none by default. */
  readAhead?: number;
  /** How long a request waits for its turn. */
  maxWaitMs: number;
  /** Of an original. */
  maxPixels?: number;
  /** For the making of one picture, reading the original included. */
  timeoutMs?: number;
  /** For all that are made at once, as estimated. */
  maxMemoryBytes?: number;
}

/** Whatever MAX_FILE_BYTES is now, or was. */
const maxOriginalBytes = 200_000_000;

/** Of originals: renditions of one are often asked for together, and a header costs a fiftieth of a small one. */
const headersRemembered = 1_000;

export function openRenderer(options: RendererOptions): Renderer {
  const { storage, log, concurrency, maxWaitMs } = options;
  const { maxPixels = 25_000_000, timeoutMs = 20_000, maxMemoryBytes = 208_000_000, readAhead = 0 } = options;
  const queue = openQueue({ concurrency: concurrency + readAhead, maxWaitMs });
  const threads = createBudget(concurrency);
  const memory = createBudget(maxMemoryBytes);
  const flights = createSingleFlight<Buffer | null>();
  const headers = new LRUCache<string, OriginalHeader>({ max: headersRemembered });

  const findHeader = async (hash: string, original: Buffer): Promise<OriginalHeader> => {
    const header = headers.get(hash) ?? (await readHeader(original));
    headers.set(hash, header);
    return header;
  };

  const make = async ({ hash, extension, recipe }: RenderRequest) => {
    const original = await storage.readBytes(originalKey(hash, extension), maxOriginalBytes);
    if (!original) return null;
    try {
      const header = await findHeader(hash, original);
      const making = () => renderPicture(original, header, recipe, { maxPixels, timeoutMs });
      return await memory.spend(estimateMemory(header, recipe), () => threads.spend(1, making));
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

function formatKey({ hash, extension, recipe }: RenderRequest): string {
  const { width, height, focus, quality, encoding } = recipe;
  return [hash, extension, width, height, focus?.x, focus?.y, quality, encoding].join(' ');
}

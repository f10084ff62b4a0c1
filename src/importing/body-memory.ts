import { createBudget } from '../imaging/budget.ts';
import { untilAborted } from './deadline.ts';

/** What the bodies of all downloads take of memory at the most. */
export interface BodyMemory {
  openShare(): BodyShare;
}

/** What one body takes, until it is disposed of. */
export interface BodyShare extends Disposable {
  /** A body of no more bytes waits for nobody. */
  freeBytes: number;
  /** At least so many bytes, with whatever an earlier body left in them. */
  allocate(bytes: number): Buffer<ArrayBuffer>;
  /** What was allocated may serve other bodies: nobody looks at it any more. Else it is left to the garbage collector. */
  giveBack(): void;
  /** Waits for one of few places for larger bodies, unless it has one. */
  takePlace(signal: AbortSignal): Promise<void>;
}

const largeBodies = 3;
/** Shared evenly by all that may be under way. */
const freeBytesAtOnce = 32_000_000;

/** Bounds what `concurrency` bodies take at once: each a little, three of them as much as they may have. */
export function createBodyMemory(concurrency: number): BodyMemory {
  const places = createBudget(largeBodies);
  const freeBytes = Math.floor(freeBytesAtOnce / concurrency);
  const spares = createSpares(concurrency);
  return {
    openShare() {
      const allocated: Buffer<ArrayBuffer>[] = [];
      const over = Promise.withResolvers<void>();
      let place: Promise<void> | null = null;
      const take = () => {
        const taken = Promise.withResolvers<void>();
        // Also one that nobody waits for any more by the time it is free; it is given back at once then.
        void places.spend(1, () => {
          taken.resolve();
          return over.promise;
        });
        return taken.promise;
      };
      return {
        freeBytes,
        allocate(bytes) {
          const buffer = spares.take(bytes);
          allocated.push(buffer);
          return buffer;
        },
        giveBack() {
          for (const buffer of allocated.splice(0)) spares.put(buffer);
        },
        takePlace(signal) {
          place ??= take();
          return untilAborted(place, signal);
        },
        [Symbol.dispose]: () => over.resolve(),
      };
    },
  };
}

const spareUnitBytes = 64 * 1024;
const maxSpareBytes = 1_000_000;

interface Spares {
  take(bytes: number): Buffer<ArrayBuffer>;
  put(buffer: Buffer<ArrayBuffer>): void;
}

/**
 * Buffers that were used, for bodies of about their size. V8 collects all garbage for every few dozen megabytes that are
 * allocated outside its heap, which stops requests for ten milliseconds; a hundred images a second would make it do so
 * every second.
 */
function createSpares(maxSpares: number): Spares {
  const spares: Buffer<ArrayBuffer>[] = [];
  return {
    take(bytes) {
      const at = spares.findIndex(
        ({ length }) => length >= bytes && length <= 4 * Math.max(bytes, spareUnitBytes),
      );
      const [spare] = at < 0 ? [] : spares.splice(at, 1);
      return spare ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / spareUnitBytes) * spareUnitBytes);
    },
    put(buffer) {
      if (buffer.length > maxSpareBytes) return;
      spares.unshift(buffer);
      spares.splice(maxSpares);
    },
  };
}

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
  return {
    openShare() {
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
        takePlace(signal) {
          place ??= take();
          return untilAborted(place, signal);
        },
        [Symbol.dispose]: () => over.resolve(),
      };
    },
  };
}

import { LRUCache } from 'lru-cache';
import type { Reduction } from './render.ts';

/**
 * Originals made smaller, in memory: several sizes of one are mostly asked for within a short time, and each would decode
 * the whole original anew. Made for the second of them, so that an original of which one size is wanted costs no more.
 */
export interface Reductions {
  /** The least that has enough pixels for what an original divided by `divisor` has enough for. */
  find(hash: string, divisor: number): Promise<Reduction> | null;
  /**
   * Whether one of so many bytes would be used: it would have been, had it been made when it was last asked for. Notes
   * that it was asked for.
   */
  isWanted(hash: string, divisor: number, bytes: number): boolean;
  /** Shared from now on by who asks; forgotten again if it fails. */
  keep(hash: string, divisor: number, reduction: Promise<Reduction>): void;
  drop(hash: string): void;
}

/** What could not be made yet takes its share, too, so that nothing is made which would have to go before it is used. */
interface Entry {
  reduction: Promise<Reduction> | null;
  bytes: number;
}

/** One large original must not push out many. */
const largestShare = 1 / 4;

/** @param maxBytes of pixels; 0 for none */
export function createReductions(maxBytes: number): Reductions {
  const largest = Math.floor(maxBytes * largestShare);
  const entries = new LRUCache<string, Entry>({
    maxSize: Math.max(maxBytes, 1),
    sizeCalculation: ({ bytes }) => bytes,
  });
  return {
    find(hash, divisor) {
      for (let each = divisor; each > 1; each /= 2) {
        const found = entries.get(keyOf(hash, each))?.reduction;
        if (found) return found;
      }
      return null;
    },
    isWanted(hash, divisor, bytes) {
      if (bytes > largest) return false;
      const key = keyOf(hash, divisor);
      if (entries.has(key)) return true;
      entries.set(key, { reduction: null, bytes });
      return false;
    },
    keep(hash, divisor, reduction) {
      const key = keyOf(hash, divisor);
      const bytes = entries.get(key)?.bytes;
      if (bytes === undefined) return;
      const entry = { reduction, bytes };
      entries.set(key, entry);
      reduction.catch(() => {
        if (entries.peek(key) === entry) entries.delete(key);
      });
    },
    drop(hash) {
      for (let each = 2; each <= largestDivisor; each *= 2) entries.delete(keyOf(hash, each));
    },
  };
}

/** Below so many pixels an original is decoded in no time. */
const leastPixels = 500_000;

/** As sharp leaves when it lets a decoder shrink: so many pixels for each of a rendition, along a side. */
const leastScale = 1.25;

const largestDivisor = 64;

/**
 * By what an original of so many pixels is divided for a rendition that has one for `scale` of its own, along a side: a
 * power of two. Null where it is better made of the original.
 */
export function findDivisor(pixels: number, scale: number): number | null {
  if (pixels < leastPixels || scale < 2 * leastScale) return null;
  return Math.min(2 ** Math.floor(Math.log2(scale / leastScale)), largestDivisor);
}

function keyOf(hash: string, divisor: number): string {
  return `${hash}/${divisor}`;
}

import { LRUCache } from 'lru-cache';

export interface BucketOptions {
  /** What a bucket holds when it is full, as each is at first. */
  capacity: number;
  perSecond: number;
  /** Of the buckets that were touched last so many are remembered; another is full again. */
  maxBuckets?: number;
  /** In milliseconds; of a clock that never goes back. */
  now?: () => number;
}

export interface Taking {
  isTaken: boolean;
  /** In the bucket afterwards; never less than nothing. */
  left: number;
  /** Until there is enough; 0 where it was taken, Infinity where a full bucket does not hold so much. */
  waitMs: number;
}

export interface TokenBuckets {
  readonly capacity: number;
  readonly perSecond: number;
  /** Takes all of `amount`, or nothing where there is less. */
  take(key: string, amount: number): Taking;
}

interface Bucket {
  level: number;
  at: number;
}

/** A bucket for each key, which fills up steadily; what is taken from it in a rush is at most what it holds. */
export function createTokenBuckets({
  capacity,
  perSecond,
  maxBuckets = 20_000,
  now = () => performance.now(),
}: BucketOptions): TokenBuckets {
  const buckets = new LRUCache<string, Bucket>({ max: maxBuckets });

  function take(key: string, amount: number): Taking {
    const at = now();
    const bucket = buckets.get(key) ?? { level: capacity, at };
    const level = Math.min(bucket.level + ((at - bucket.at) / 1_000) * perSecond, capacity);
    const isTaken = amount <= level;
    const left = isTaken ? level - amount : level;
    buckets.set(key, { level: left, at });
    return { isTaken, left, waitMs: isTaken ? 0 : findWaitMs(amount - level, amount) };
  }

  const findWaitMs = (missing: number, amount: number) =>
    amount > capacity ? Number.POSITIVE_INFINITY : (missing / perSecond) * 1_000;

  return { capacity, perSecond, take };
}

import { LRUCache } from 'lru-cache';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { createBreaker } from './breaker.ts';
import { inTime } from './cache-storage.ts';

/** Tells whether originals are still there: what was made of one that is purged is not handed out, whoever purged it. */
export interface OriginalWatch {
  /** Whether it was there a little while ago; costs nothing. */
  wasThere(hash: string): boolean;
  /** Looks into the storage, unless that was done a little while ago. While the storage fails, all counts as there. */
  isThere(original: { hash: string; extension: string }): Promise<boolean>;
  /** To be called when it was removed. */
  forget(hash: string): void;
}

/** For so long after a look what another process purges is still handed out. */
const defaultLookIntervalMs = 60_000;
const lookTimeoutMs = 500;
const originalsRemembered = 100_000;
const [maxFailures, pauseMs] = [3, 5_000];

export function watchOriginals(
  storage: Pick<Storage, 'stat'>,
  lookIntervalMs = defaultLookIntervalMs,
): OriginalWatch {
  const known = new LRUCache<string, true>({
    max: originalsRemembered,
    ttl: lookIntervalMs,
    ttlResolution: lookIntervalMs / 60,
  });
  const looking = new Map<string, Promise<boolean>>();
  const breaker = createBreaker(maxFailures, pauseMs);

  async function look(hash: string, extension: string): Promise<boolean> {
    if (breaker.isOpen()) return true;
    try {
      const found = await inTime(storage.stat(originalKey(hash, extension)), lookTimeoutMs);
      breaker.succeeded();
      return found !== null;
    } catch {
      // Whoever needs the original tells what is wrong.
      breaker.failed();
      return true;
    }
  }

  return {
    wasThere: hash => known.get(hash) === true,
    async isThere({ hash, extension }) {
      if (known.get(hash)) return true;
      const begun = looking.get(hash) ?? look(hash, extension);
      looking.set(hash, begun);
      const isThere = await begun;
      // Not where it was removed while it was looked at.
      if (looking.get(hash) === begun && looking.delete(hash) && isThere) known.set(hash, true);
      return isThere;
    },
    forget(hash) {
      known.delete(hash);
      looking.delete(hash);
    },
  };
}

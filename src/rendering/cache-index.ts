import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** What is stored, from the most to the least lately used. Knows keys and sizes only, so that it may be mistaken. */
export interface CacheIndex {
  /** What was just written. What is then too much drops out. */
  add(key: string, bytes: number): void;
  /** What was just read, whoever wrote it; not counted while it is being removed. */
  addFound(key: string, bytes: number): void;
  touch(key: string): void;
  /** What turned out not to be there. */
  delete(key: string): void;
  /** Drops out at once. */
  drop(key: string): void;
  /** Lets the least used drop out until so much is freed. */
  release(bytes: number): void;
  /** Takes in what others stored and forgets what is no longer there. */
  compareWith(stored: AsyncIterable<{ key: string; size: number }>, stop: AbortSignal): Promise<void>;
  bytes(): number;
}

/** A disk gives a file whole blocks, and an entry costs some 230 bytes of memory: at most 140 MB for 5 GB. */
const unitBytes = 8_192;

const keysATurn = 1_000;

/** `remove` is told of what drops out, and ends when it is gone or will stay. */
export function createCacheIndex(maxBytes: number, remove: (key: string) => Promise<void>): CacheIndex {
  const entries = new LRUCache<string, true>({
    maxSize: Math.max(maxBytes, unitBytes),
    dispose: (_value, key, reason) => {
      if (reason === 'evict') letGo(key);
    },
  });
  /** Dropped out, and maybe still there. */
  const leaving = new Set<string>();
  /** While listing: what was listed, and what came or went meanwhile, of which the list may be wrong. */
  let seen: Set<string> | null = null;

  const letGo = (key: string) => {
    seen?.add(key);
    leaving.add(key);
    void remove(key).finally(() => leaving.delete(key));
  };

  const add = (key: string, bytes: number) => {
    seen?.add(key);
    entries.set(key, true, { size: Math.max(Math.ceil(bytes / unitBytes), 1) * unitBytes });
  };

  const addFound = (key: string, bytes: number) => {
    if (!leaving.has(key)) add(key, bytes);
  };

  return {
    add,
    addFound,
    touch: key => void entries.get(key),
    delete(key) {
      seen?.add(key);
      entries.delete(key);
    },
    drop(key) {
      entries.delete(key);
      letGo(key);
    },
    release(bytes) {
      const target = entries.calculatedSize - bytes;
      while (entries.size > 0 && entries.calculatedSize > target) entries.pop();
    },
    async compareWith(stored, stop) {
      seen = new Set();
      try {
        for await (const { key, size } of stored) {
          stop.throwIfAborted();
          // Those that are known keep their place.
          if (entries.has(key)) seen.add(key);
          else if (!seen.has(key)) addFound(key, size);
        }
        await deleteAllBut(entries, seen);
      } finally {
        seen = null;
      }
    },
    bytes: () => entries.calculatedSize,
  };
}

async function deleteAllBut(entries: LRUCache<string, true>, seen: ReadonlySet<string>): Promise<void> {
  let count = 0;
  for (const key of [...entries.keys()]) {
    if (!seen.has(key)) entries.delete(key);
    if (++count % keysATurn === 0) await nextTurn();
  }
}

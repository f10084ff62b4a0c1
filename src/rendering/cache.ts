import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { freeBytes } from '../imaging/free-bytes.ts';
import type { Logger } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import { createBacklog } from './backlog.ts';
import { createCacheIndex } from './cache-index.ts';
import { type CacheStorageOptions, maxObjectBytes, openCacheStorage } from './cache-storage.ts';
import { seal, unseal } from './sealed.ts';

export interface Found {
  bytes: Buffer;
  /** Nobody else has the bytes, nor will have: who asked may free their memory. */
  isSole: boolean;
}

/** Keeps renditions until there is too much, and then forgets the least used. Whatever happens to it, it never fails. */
export interface Cache {
  /** From memory alone. */
  recall(key: string): Buffer | null;
  /** Null when it is not there, or does not come at once. */
  find(key: string): Promise<Found | null>;
  /** In memory from now on; stored when there is time. */
  keep(key: string, bytes: Buffer): void;
  /** Drops what begins with `prefix`, here and in the storage, but not in the memory of other processes. */
  drop(prefix: string): Promise<void>;
  bytes(): { memoryBytes: number; storedBytes: number };
  /** Ends when what is to be stored is, or after a while. */
  close(): Promise<void>;
}

export interface CacheOptions extends Omit<CacheStorageOptions, 'open'> {
  /** Null for none: then only memory is used. */
  open: (() => Promise<Storage>) | null;
  log: Logger;
  maxBytes: number;
  /** Of memory. */
  maxMemoryBytes: number;
  /** Between two looks at what other processes stored and removed; the first is at once. */
  listIntervalMs?: number;
}

const writesAtOnce = 2;
const maxBytesWaiting = 32_000_000;
const closeTimeoutMs = 3_000;
/** One large picture must not push out all small ones. */
const largestShare = 1 / 8;
/** Of those that may come into memory. */
const keysRemembered = 10_000;
/** What goes when the disk is full before the cache is. */
const shareReleased = 0.05;

export function openCache(options: CacheOptions): Cache {
  const memory = createMemory(options.maxMemoryBytes);
  const stored = options.open && openStored({ ...options, open: options.open });
  return {
    recall(key) {
      const bytes = memory?.get(key);
      if (bytes) stored?.touch(key);
      return bytes ?? null;
    },
    async find(key) {
      const found = (await stored?.find(key)) ?? null;
      const isKept = found !== null && memory?.offer(key, found.bytes);
      return found && { bytes: found.bytes, isSole: found.isSole && !isKept };
    },
    keep(key, bytes) {
      memory?.set(key, bytes);
      stored?.keep(key, bytes);
    },
    async drop(prefix) {
      memory?.drop(prefix);
      await stored?.drop(prefix);
    },
    bytes: () => ({ memoryBytes: memory?.bytes() ?? 0, storedBytes: stored?.bytes() ?? 0 }),
    close: async () => stored?.close(),
  };
}

/** Null for none. */
function createMemory(maxBytes: number) {
  if (maxBytes === 0) return null;
  const pictures = new LRUCache<string, Buffer>({
    maxSize: maxBytes,
    maxEntrySize: Math.ceil(maxBytes * largestShare),
    sizeCalculation: bytes => Math.max(bytes.length, 1),
  });
  const askedOnce = new LRUCache<string, true>({ max: keysRemembered });
  return {
    bytes: () => pictures.calculatedSize,
    get: (key: string) => pictures.get(key),
    set: (key: string, bytes: Buffer) => pictures.set(key, bytes),
    /** Takes it the second time: what is asked for once must not push out what is asked for often. */
    offer(key: string, bytes: Buffer): boolean {
      if (!askedOnce.delete(key)) {
        askedOnce.set(key, true);
        return false;
      }
      pictures.set(key, bytes);
      return true;
    },
    drop(prefix: string) {
      for (const key of [...pictures.keys()]) if (key.startsWith(prefix)) pictures.delete(key);
    },
  };
}

function openStored(options: CacheOptions & CacheStorageOptions) {
  const storage = openCacheStorage(options);
  const backlog = createBacklog(writesAtOnce, maxBytesWaiting);
  const remove = (key: string) =>
    new Promise<void>(resolve => {
      const isTaken = backlog.add(0, () => storage.remove(key).then(resolve));
      if (!isTaken) resolve();
    });
  const index = createCacheIndex(options.maxBytes, remove);
  const stopListing = listNowAndThen(storage, index, options.listIntervalMs);

  const write = async (key: string, bytes: Buffer) => {
    // The answer first.
    await nextTurn();
    const sealed = seal(key, bytes);
    const outcome = await storage.write(key, sealed);
    if (outcome === 'written') {
      index.add(key, sealed.length);
      freeBytes(sealed);
    }
    if (outcome === 'full') index.release(index.bytes() * shareReleased);
  };

  const read = async (key: string): Promise<Buffer | null> => {
    const sealed = await storage.read(key);
    if (sealed === 'failed') return null;
    const bytes = sealed && unseal(key, sealed);
    if (sealed && bytes) index.addFound(key, sealed.length);
    else if (sealed) index.drop(key);
    else index.delete(key);
    return bytes;
  };

  const reads = new Map<string, { result: Promise<Buffer | null>; readers: number }>();
  const beginRead = (key: string) => {
    const begun = { result: read(key).finally(() => reads.delete(key)), readers: 0 };
    reads.set(key, begun);
    return begun;
  };

  return {
    touch: index.touch,
    bytes: index.bytes,
    async find(key: string): Promise<Found | null> {
      const shared = reads.get(key) ?? beginRead(key);
      shared.readers++;
      const bytes = await shared.result;
      return bytes && { bytes, isSole: shared.readers === 1 };
    },
    keep(key: string, bytes: Buffer) {
      if (bytes.length > Math.min(options.maxBytes * largestShare, maxObjectBytes)) return;
      backlog.add(bytes.length, () => write(key, bytes));
    },
    async drop(prefix: string) {
      await storage.list(prefix, async found => {
        for await (const { key } of found) index.drop(key);
      });
    },
    async close() {
      stopListing();
      await backlog.close(closeTimeoutMs);
      await storage.close();
    },
  };
}

const defaultListIntervalMs = 15 * 60 * 1_000;

/** Begins at once; answers how to stop. */
function listNowAndThen(
  storage: ReturnType<typeof openCacheStorage>,
  index: ReturnType<typeof createCacheIndex>,
  intervalMs = defaultListIntervalMs,
): () => void {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout;
  const list = async () => {
    await storage.list('', stored => index.compareWith(stored, stopping.signal));
    if (!stopping.signal.aborted) timer = setTimeout(list, intervalMs).unref();
  };
  void list();
  return () => {
    stopping.abort();
    clearTimeout(timer);
  };
}

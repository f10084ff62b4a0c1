import type { Logger } from '../log.ts';
import { type Storage, StorageFailed } from '../storage/storage.ts';
import { createBreaker } from './breaker.ts';
import { sealBytes } from './sealed.ts';

/** A storage that may be away, slow or full without anybody taking harm: nothing here fails. */
export interface CacheStorage {
  /** Null when absent. */
  read(key: string): Promise<Buffer | null | 'failed'>;
  write(key: string, bytes: Uint8Array): Promise<'written' | 'failed' | 'full'>;
  remove(key: string): Promise<void>;
  /** What `use` does with the list ends early where listing fails. */
  list(prefix: string, use: (stored: ReturnType<Storage['list']>) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface CacheStorageOptions {
  /** Also called again, when the place is gone. */
  open: () => Promise<Storage>;
  log: Logger;
  /** How long a read may keep a request waiting. */
  readTimeoutMs?: number;
  /** How long a storage that failed three times is left alone. */
  pauseMs?: number;
}

/** What is larger is not kept. 4096 × 4096 pixels of four bytes are less. */
export const maxObjectBytes = 70_000_000;

const maxFailures = 3;

export function openCacheStorage(options: CacheStorageOptions): CacheStorage {
  const { open, log, readTimeoutMs = 500, pauseMs = 5_000 } = options;
  // Apart, for a disk that is full can be read.
  const reading = createBreaker(maxFailures, pauseMs);
  const writing = createBreaker(maxFailures, pauseMs);
  let opened: Promise<Storage> | null = null;
  const openOnce = () => {
    opened ??= open().catch(error => {
      opened = null;
      throw error;
    });
    return opened;
  };

  const attempt = async <Result>(
    breaker: typeof reading,
    deed: (storage: Storage) => Promise<Result>,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<{ result: Result } | { error: unknown }> => {
    if (breaker.isOpen()) return { error: null };
    try {
      const result = await inTime(openOnce().then(deed), timeoutMs);
      breaker.succeeded();
      return { result };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') opened = null;
      if (breaker.failed())
        log.warn({ err: error, pauseMs }, 'The cache fails; it is left alone for a while');
      else log.debug({ err: error }, 'The cache failed');
      return { error };
    }
  };

  return {
    async read(key) {
      const read = (storage: Storage) => storage.readBytes(key, maxObjectBytes + sealBytes);
      const done = await attempt(reading, read, readTimeoutMs);
      return 'result' in done ? done.result : 'failed';
    },
    async write(key, bytes) {
      const done = await attempt(writing, storage => storage.write(key, bytes, { durable: false }));
      if ('result' in done) return 'written';
      return ['ENOSPC', 'EDQUOT'].includes(codeOf(done.error)) ? 'full' : 'failed';
    },
    async remove(key) {
      await attempt(writing, storage => storage.remove(key, { durable: false }));
    },
    async list(prefix, use) {
      await attempt(reading, storage => use(storage.list(prefix)));
    },
    async close() {
      if (opened)
        await inTime(opened, readTimeoutMs).then(
          storage => storage.close(),
          () => {},
        );
    },
  };
}

/** Rejects when that takes too long; it goes on all the same. */
export async function inTime<Result>(promise: Promise<Result>, timeoutMs: number): Promise<Result> {
  if (timeoutMs === Number.POSITIVE_INFINITY) return promise;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new StorageFailed(`no answer came within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof StorageFailed ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../data/database.ts';
import { purgeOverdueImages } from '../data/image-writes.ts';
import { removeReleasedFiles, takeReleasedFiles } from '../data/released-files.ts';
import type { Logger } from '../log.ts';
import { extensionOf } from '../storage/formats.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { sweepOriginals } from './sweep.ts';

export interface Purged {
  images: number;
  files: number;
}

const imagesAtOnce = 1_000;
const filesAtOnce = 50;
/** A sweep lists all that is stored, and what it finds is seldom and harmless. */
const sweepIntervalMs = 6 * 60 * 60 * 1_000;

/** Purges images whose retention has passed, then the files that no image names. Any number may run side by side. */
export async function purge(db: Database, storage: Storage): Promise<Purged> {
  let images = 0;
  for (let purged = imagesAtOnce; purged === imagesAtOnce; images += purged) {
    purged = await purgeOverdueImages(db, imagesAtOnce);
  }
  return { images, files: await collectFiles(db, storage) };
}

/**
 * Removes the files that purged or changed images were the last to name, bytes and row. A crash midway leaves the
 * note that the file was released, so that the next run finishes it.
 */
export async function collectFiles(db: Database, storage: Storage): Promise<number> {
  let files = 0;
  for (;;) {
    const taken = await db.transaction(async transaction => {
      const { hashes, unused } = await takeReleasedFiles(transaction, filesAtOnce);
      await Promise.all(
        unused.map(({ hash, mimeType }) => storage.remove(originalKey(hash, extensionOf(mimeType)))),
      );
      const unusedHashes = unused.map(file => file.hash);
      if (hashes.length > 0) await removeReleasedFiles(transaction, hashes, unusedHashes);
      files += unused.length;
      return hashes.length;
    });
    if (taken < filesAtOnce) return files;
  }
}

/** Purges now and every so often until it is closed; what fails is logged and tried again the next time. */
export function startPurging(db: Database, storage: Storage, intervalMs: number, log: Logger) {
  const closing = new AbortController();
  const ended = purgeUntil(closing.signal);
  return {
    async close(): Promise<void> {
      closing.abort();
      await ended;
    },
  };

  async function purgeUntil(signal: AbortSignal): Promise<void> {
    let sweepDueAt = 0;
    while (!signal.aborted) {
      try {
        const purged = await purge(db, storage);
        if (purged.images + purged.files > 0) log.info(purged, 'Purged what can no longer be restored');
        if (Date.now() >= sweepDueAt) {
          sweepDueAt = Date.now() + sweepIntervalMs;
          const swept = await sweepOriginals(db, storage);
          if (swept > 0) log.info({ files: swept }, 'Removed bytes that no image came to name');
        }
      } catch (error) {
        log.error({ err: error }, 'Purging failed; it is tried again');
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  }
}

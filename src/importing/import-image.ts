import type { Database } from '../data/database.ts';
import { noteReleasedFile } from '../data/files.ts';
import { failImport, finishImport, type ImportTask } from '../data/import-queue.ts';
import { lockProducts } from '../data/products.ts';
import { change } from '../gallery/change.ts';
import { keepSameBytes } from '../gallery/same-bytes.ts';
import { holdStored, type Storable } from '../gallery/stored-files.ts';
import type { Logger } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import { download } from './download.ts';
import { ImportError } from './import-error.ts';
import type { ImageLimits } from './inspect.ts';
import type { AddressRules } from './source-address.ts';
import { storeOriginal } from './store-original.ts';

export interface ImportOptions {
  db: Database;
  storage: Storage;
  log: Logger;
  rules: AddressRules;
  imageLimits: ImageLimits;
  maxBytes: number;
  deadlineMs: number;
  maxAttempts: number;
}

const maxRedirects = 3;
const firstDelayMs = 1_000;

/**
 * From a claimed image's source to its stored bytes: fetch what may be fetched, measure, store, tell the image. Never
 * rejects but when the database fails or `signal` aborts; what went wrong with the source is told to the image.
 */
export async function importImage(
  task: ImportTask,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (task.attempts > options.maxAttempts) throw endedItsWorker();
    const bytes = await fetchSource(task, options, signal);
    const original = await storeOriginal(bytes, options.storage, options.imageLimits);
    await tellImage(task, original, options.db);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    options.log.info(
      { err: error, imageId: task.id, attempts: task.attempts },
      'An image could not be imported',
    );
    await failImport(options.db, task, {
      code: error.code,
      message: error.message,
      ...planRetry(task, error, options),
    });
  }
}

/** A try is counted when it begins, so that an image that ends its worker each time does not go on for ever. */
function endedItsWorker(): ImportError {
  return new ImportError('CORRUPT_IMAGE', 'every try to import it broke off; give another file');
}

async function fetchSource(task: ImportTask, options: ImportOptions, signal: AbortSignal): Promise<Buffer> {
  const { rules, maxBytes, deadlineMs } = options;
  const { body } = await download(task.sourceUrl ?? '', {
    rules,
    maxBytes,
    deadlineMs,
    maxRedirects,
    signal,
  });
  return body;
}

/** One transaction, so that no image says that it is stored without its bytes, and no bytes stay without an image. */
async function tellImage(task: ImportTask, original: Storable, db: Database): Promise<void> {
  await change(db, false, async transaction => {
    await lockProducts(transaction, [task.productId]);
    await holdStored(transaction, [original]);
    const isOurs = await finishImport(transaction, task, original.file.hash);
    if (isOurs) await keepSameBytes(transaction, task.id);
    else await noteReleasedFile(transaction, original.file.hash);
  });
}

/**
 * Whether and when to try again: the wait doubles with each try, give or take half, so that what failed together does
 * not come back together. That our own storage fails is not the image's fault: it is never given up for that.
 */
function planRetry(
  { attempts }: ImportTask,
  { code, permanent }: ImportError,
  { maxAttempts }: ImportOptions,
): { attempts: number; retryInMs: number | null } {
  const counted = code === 'STORAGE_FAILED' ? Math.min(attempts, maxAttempts - 1) : attempts;
  if (permanent || counted >= maxAttempts) return { attempts, retryInMs: null };
  return { attempts: counted, retryInMs: firstDelayMs * 2 ** counted * (0.25 + Math.random() / 2) };
}

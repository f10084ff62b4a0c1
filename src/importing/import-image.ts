import type { Database } from '../data/database.ts';
import { failImport, finishImport, type ImportTask } from '../data/import-queue.ts';
import { lockProducts } from '../data/products.ts';
import type { ErrorCode } from '../errors.ts';
import { Concluding, change } from '../gallery/change.ts';
import { keepSameBytes } from '../gallery/same-bytes.ts';
import { holdStored, type Storable } from '../gallery/stored-files.ts';
import type { Logger } from '../log.ts';
import { inSpan } from '../tracing.ts';
import type { BodyMemory, BodyShare } from './body-memory.ts';
import { untilAborted } from './deadline.ts';
import { download } from './download.ts';
import { ImportError } from './import-error.ts';
import type { AddressRules } from './source-address.ts';
import { type Originals, storeOriginal } from './store-original.ts';

export interface ImportOptions extends Originals {
  db: Database;
  log: Logger;
  rules: AddressRules;
  bodies: BodyMemory;
  maxBytes: number;
  deadlineMs: number;
  maxAttempts: number;
}

const maxRedirects = 3;
const firstDelayMs = 1_000;

/**
 * From a claimed image's source to its stored bytes: fetch what may be fetched, measure, store, tell the image. Never
 * rejects but when the database fails or `signal` aborts; what went wrong with the source is told to the image, and
 * answered.
 */
export async function importImage(
  task: ImportTask,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<'stored' | ErrorCode> {
  try {
    if (task.attempts > options.maxAttempts) throw endedItsWorker();
    // Until the end: so long the bytes are held.
    using share = options.bodies.openShare();
    const bytes = await inSpan('fetch', {}, () => fetchSource(task, share, options, signal));
    const original = await inSpan('store', {}, () =>
      storeOriginal(bytes, {
        storage: options.storage,
        measure: each => inSpan('measure', {}, () => untilAborted(options.measure(each), signal)),
      }),
    );
    await inSpan('tell', {}, () => tellImage(task, original, options.db));
    share.giveBack();
    return 'stored';
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    const level = error.code === 'STORAGE_FAILED' ? 'error' : 'info';
    options.log[level](
      { err: error, imageId: task.id, attempts: task.attempts },
      'An image could not be imported',
    );
    await failImport(options.db, task, {
      code: error.code,
      message: error.message,
      ...planRetry(task, error, options),
    });
    return error.code;
  }
}

/** A try is counted when it begins, so that an image that ends its worker each time does not go on for ever. */
function endedItsWorker(): ImportError {
  return new ImportError('CORRUPT_IMAGE', 'every try to import it broke off; give another file');
}

async function fetchSource(
  { sourceUrl }: ImportTask,
  share: BodyShare,
  { rules, maxBytes, deadlineMs }: ImportOptions,
  signal: AbortSignal,
): Promise<Buffer> {
  const limits = { rules, maxBytes, deadlineMs, maxRedirects };
  const { body } = await download(sourceUrl ?? '', { ...limits, share, signal });
  return body;
}

/** One transaction, so that no image says that it is stored without its bytes, and no bytes stay without an image. */
async function tellImage(task: ImportTask, original: Storable, db: Database): Promise<void> {
  await change(db, false, async transaction => {
    // Else the set stays as it is: images that come together to one product need not wait for each other.
    if (task.mayReplace) await lockProducts(transaction, [task.productId]);
    await holdStored(transaction, [original]);
    const finished = finishImport(transaction, task, original.file.hash);
    if (!task.mayReplace) return new Concluding(finished);
    const isOurs = await finished;
    if (isOurs) await keepSameBytes(transaction, task.id);
    return isOurs;
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

import type { FileValues } from '../data/files.ts';
import type { Storable } from '../gallery/stored-files.ts';
import { originalKey } from '../storage/keys.ts';
import { type Storage, StorageFailed } from '../storage/storage.ts';
import { hashContent } from './fingerprint.ts';
import { ImportError } from './import-error.ts';
import type { MeasuredImage } from './measure-image.ts';
import type { Measure } from './measurer.ts';

/** What bytes go through until they are stored. */
export interface Originals {
  storage: Storage;
  measure: Measure;
}

/**
 * Measures bytes and stores them, once for each hash.
 * @param readAgain brings the bytes a second time, so that they need not stay in memory until an image names them
 * @throws {ImportError}
 */
export async function storeOriginal(
  bytes: Buffer,
  { storage, measure }: Originals,
  readAgain: () => Promise<Buffer> = keep(bytes),
): Promise<Storable> {
  const measured = await measure(bytes);
  await writeOnce(storage, measured, async () => bytes);
  return createStorable(storage, measured, readAgain);
}

/** Apart from the bytes themselves, which what is made beside them would keep. */
function createStorable(
  storage: Storage,
  measured: MeasuredImage,
  readAgain: () => Promise<Buffer>,
): Storable {
  const ensureStored = () => writeOnce(storage, measured, () => readSame(measured, readAgain));
  return { file: describeFile(measured), ensureStored };
}

function keep(bytes: Buffer): () => Promise<Buffer> {
  return async () => bytes;
}

async function readSame({ contentHash }: MeasuredImage, read: () => Promise<Buffer>): Promise<Buffer> {
  const bytes = await read();
  if ((await hashContent(bytes)) === contentHash) return bytes;
  throw new ImportError('STORAGE_FAILED', 'the file has changed while it was taken in; give it again');
}

async function writeOnce(
  storage: Storage,
  { contentHash, extension, fileSizeBytes }: MeasuredImage,
  read: () => Promise<Buffer>,
): Promise<void> {
  const key = originalKey(contentHash, extension);
  try {
    const stored = await storage.stat(key);
    if (stored?.size !== fileSizeBytes) await storage.write(key, await read());
  } catch (error) {
    if (!(error instanceof StorageFailed)) throw error;
    throw new ImportError('STORAGE_FAILED', 'the image could not be stored', { cause: error });
  }
}

export function describeFile({ contentHash, fileSizeBytes, ...measured }: MeasuredImage): FileValues {
  const { mimeType, width, height, thumbhash, dominantColor, hasAlpha } = measured;
  const looks = { mimeType, width, height, thumbhash, dominantColor, hasAlpha };
  return { hash: contentHash, byteSize: fileSizeBytes, ...looks };
}

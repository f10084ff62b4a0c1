import type { FileValues } from '../data/files.ts';
import type { Storable } from '../gallery/stored-files.ts';
import { originalKey } from '../storage/keys.ts';
import { type Storage, StorageFailed } from '../storage/storage.ts';
import { ImportError } from './import-error.ts';
import type { ImageLimits } from './inspect.ts';
import { type MeasuredImage, measureImage } from './measure-image.ts';

/** Measures bytes and stores them, once for each hash. @throws {ImportError} */
export async function storeOriginal(bytes: Buffer, storage: Storage, limits: ImageLimits): Promise<Storable> {
  const measured = await measureImage(bytes, limits);
  const key = originalKey(measured.contentHash, measured.extension);
  const ensureStored = () => writeOnce(storage, key, bytes);
  await ensureStored();
  return { file: describeFile(measured), ensureStored };
}

async function writeOnce(storage: Storage, key: string, bytes: Buffer): Promise<void> {
  try {
    const stored = await storage.stat(key);
    if (stored?.size !== bytes.length) await storage.write(key, bytes);
  } catch (error) {
    if (!(error instanceof StorageFailed)) throw error;
    throw new ImportError('STORAGE_FAILED', 'the image could not be stored', { cause: error });
  }
}

export function describeFile({ contentHash, fileSizeBytes, ...measured }: MeasuredImage): FileValues {
  const { mimeType, width, height, thumbhash, dominantColor } = measured;
  return { hash: contentHash, byteSize: fileSizeBytes, mimeType, width, height, thumbhash, dominantColor };
}

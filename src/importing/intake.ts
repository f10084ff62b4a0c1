import { readFile, stat } from 'node:fs/promises';
import type { SourceInput, StoredFile } from '../gallery/source.ts';
import type { Storage } from '../storage/storage.ts';
import { readImportFile } from './import-directory.ts';
import { ImportError } from './import-error.ts';
import type { ImageLimits } from './inspect.ts';
import { storeOriginal } from './store-original.ts';

/** A file that came with a request, on disk for as long as that takes. */
export interface Upload {
  name: string;
  temporaryPath: string;
}

export interface Intake {
  takeUpload(upload: Upload): Promise<SourceInput>;
  /** `path` lies in the import directory, relative to it. */
  takePath(path: string): Promise<SourceInput>;
}

export interface IntakeOptions {
  storage: Storage;
  imageLimits: ImageLimits;
  maxBytes: number;
  /** Null: nothing can be taken in by path. */
  importDirectory: string | null;
}

/** Takes in what is here already, so that it is ready at once; what cannot be is told, never thrown. */
export function createIntake({ storage, imageLimits, maxBytes, importDirectory }: IntakeOptions): Intake {
  return {
    takeUpload: ({ name, temporaryPath }) =>
      tell('file', async () => {
        const bytes = await readUpload(temporaryPath, maxBytes);
        return { ...(await storeOriginal(bytes, storage, imageLimits)), name: name || 'image', path: null };
      }),
    takePath: path =>
      tell('path', async () => {
        if (importDirectory === null) {
          throw new ImportError(
            'INVALID',
            'path is given, but this service has no import directory; give a url or a file',
          );
        }
        const bytes = await readImportFile(importDirectory, path, maxBytes);
        const name = path.split('/').at(-1) ?? path;
        return { ...(await storeOriginal(bytes, storage, imageLimits)), name, path };
      }),
  };
}

async function tell(field: string, take: () => Promise<StoredFile>): Promise<SourceInput> {
  try {
    return { stored: await take() };
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return { problem: { code: error.code, path: [field], message: error.message } };
  }
}

async function readUpload(path: string, maxBytes: number): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > maxBytes) throw new ImportError('FILE_TOO_LARGE', `file has more than ${maxBytes} bytes`);
  return readFile(path);
}

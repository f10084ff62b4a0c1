import { readFile, stat } from 'node:fs/promises';
import { UserErrors } from '../errors.ts';
import type { SourceInput, StoredFile } from '../gallery/source.ts';
import type { Storable } from '../gallery/stored-files.ts';
import { createBudget } from '../imaging/budget.ts';
import type { Logger } from '../log.ts';
import { findFaultOfDirectory, findImportFile, type ImportFile } from './import-directory.ts';
import { ImportError } from './import-error.ts';
import { type Originals, storeOriginal } from './store-original.ts';

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

export interface IntakeOptions extends Originals {
  log: Logger;
  maxBytes: number;
  /** Null: nothing can be taken in by path. */
  importDirectory: string | null;
}

/** Files that are in memory at once, whatever the number of requests and of files in them. */
const maxBytesAtOnce = 64_000_000;

/** Takes in what is here already, so that it is ready at once; what cannot be is told, never thrown. */
export function createIntake({ maxBytes, importDirectory, log, ...originals }: IntakeOptions): Intake {
  const memory = createBudget(maxBytesAtOnce);
  if (importDirectory !== null) void warnOfFault(importDirectory, log);
  const take = async ({ sizeBytes, read }: ImportFile): Promise<Storable> => {
    const readWithin = () => memory.spend(sizeBytes, read);
    const { file, ensureStored } = await memory.spend(sizeBytes, async () =>
      storeOriginal(await read(), originals, readWithin),
    );
    return { file, ensureStored: () => ensureStored().catch(error => tellLate(error, log)) };
  };
  return {
    takeUpload: ({ name, temporaryPath }) =>
      tell('file', log, async () => {
        const stored = await take(await findUpload(temporaryPath, maxBytes));
        return { ...stored, name: name || 'image', path: null };
      }),
    takePath: path =>
      tell('path', log, async () => {
        if (importDirectory === null) {
          throw new ImportError(
            'INVALID',
            'path is given, but this service has no import directory; give a url or a file',
          );
        }
        const stored = await take(await findImportFile(importDirectory, path, maxBytes));
        return { ...stored, name: path.split('/').at(-1) ?? path, path };
      }),
  };
}

async function warnOfFault(directory: string, log: Logger): Promise<void> {
  const fault = await findFaultOfDirectory(directory);
  if (fault) log.warn({ err: fault }, 'IMPORT_DIR cannot be read; nothing is taken in by path until it can');
}

async function tell(field: string, log: Logger, take: () => Promise<StoredFile>): Promise<SourceInput> {
  try {
    return { stored: await take() };
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    logFailure(error, log);
    return { problem: { code: error.code, path: [field], message: error.message } };
  }
}

/** What fails while the change is written is told with it; which of its files it was is not known there. */
function tellLate(error: unknown, log: Logger): never {
  if (!(error instanceof ImportError)) throw error;
  logFailure(error, log);
  throw new UserErrors([{ code: error.code, path: ['input'], message: error.message }]);
}

/** Of a storage that fails the client is told no more than that. */
function logFailure(error: ImportError, log: Logger): void {
  if (error.code === 'STORAGE_FAILED') log.error({ err: error }, 'A file could not be stored');
}

async function findUpload(path: string, maxBytes: number): Promise<ImportFile> {
  const { size } = await stat(path);
  if (size <= maxBytes) return { sizeBytes: size, read: () => readFile(path) };
  throw new ImportError(
    'FILE_TOO_LARGE',
    `file has more than ${maxBytes} bytes; at most that many are taken`,
  );
}

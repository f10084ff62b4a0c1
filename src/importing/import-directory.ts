import { constants, type FileHandle, open, opendir, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { ImportError } from './import-error.ts';

/** A file of the import directory, as it was when it was looked up. */
export interface ImportFile {
  sizeBytes: number;
  /** Looks at all of it anew. */
  read(): Promise<Buffer>;
}

// A named pipe would keep whoever opens it waiting for a writer, and with it one of few threads.
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const shownCharacters = 200;

/**
 * A file in the import directory. Nothing outside it is read, by whatever path or link.
 * @throws {ImportError} INVALID, SOURCE_NOT_FOUND or FILE_TOO_LARGE; so does `read`
 */
export async function findImportFile(directory: string, path: string, maxBytes: number): Promise<ImportFile> {
  const sizeBytes = await withFile(directory, path, async file => checkSize(file, path, maxBytes));
  return {
    sizeBytes,
    read: () =>
      withFile(directory, path, async file => {
        await checkSize(file, path, maxBytes);
        return file.readFile();
      }),
  };
}

/** What is wrong with it, as its files may come later: a share that is not mounted yet. Null where nothing is. */
export async function findFaultOfDirectory(directory: string): Promise<Error | null> {
  try {
    await (await opendir(directory)).close();
    return null;
  } catch (error) {
    return error as Error;
  }
}

async function withFile<Result>(
  directory: string,
  path: string,
  use: (file: FileHandle) => Promise<Result>,
): Promise<Result> {
  const place = await locate(directory, path);
  const file = await open(place, openFlags).catch(() => {
    throw notFound(path);
  });
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function checkSize(file: FileHandle, path: string, maxBytes: number): Promise<number> {
  const found = await file.stat();
  if (!found.isFile()) throw notFound(path);
  if (found.size <= maxBytes) return found.size;
  throw new ImportError('FILE_TOO_LARGE', `file has ${found.size} bytes; at most ${maxBytes}`);
}

async function locate(directory: string, path: string): Promise<string> {
  const names = path.split(/[/\\]/);
  // The last is what the image is called.
  const isWithin = path !== '' && !isAbsolute(path) && !names.includes('..') && names.at(-1) !== '.';
  if (!isWithin || path.includes('\0') || !path.isWellFormed()) throw leadsOut(path);
  const missing = () => {
    throw notFound(path);
  };
  const root = await realpath(directory).catch(() => {
    throw new ImportError('SOURCE_NOT_FOUND', `${tell(path)}; the import directory itself cannot be read`);
  });
  const file = await realpath(join(root, path)).catch(missing);
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) throw leadsOut(path);
  return file;
}

function notFound(path: string): ImportError {
  return new ImportError('SOURCE_NOT_FOUND', `${tell(path)}; no file of the import directory has it`);
}

function leadsOut(path: string): ImportError {
  return new ImportError(
    'INVALID',
    `${tell(path)}; it must be that of a file within the import directory, relative to it`,
  );
}

function tell(path: string): string {
  return `path is ${JSON.stringify(path.slice(0, shownCharacters))}${path.length > shownCharacters ? '…' : ''}`;
}

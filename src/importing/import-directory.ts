import { constants, open, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { ImportError } from './import-error.ts';

/**
 * The bytes of a file in the import directory. Nothing outside it is read, by whatever path or link.
 * @throws {ImportError} INVALID, SOURCE_NOT_FOUND or FILE_TOO_LARGE
 */
export async function readImportFile(directory: string, path: string, maxBytes: number): Promise<Buffer> {
  const file = await findFile(directory, path);
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => {
    throw notFound(path);
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw notFound(path);
    if (found.size > maxBytes)
      throw new ImportError('FILE_TOO_LARGE', `file has ${found.size} bytes; at most ${maxBytes}`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function findFile(directory: string, path: string): Promise<string> {
  if (path === '' || isAbsolute(path) || path.includes('\0') || path.split(/[/\\]/).includes('..'))
    throw leadsOut(path);
  const root = await realpath(directory);
  const file = await realpath(join(root, path)).catch(() => {
    throw notFound(path);
  });
  if (!file.startsWith(root + sep)) throw leadsOut(path);
  return file;
}

function notFound(path: string): ImportError {
  return new ImportError(
    'SOURCE_NOT_FOUND',
    `path is ${JSON.stringify(path)}; no file of the import directory has it`,
  );
}

function leadsOut(path: string): ImportError {
  const message = `path is ${JSON.stringify(path)}; it must be that of a file within the import directory, relative to it`;
  return new ImportError('INVALID', message);
}

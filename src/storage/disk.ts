import { randomUUID } from 'node:crypto';
import fs, { constants } from 'node:fs';
import { access, lstat, mkdir, open, opendir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { abandonWrite, createWholeBody, holdSource } from './body.ts';
import {
  type ByteRange,
  type ChangeOptions,
  checkKey,
  checkPrefix,
  checkRange,
  createRangePastEnd,
  createTooLarge,
  describeFailure,
  isKey,
  type Storage,
  StorageFailed,
  type StoredBody,
  type StoredObject,
} from './storage.ts';

// Its dot keeps it out of the keys' grammar.
const asideFolder = '.tmp';
const leftoverAgeMs = 60 * 60 * 1000;

/**
 * One file for each key below `directory`, which is made if need be. A write goes to a file aside, fsync, rename,
 * fsync of the folder; what killed writes left aside goes at the next opening, once it is an hour old.
 */
export async function openDiskStorage(directory: string): Promise<Storage> {
  try {
    await mkdir(join(directory, asideFolder), { recursive: true, mode: 0o755 });
    const root = await realpath(directory);
    await sweepLeftovers(join(root, asideFolder), Date.now() - leftoverAgeMs);
    return createDiskStorage(root);
  } catch (error) {
    throw describeFailure('open the storage on disk', error);
  }
}

function createDiskStorage(root: string): Storage {
  return {
    write: async (key, body, options) => writeFile(root, key, body, options),
    read: async (key, range) => readFile(root, key, range),
    readBytes: async (key, maxBytes) => readSmallFile(root, key, maxBytes),
    stat: async key => statFile(root, key),
    remove: async (key, options) => removeFile(root, key, options),
    list(prefix) {
      checkPrefix(prefix);
      return listFiles(root, prefix);
    },
    close: async () => {},
  };
}

async function sweepLeftovers(folder: string, before: number): Promise<void> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    const found = await unlessAbsent(lstat(path));
    if (found?.isFile() && found.mtimeMs < before) await rm(path, { force: true });
  }
}

async function writeFile(
  root: string,
  key: string,
  body: Uint8Array | Readable,
  { durable = true }: ChangeOptions = {},
): Promise<void> {
  checkKey(key);
  holdSource(body);
  const aside = join(root, asideFolder, randomUUID());
  const path = join(root, key);
  try {
    if (!durable && body instanceof Uint8Array) await writeLightly(aside, body);
    else await writeAside(aside, body, durable);
    const isMoved = !durable && (await moveLightly(aside, path));
    if (!isMoved) {
      await makeFolder(root, dirname(path));
      await rename(aside, path);
    }
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {});
    throw abandonWrite(key, body, error);
  }
}

async function writeAside(path: string, body: Uint8Array | Readable, durable: boolean): Promise<void> {
  await using file = await open(path, 'wx', 0o644);
  await file.writeFile(body);
  if (durable) await file.sync();
}

/** For what may be lost: bare descriptors, and nobody waits for the close. */
async function writeLightly(path: string, bytes: Uint8Array): Promise<void> {
  const file = await openDescriptor(path, 'wx', 0o644);
  try {
    for (let written = 0; written < bytes.length; ) {
      written += (await writeDescriptor(file, bytes, written)).bytesWritten;
    }
  } finally {
    fs.close(file, () => {});
  }
}

/** For what may be lost: with no look at the folder, which is mostly there. False where it is not. */
async function moveLightly(aside: string, path: string): Promise<boolean> {
  return (await unlessAbsent(rename(aside, path).then(() => true))) ?? false;
}

/** As mkdir -p, but follows no symbolic link below the root and leaves every new folder safe from a crash. */
async function makeFolder(root: string, folder: string): Promise<void> {
  if ((await unlessAbsent(realpath(folder))) === folder) return;
  let parent = root;
  for (const name of relative(root, folder).split(sep)) {
    const path = join(parent, name);
    await mkdir(path, { mode: 0o755 }).catch(error => checkFolder(path, error));
    await syncFolder(parent);
    parent = path;
  }
}

async function checkFolder(path: string, error: NodeJS.ErrnoException): Promise<void> {
  if (error.code !== 'EEXIST') throw error;
  if (!(await lstat(path)).isDirectory()) {
    throw Object.assign(new Error(`${path} is not a folder`), { code: 'ENOTDIR' });
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

async function readFile(root: string, key: string, range?: ByteRange): Promise<StoredBody | null> {
  checkKey(key);
  if (range) checkRange(range);
  try {
    const path = await locate(root, key);
    return path === null ? null : await openBody(path, key, range);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw describeFailure(`read "${key}"`, error);
  }
}

async function openBody(path: string, key: string, range?: ByteRange): Promise<StoredBody | null> {
  const file = await unlessAbsent(open(path, 'r'));
  if (!file) return null;
  try {
    const { size, mtime } = await file.stat();
    if (range && range.start >= size) throw createRangePastEnd(key, range);
    const start = range?.start ?? 0;
    const bytes = Math.min(range?.end ?? size, size - 1) - start + 1;
    const source = file.createReadStream(range ? { start, end: start + bytes - 1 } : {});
    return { body: createWholeBody(source, { key, bytes }), size, modifiedAt: mtime };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const openDescriptor = promisify(fs.open);
const readDescriptor = promisify(fs.read);
const writeDescriptor = promisify(fs.write);
const statDescriptor = promisify(fs.fstat);

/**
 * Half the cost of `readFile`: bare descriptors, nobody waits for the close, and no `locate`, so that a folder that is a
 * symbolic link goes unnoticed.
 */
async function readSmallFile(root: string, key: string, maxBytes: number): Promise<Buffer | null> {
  checkKey(key);
  try {
    const path = join(root, key);
    const file = await unlessAbsent(openDescriptor(path, constants.O_RDONLY | constants.O_NOFOLLOW));
    if (file !== null) return await readAtOnce(file, key, maxBytes).finally(() => fs.close(file, () => {}));
    await checkMounted(root);
    return null;
  } catch (error) {
    throw describeFailure(`read "${key}"`, error);
  }
}

async function readAtOnce(file: number, key: string, maxBytes: number): Promise<Buffer | null> {
  const found = await statDescriptor(file);
  if (!found.isFile()) return null;
  if (found.size > maxBytes) throw createTooLarge(key, found.size, maxBytes);
  const bytes = Buffer.allocUnsafeSlow(found.size);
  const { bytesRead } = await readDescriptor(file, bytes, 0, bytes.length, 0);
  if (bytesRead < bytes.length) {
    throw new StorageFailed(`"${key}" ended after ${bytesRead} of ${bytes.length} bytes`);
  }
  return bytes;
}

async function statFile(root: string, key: string): Promise<StoredObject | null> {
  checkKey(key);
  try {
    const path = await locate(root, key);
    const found = path === null ? null : await unlessAbsent(lstat(path));
    return found && { size: found.size, modifiedAt: found.mtime };
  } catch (error) {
    throw describeFailure(`look up "${key}"`, error);
  }
}

async function removeFile(root: string, key: string, { durable = true }: ChangeOptions = {}): Promise<void> {
  checkKey(key);
  try {
    const path = await locate(root, key);
    if (path === null) return;
    await rm(path, { force: true });
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    throw describeFailure(`remove "${key}"`, error);
  }
}

/** The path of an object that is there, or null. */
async function locate(root: string, key: string): Promise<string | null> {
  const path = join(root, key);
  const real = await unlessAbsent(realpath(path));
  if (real === null) {
    await checkMounted(root);
    return null;
  }
  if (real !== path) {
    throw new StorageFailed(`"${key}" leads through a symbolic link; the storage follows none`);
  }
  return (await unlessAbsent(lstat(path)))?.isFile() ? path : null;
}

/** A volume that is no longer mounted has no files either; the folder made at opening tells the two apart. */
async function checkMounted(root: string): Promise<void> {
  await access(join(root, asideFolder));
}

async function* listFiles(root: string, prefix: string): AsyncGenerator<{ key: string } & StoredObject> {
  try {
    await checkMounted(root);
    yield* walk(root, '', prefix);
  } catch (error) {
    throw describeFailure(`list "${prefix}"`, error);
  }
}

async function* walk(
  root: string,
  folder: string,
  prefix: string,
): AsyncGenerator<{ key: string } & StoredObject> {
  for await (const entry of await opendir(join(root, folder))) {
    const key = folder + entry.name;
    if (!isKey(key)) continue;
    if (entry.isDirectory() && mayHold(`${key}/`, prefix)) yield* walk(root, `${key}/`, prefix);
    if (!entry.isFile() || !key.startsWith(prefix)) continue;
    const found = await unlessAbsent(lstat(join(root, key)));
    if (found) yield { key, size: found.size, modifiedAt: found.mtime };
  }
}

function mayHold(folder: string, prefix: string): boolean {
  return folder.startsWith(prefix) || prefix.startsWith(folder);
}

async function unlessAbsent<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

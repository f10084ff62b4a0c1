import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { Database } from '../data/database.ts';
import { findFilesAfter, findImageIdsOfFile, type StoredFile } from '../data/files.ts';
import { extensionOf } from '../storage/formats.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';

/** A file that images name and whose bytes are not as they were stored. */
export interface BrokenFile {
  key: string;
  /** In words: "is missing". */
  fault: string;
  imageIds: string[];
}

export interface CheckOptions {
  /** Also reads all bytes and compares their hash; else only what the storage says of their number. */
  readsBytes: boolean;
  onBroken(file: BrokenFile): void;
}

const filesAtOnce = 500;
const looksAtOnce = 16;

export function parseCheckArguments(args: readonly string[]): Pick<CheckOptions, 'readsBytes'> {
  const { values } = parseArgs({ args: [...args], options: { bytes: { type: 'boolean', default: false } } });
  return { readsBytes: values.bytes };
}

/** Looks every file up in the storage, also beside a running service; answers how many there are. */
export async function checkFiles(db: Database, storage: Storage, options: CheckOptions): Promise<number> {
  let checked = 0;
  for (let after = ''; ; ) {
    const files = await findFilesAfter(db, after, filesAtOnce);
    await forEachAtOnce(files, async file => {
      const broken = await findBroken(db, storage, file, options.readsBytes);
      if (broken) options.onBroken(broken);
    });
    checked += files.length;
    const last = files.at(-1);
    if (!last) return checked;
    after = last.hash;
  }
}

async function forEachAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>) {
  const waiting = [...items].reverse();
  const run = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: looksAtOnce }, run));
}

async function findBroken(
  db: Database,
  storage: Storage,
  file: StoredFile,
  readsBytes: boolean,
): Promise<BrokenFile | null> {
  const key = originalKey(file.hash, extensionOf(file.mimeType));
  const fault = readsBytes ? await findFaultOfBytes(storage, key, file) : await findFault(storage, key, file);
  if (fault === null) return null;
  // Images go before their bytes: where there are none any more, the file was being removed.
  const imageIds = await findImageIdsOfFile(db, file.hash);
  return imageIds.length > 0 ? { key, fault, imageIds } : null;
}

async function findFault(storage: Storage, key: string, { byteSize }: StoredFile): Promise<string | null> {
  const stored = await storage.stat(key);
  if (!stored) return 'is missing';
  return stored.size === byteSize ? null : `has ${stored.size} bytes instead of ${byteSize}`;
}

async function findFaultOfBytes(storage: Storage, key: string, file: StoredFile): Promise<string | null> {
  const stored = await storage.read(key);
  if (!stored) return 'is missing';
  const hash = createHash('sha256');
  await pipeline(stored.body, hash);
  return hash.digest('hex') === file.hash ? null : 'has other bytes than were stored';
}

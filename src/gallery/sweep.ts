import type { Database } from '../data/database.ts';
import { findUnnamedHashes, removeUnnamed } from '../data/unnamed-files.ts';
import type { Storage } from '../storage/storage.ts';

/** Whoever stores bytes names them within a minute; the rest is for clocks that differ. */
const minAgeMs = 60 * 60 * 1_000;
const keysAtOnce = 500;

/**
 * Removes bytes that no file is entered for: those of an upload whose change was refused, or of a process that was
 * killed between bytes and row. Lists all that is stored; answers how many it removed.
 */
export async function sweepOriginals(
  db: Database,
  storage: Storage,
  before = new Date(Date.now() - minAgeMs),
): Promise<number> {
  let removed = 0;
  let keys = new Map<string, string>();
  for await (const { key, modifiedAt } of storage.list('originals/')) {
    const hash = /\/([0-9a-f]{64})\.[a-z]+$/.exec(key)?.[1];
    if (hash && modifiedAt < before) keys.set(hash, key);
    if (keys.size < keysAtOnce) continue;
    removed += await removeUnnamedOf(db, storage, keys);
    keys = new Map();
  }
  return removed + (await removeUnnamedOf(db, storage, keys));
}

async function removeUnnamedOf(
  db: Database,
  storage: Storage,
  keys: ReadonlyMap<string, string>,
): Promise<number> {
  let removed = 0;
  for (const hash of await findUnnamedHashes(db, [...keys.keys()])) {
    const isRemoved = await removeUnnamed(db, hash, () => storage.remove(keys.get(hash) ?? ''));
    if (isRemoved) removed += 1;
  }
  return removed;
}

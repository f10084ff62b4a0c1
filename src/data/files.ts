import { sql } from 'drizzle-orm';
import { formatArray, type Transaction } from './database.ts';
import { type FileRow, files } from './tables.ts';

export type FileValues = Omit<FileRow, 'createdAt'>;

/** Files that are known already stay as they are. */
export async function insertFiles(db: Transaction, rows: readonly FileValues[]): Promise<void> {
  if (rows.length > 0)
    await db
      .insert(files)
      .values([...rows])
      .onConflictDoNothing();
}

/**
 * Enters files where they are new, and holds them: until the transaction ends nobody collects them, so that bytes that
 * are there now are there when an image names them.
 */
export async function holdFiles(db: Transaction, rows: readonly FileValues[]): Promise<void> {
  const byHash = new Map(rows.map(row => [row.hash, row]));
  const sorted = [...byHash.values()].sort((one, other) => (one.hash < other.hash ? -1 : 1));
  for (let missing = sorted; missing.length > 0; ) {
    await insertFiles(db, missing);
    const held = await db
      .select({ hash: files.hash })
      .from(files)
      .where(sql`${files.hash} = any(${formatHashes(missing.map(row => row.hash))}::bytea[])`)
      .for('key share');
    // Between the two, some may just have been collected.
    const isHeld = new Set(held.map(row => row.hash));
    missing = missing.filter(row => !isHeld.has(row.hash));
  }
}

/** An array literal of hashes. */
export function formatHashes(hashes: readonly string[]): string {
  return formatArray(hashes.map(hash => `\\x${hash}`));
}

/** Lets go of a file that was held in vain, so that it is collected unless some image names it. */
export async function noteReleasedFile(db: Transaction, hash: string): Promise<void> {
  await db.execute(sql`
    insert into released_files (hash) values (decode(${hash}, 'hex')) on conflict (hash) do update set hash = excluded.hash`);
}

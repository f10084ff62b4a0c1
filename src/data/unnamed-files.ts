import { eq, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { formatHashes } from './files.ts';
import { files } from './tables.ts';

/** Those of the hashes that no file is entered under. */
export async function findUnnamedHashes(db: Database, hashes: readonly string[]): Promise<string[]> {
  if (hashes.length === 0) return [];
  const rows = await db.execute<{ hash: string }>(sql`
    select encode(given.hash, 'hex') as hash from unnest(${formatHashes(hashes)}::bytea[]) as given (hash)
    where not exists (select 1 from files where files.hash = given.hash)`);
  return rows.map(row => row.hash);
}

/**
 * Runs `remove` while nobody can enter a file under the hash: whoever wants to waits, and then finds its bytes gone.
 * False, and nothing is run, where one is entered.
 */
export async function removeUnnamed(
  db: Database,
  hash: string,
  remove: () => Promise<void>,
): Promise<boolean> {
  return db.transaction(async transaction => {
    // A row that nobody ever sees, as it goes with the transaction that made it; its key is what others wait for.
    const entered = await transaction
      .insert(files)
      .values({ hash, mimeType: '', byteSize: 0, width: 0, height: 0, thumbhash: '', dominantColor: '' })
      .onConflictDoNothing()
      .returning({ hash: files.hash });
    if (entered.length === 0) return false;
    await remove();
    await transaction.delete(files).where(eq(files.hash, hash));
    return true;
  });
}

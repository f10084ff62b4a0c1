import { and, sql } from 'drizzle-orm';
import type { Transaction } from './database.ts';
import { formatHashes } from './files.ts';
import { type FileRow, files, releasedFiles } from './tables.ts';

/**
 * Takes some of the files that images have let go of, skipping those that somebody else is at. No new image can
 * come to name them until the transaction ends.
 */
export async function takeReleasedFiles(
  db: Transaction,
  limit: number,
): Promise<{ hashes: string[]; unused: Pick<FileRow, 'hash' | 'mimeType'>[] }> {
  const released = await db.select().from(releasedFiles).limit(limit).for('update', { skipLocked: true });
  const hashes = released.map(row => row.hash);
  if (hashes.length === 0) return { hashes, unused: [] };
  // The lock first, then the look: whoever was about to name a file has ended by then, and is seen.
  await db.select({ hash: files.hash }).from(files).where(isAmong(hashes)).for('update');
  const unused = await db
    .select({ hash: files.hash, mimeType: files.mimeType })
    .from(files)
    .where(
      and(isAmong(hashes), sql`not exists (select 1 from images where images.file_hash = ${files.hash})`),
    );
  return { hashes, unused };
}

/** The files themselves, and the notes that they were let go of. */
export async function removeReleasedFiles(
  db: Transaction,
  hashes: readonly string[],
  unused: readonly string[],
): Promise<void> {
  await db.delete(files).where(isAmong(unused));
  await db.delete(releasedFiles).where(sql`${releasedFiles.hash} = any(${formatHashes(hashes)}::bytea[])`);
}

function isAmong(hashes: readonly string[]) {
  return sql`${files.hash} = any(${formatHashes(hashes)}::bytea[])`;
}

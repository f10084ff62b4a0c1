import type { Connection } from './database.ts';
import { type FileRow, files } from './tables.ts';

/** Files that are known already stay as they are. */
export async function insertFiles(
  db: Connection,
  rows: readonly Omit<FileRow, 'createdAt'>[],
): Promise<void> {
  if (rows.length > 0)
    await db
      .insert(files)
      .values([...rows])
      .onConflictDoNothing();
}

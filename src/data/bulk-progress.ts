import { and, eq, sql } from 'drizzle-orm';
import type { Connection, Transaction } from './database.ts';
import { bulkImports } from './tables.ts';

export type BulkProgress = Omit<typeof bulkImports.$inferSelect, 'fileKey' | 'updatedAt'>;

/** Null for a file that was never begun, or is through. */
export async function findBulkProgress(db: Connection, fileKey: string): Promise<BulkProgress | null> {
  const [row] = await db.select().from(bulkImports).where(eq(bulkImports.fileKey, fileKey));
  if (!row) return null;
  const { fileKey: _, updatedAt: __, ...progress } = row;
  return progress;
}

/**
 * False where the file has not come as far as `from`, or further: then another process imports it too, and the
 * transaction must not be committed.
 */
export async function advanceBulkProgress(
  db: Transaction,
  fileKey: string,
  from: BulkProgress,
  to: BulkProgress,
): Promise<boolean> {
  if (from.byteOffset === 0) {
    const begun = await db
      .insert(bulkImports)
      .values({ fileKey, ...to })
      .onConflictDoNothing()
      .returning();
    return begun.length > 0;
  }
  const advanced = await db
    .update(bulkImports)
    .set({ ...to, updatedAt: sql`now()` })
    .where(and(eq(bulkImports.fileKey, fileKey), eq(bulkImports.byteOffset, from.byteOffset)))
    .returning({ fileKey: bulkImports.fileKey });
  return advanced.length > 0;
}

export async function removeBulkProgress(db: Connection, fileKey: string): Promise<void> {
  await db.delete(bulkImports).where(eq(bulkImports.fileKey, fileKey));
}

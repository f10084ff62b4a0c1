import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import type { Connection } from './database.ts';
import { type ApiKeyRow, apiKeys } from './tables.ts';

/** Those that were not revoked, expired ones among them, in no order. */
export async function findGoodApiKeys(db: Connection): Promise<ApiKeyRow[]> {
  return db.select().from(apiKeys).where(isNull(apiKeys.revokedAt));
}

/** Whether there ever was one, revoked or not. */
export async function hadApiKeys(db: Connection): Promise<boolean> {
  const found = await db.select({ id: apiKeys.id }).from(apiKeys).limit(1);
  return found.length > 0;
}

export async function insertApiKey(
  db: Connection,
  key: Pick<ApiKeyRow, 'id' | 'name' | 'secretHash' | 'scopes' | 'expiresAt'>,
): Promise<void> {
  await db.insert(apiKeys).values(key);
}

/** All of them, the latest first. */
export async function listApiKeys(db: Connection): Promise<ApiKeyRow[]> {
  return db.select().from(apiKeys).orderBy(desc(apiKeys.createdAt), apiKeys.id);
}

/** False when there is no such key, or it was revoked before. */
export async function revokeApiKey(db: Connection, id: string): Promise<boolean> {
  const revoked = await db
    .update(apiKeys)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id });
  return revoked.length > 0;
}

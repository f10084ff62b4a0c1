import { eq, gt, sql } from 'drizzle-orm';
import { type Connection, formatArray, type Transaction } from './database.ts';
import { statement } from './statement.ts';
import { type FileRow, files, images } from './tables.ts';

export type FileValues = Omit<FileRow, 'createdAt'>;
export type StoredFile = Pick<FileRow, 'hash' | 'mimeType' | 'byteSize'>;

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
    const held = await enterOrHold(db, missing);
    // What somebody else has just entered was not there for this statement, and what was there may have been collected.
    missing = missing.filter(row => !held.has(row.hash));
  }
}

const given = sql`unnest(
  ${sql.placeholder('hashes')}::bytea[], ${sql.placeholder('mimeTypes')}::text[], ${sql.placeholder('byteSizes')}::int[],
  ${sql.placeholder('widths')}::int[], ${sql.placeholder('heights')}::int[], ${sql.placeholder('thumbhashes')}::text[],
  ${sql.placeholder('dominantColors')}::text[], ${sql.placeholder('hasAlphas')}::bool[])`;

const enteredOrHeld = statement<{ hash: string }>(
  () => sql`
    with entered as (
      insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
      select * from ${given} on conflict do nothing returning hash
    ), held as (
      select hash from files where hash = any(${sql.placeholder('hashes')}::bytea[]) for key share
    )
    select encode(hash, 'hex') as hash from entered union all select encode(hash, 'hex') from held`,
);

/** The hashes of those that are entered or held now. One statement, as it is run for every import. */
async function enterOrHold(db: Transaction, rows: readonly FileValues[]): Promise<Set<string>> {
  const listOf = (name: Exclude<keyof FileValues, 'hash'>) => formatArray(rows.map(row => row[name]));
  const found = await enteredOrHeld(db, {
    hashes: formatHashes(rows.map(row => row.hash)),
    mimeTypes: listOf('mimeType'),
    byteSizes: listOf('byteSize'),
    widths: listOf('width'),
    heights: listOf('height'),
    thumbhashes: listOf('thumbhash'),
    dominantColors: listOf('dominantColor'),
    hasAlphas: listOf('hasAlpha'),
  });
  return new Set(found.map(row => row.hash));
}

/** Those after a hash ('' for the first), in its order. */
export function findFilesAfter(db: Connection, hash: string, limit: number): Promise<StoredFile[]> {
  const { mimeType, byteSize } = files;
  return db
    .select({ hash: files.hash, mimeType, byteSize })
    .from(files)
    .where(gt(files.hash, hash))
    .orderBy(files.hash)
    .limit(limit);
}

/** Of images that can be restored, too. */
export async function findImageIdsOfFile(db: Connection, hash: string): Promise<string[]> {
  const rows = await db
    .select({ id: images.id })
    .from(images)
    .where(eq(images.fileHash, hash))
    .orderBy(images.id);
  return rows.map(row => row.id);
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

import { and, isNull, sql } from 'drizzle-orm';
import type { Connection, Database, Transaction } from './database.ts';
import { images } from './tables.ts';

function selectForExport(db: Connection) {
  return db
    .select({
      id: images.id,
      productId: images.productId,
      imageGroup: images.imageGroup,
      orderKey: images.orderKey,
      type: images.type,
      position: images.position,
      isThumbnail: images.isThumbnail,
      sourceUrl: images.sourceUrl,
      sourcePath: images.sourcePath,
      fileHash: images.fileHash,
      mimeType: images.mimeType,
      altText: images.altText,
      altTexts: images.altTexts,
      description: images.description,
      focalX: images.focalX,
      focalY: images.focalY,
    })
    .from(images);
}

export type ExportRow = Awaited<ReturnType<typeof selectForExport>>[number];

/** Runs with the store as it is now, whatever is changed meanwhile. */
export async function withSnapshot<Result>(
  db: Database,
  read: (snapshot: Transaction) => Promise<Result>,
): Promise<Result> {
  return db.transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' });
}

/**
 * Every live image by product, group and place, a page at a time; a page costs the same however far it is, also where
 * Postgres has no statistics yet, as after a large import, and would rather sort the whole table for each.
 */
export async function* readAllImages(db: Transaction, pageSize: number): AsyncGenerator<ExportRow[]> {
  await db.execute(
    sql`select set_config(name, 'off', true) from unnest('{enable_seqscan,enable_sort,enable_bitmapscan}'::text[]) name`,
  );
  let last = { productId: '0', imageGroup: 'GALLERY', orderKey: '' };
  for (;;) {
    const rows = await selectForExport(db)
      .where(
        and(
          isNull(images.deletedAt),
          sql`(${images.productId}, ${images.imageGroup}, ${images.orderKey}) > (${last.productId}::bigint, ${last.imageGroup}::image_group, ${last.orderKey}::text)`,
        ),
      )
      .orderBy(images.productId, images.imageGroup, images.orderKey)
      .limit(pageSize);
    if (rows.length > 0) yield rows;
    const end = rows.at(-1);
    if (!end || rows.length < pageSize) return;
    last = end;
  }
}

/** The languages that live images have alt texts in, sorted. Reads every image once. */
export async function findAltTextLocales(db: Transaction): Promise<string[]> {
  const rows = await db.execute<{ locale: string }>(sql`
    select distinct jsonb_object_keys(alt_texts) as locale from images
    where deleted_at is null and alt_texts is not null order by 1`);
  return rows.map(row => row.locale);
}

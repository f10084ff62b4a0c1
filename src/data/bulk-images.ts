import { sql } from 'drizzle-orm';
import { formatArray, type Transaction } from './database.ts';
import type { ImageValues } from './image-writes.ts';
import type { ImageGroup } from './tables.ts';

// One statement each for some thousand rows of some thousand products, with the same text whatever their number, so
// that it is prepared once. The values come as one array a column: half the price of the same rows as JSON.

/** New images, of which only what a bulk file can say differs from image to image. */
export type BulkRow = ImageValues & { productId: string };

/** A live image, as much of it as tells whether a line's image is there already, and where others may go. */
export interface BulkMember {
  id: string;
  productId: string;
  imageGroup: ImageGroup;
  orderKey: string;
  sourceUrl: string | null;
  sourcePath: string | null;
  fileHash: string | null;
}

/**
 * Settings of a bulk transaction. It waits longer than a request may, so that a batch that another writer holds up is
 * not lost. And it finds all it needs by index: the connection keeps the plan by which the first image's product is
 * looked up, and one made while there are hardly any products reads all of them, for each image, until Postgres
 * happens to analyze the table.
 */
export async function beginBulk(db: Transaction, lockTimeoutMs: number): Promise<void> {
  await db.execute(sql`
    select set_config('lock_timeout', ${String(lockTimeoutMs)}, true), set_config('enable_seqscan', 'off', true)`);
}

/**
 * Locks products, lowest id first, as every change does; those that are not there come into being. Answers which of
 * them were there before.
 */
export async function lockOrCreateManyProducts(
  db: Transaction,
  ids: readonly string[],
): Promise<Set<string>> {
  const known = await lockInOrder(db, ids);
  if (known.size === ids.length) return known;
  await db.execute(sql`
    insert into products (id) select id from unnest(${formatArray(ids)}::bigint[]) as given (id) order by id
    on conflict (id) do nothing`);
  await lockInOrder(db, ids);
  return known;
}

async function lockInOrder(db: Transaction, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db.execute<{ id: string }>(sql`
    select id from products where id = any(${formatArray(ids)}::bigint[]) order by id for update`);
  return new Set(rows.map(row => row.id));
}

const productsAtOnce = 200;

/** The live images of products in order, some products at a time, so that long galleries do not fill the memory. */
export async function* readBulkMembers(
  db: Transaction,
  productIds: readonly string[],
): AsyncGenerator<BulkMember> {
  for (let start = 0; start < productIds.length; start += productsAtOnce) {
    const ids = productIds.slice(start, start + productsAtOnce);
    yield* await db.execute<BulkMember & Record<string, unknown>>(sql`
      select id, product_id as "productId", image_group as "imageGroup", order_key as "orderKey",
        source_url as "sourceUrl", source_path as "sourcePath", encode(file_hash, 'hex') as "fileHash"
      from images where product_id = any(${formatArray(ids)}::bigint[]) and deleted_at is null
      order by product_id, image_group, order_key`);
  }
}

/** Takes the flag from the live images of products that others are to have. */
export async function clearThumbnails(db: Transaction, productIds: readonly string[]): Promise<void> {
  if (productIds.length === 0) return;
  await db.execute(sql`
    update images set is_thumbnail = false, updated_at = now()
    where product_id = any(${formatArray(productIds)}::bigint[]) and is_thumbnail and deleted_at is null`);
}

/** In the order given, ids and due times too: what comes first in a file is imported first. */
export async function insertManyImages(db: Transaction, rows: readonly BulkRow[]): Promise<void> {
  if (rows.length === 0) return;
  const column = (read: (row: BulkRow) => string | number | boolean | null) => formatArray(rows.map(read));
  await db.execute(sql`
    insert into images (product_id, type, order_key, position, is_thumbnail, state, name, source_url, source_path,
      source_host, file_hash, alt_text, alt_texts, description, focal_x, focal_y, import_due_at)
    select product_id, type, order_key, position, is_thumbnail, state, name, source_url, source_path, source_host,
      decode(file_hash, 'hex'), alt_text, alt_texts, description, focal_x, focal_y,
      case when file_hash is null then now() + place * interval '25 microseconds' end
    from unnest(
      ${column(row => row.productId)}::bigint[], ${column(row => row.type)}::image_type[],
      ${column(row => row.orderKey)}::text[], ${column(row => row.position)}::integer[],
      ${column(row => row.isThumbnail)}::boolean[], ${column(row => row.state)}::image_state[],
      ${column(row => row.name)}::text[], ${column(row => row.sourceUrl)}::text[],
      ${column(row => row.sourcePath)}::text[], ${column(row => row.sourceHost)}::text[],
      ${column(row => row.fileHash)}::text[], ${column(row => row.altText)}::text[],
      ${column(row => row.altTexts && JSON.stringify(row.altTexts))}::jsonb[],
      ${column(row => row.description)}::text[],
      ${column(row => row.focalX)}::float8[], ${column(row => row.focalY)}::float8[]
    ) with ordinality as given (product_id, type, order_key, position, is_thumbnail, state, name, source_url,
      source_path, source_host, file_hash, alt_text, alt_texts, description, focal_x, focal_y, place)
    order by place`);
}

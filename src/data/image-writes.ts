import { and, eq, getTableColumns, isNull, ne, type Placeholder, type SQL, sql } from 'drizzle-orm';
import { type Connection, formatArray, type Transaction } from './database.ts';
import type { ImageRow } from './images.ts';
import { images } from './tables.ts';

// Each of these is one statement, whatever the number of images; the caller holds the products' locks.

const columns = getTableColumns(images);

/** What is said of an image, and where it stands. */
export const contentKeys = [
  'type',
  'orderKey',
  'position',
  'isThumbnail',
  'altText',
  'altTexts',
  'description',
  'focalX',
  'focalY',
] as const;

/** Where its bytes come from and how far they have come; importing writes these without the product's lock. */
export const sourceKeys = [
  'name',
  'sourceUrl',
  'sourceHost',
  'sourcePath',
  'state',
  'fileHash',
  'attempts',
  'failureCode',
  'failureMessage',
  'retryAt',
  'importDueAt',
  'importClaim',
  'replacementId',
] as const;

export const valueKeys = [...contentKeys, ...sourceKeys, 'idempotencyKey', 'idempotencyHash'] as const;

export type ImageValues = Pick<ImageRow, (typeof valueKeys)[number]>;

/** What is told of one image that was just named by its address, and of others not; all else is as by default. */
export const plainKeys = ['type', 'orderKey', 'position', 'name', 'sourceUrl', 'sourceHost'] as const;

/** What other keys have where nobody said anything of the image. */
const untold: Partial<ImageValues> = { isThumbnail: false, state: 'IMPORTED', attempts: 0 };

const otherKeys = valueKeys.filter(key => key !== 'importDueAt' && !plainKeys.some(plain => plain === key));

/** Whether of images that are added together nothing is told but `plainKeys`, and all are due at the same time. */
export function arePlain(rows: readonly ImageValues[]): boolean {
  const [first] = rows;
  const dueAt = first?.importDueAt?.getTime();
  return rows.every(
    row => row.importDueAt?.getTime() === dueAt && otherKeys.every(key => row[key] === (untold[key] ?? null)),
  );
}

/** What `readColumns` reads, under the names of its keys: columns take Postgres half the time that JSON takes it. */
export function formatColumns(rows: readonly ImageValues[]): Record<string, string> {
  return Object.fromEntries(plainKeys.map(key => [key, formatArray(rows.map(row => row[key]))]));
}

/** What `formatColumns` wrote, as the relation `given`, with each row's place. */
export function readColumns(): SQL {
  const arrays = plainKeys.map(key => sql`${sql.placeholder(key)}::${typeOf(key)}[]`);
  return sql`unnest(${sql.join(arrays, sql`, `)}) with ordinality as given (${nameColumns(plainKeys)}, place)`;
}

/** Values that all rows have alike, under the names of their keys. */
export function readAlike(keys: Keys): SQL {
  const values = keys.map(key => sql`${sql.placeholder(key)}::${typeOf(key)}`);
  return sql.join(values, sql`, `);
}

/** Without a collation, which parameters have none of. */
function typeOf(key: keyof ImageValues): SQL {
  return sql.raw(columns[key].getSQLType().replace(/ collate .*$/i, ''));
}

export type Keys = readonly (keyof ImageValues)[];
export const nameColumns = (keys: Keys) => sql.raw(keys.map(key => columns[key].name).join(', '));
export const assign = (keys: Keys) =>
  sql.raw(keys.map(key => `${columns[key].name} = given.${columns[key].name}`).join(', '));

/** The ids in the order given. Positions that are not dense need `renumberPositions`. */
export async function insertImages(
  db: Transaction,
  productId: string,
  rows: readonly ImageValues[],
): Promise<string[]> {
  if (rows.length === 0) return [];
  const names = nameColumns(valueKeys);
  const inserted = await db.execute<{ id: string }>(sql`
    insert into images (product_id, ${names})
    select ${productId}::bigint, ${names} from ${givenRows(rows)} order by place
    returning id`);
  return inserted.map(row => row.id);
}

/** Writes all but the source, which importing may be writing just now. */
export async function updateImages(
  db: Transaction,
  rows: readonly (ImageValues & { id: string })[],
): Promise<void> {
  await updateColumns(db, rows, contentKeys);
}

/** Gives images other sources; what was being imported for them is void then. */
export async function updateImageSources(
  db: Transaction,
  rows: readonly (ImageValues & { id: string })[],
): Promise<void> {
  await updateColumns(db, rows, sourceKeys);
}

async function updateColumns(
  db: Transaction,
  rows: readonly (ImageValues & { id: string })[],
  keys: Keys,
): Promise<void> {
  if (rows.length === 0) return;
  await db.execute(sql`
    update images set ${assign(keys)}, updated_at = now() from ${givenRows(rows)} where images.id = given.id`);
}

/** Gives images other order keys, none of which an image has that is there; positions need `renumberPositions`. */
export async function writeOrderKeys(
  db: Transaction,
  rows: readonly Pick<ImageRow, 'id' | 'orderKey'>[],
): Promise<void> {
  if (rows.length === 0) return;
  await db.execute(sql`
    update images set order_key = given.order_key, updated_at = now()
    from unnest(
      ${formatArray(rows.map(row => row.id))}::bigint[], ${formatArray(rows.map(row => row.orderKey))}::text[]
    ) as given (id, order_key)
    where images.id = given.id`);
}

function givenRows(rows: readonly (ImageValues & { id?: string })[]): SQL {
  return readRows(sql`${formatRows(rows, valueKeys)}`, valueKeys);
}

/** What `formatRows` wrote, as the relation `given`, with each row's place and id. */
export function readRows(json: SQL | Placeholder, keys: Keys): SQL {
  const types = sql.raw(keys.map(key => `${columns[key].name} ${columns[key].getSQLType()}`).join(', '));
  return sql`jsonb_to_recordset(${json}::jsonb) as given (place integer, id bigint, ${types})`;
}

/** As JSON, without what is null. */
export function formatRows(rows: readonly (ImageValues & { id?: string })[], keys: Keys): string {
  return JSON.stringify(
    rows.map((row, place) => {
      const record: Record<string, unknown> = { place, id: row.id };
      for (const key of keys) {
        const value = isHash(key) ? formatBytes(row[key]) : row[key];
        // Of a row that was read without it.
        if (value === undefined) throw new Error(`An image without its ${key} cannot be written`);
        if (value !== null) record[columns[key].name] = value;
      }
      return record;
    }),
  );
}

function isHash(key: keyof ImageValues): key is 'fileHash' | 'idempotencyHash' {
  return key === 'fileHash' || key === 'idempotencyHash';
}

function formatBytes(hex: string | null): string | null {
  return hex && `\\x${hex}`;
}

/**
 * Vanish from every read, and can be restored until the retention has passed. A replacement leaves its id, by which
 * an image that it added can find that it holds the bytes of one that it removed.
 */
export async function markImagesDeleted(
  db: Transaction,
  ids: readonly string[],
  retentionDays: number,
  replacementId: string | null = null,
): Promise<void> {
  if (ids.length === 0) return;
  await db.execute(sql`
    update images
    set deleted_at = now(), restorable_until = now() + make_interval(days => ${retentionDays}::int), updated_at = now(),
        replacement_id = ${replacementId}::uuid
    where id = any(${formatArray(ids)}::bigint[])`);
}

/** The rows go for good; the files that they named are noted as released. */
export async function purgeImages(db: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.delete(images).where(sql`${images.id} = any(${formatArray(ids)}::bigint[])`);
}

/** Purges some of the images whose retention has passed, skipping what others purge; how many they were. */
export async function purgeOverdueImages(db: Connection, limit: number): Promise<number> {
  const purged = await db.execute(sql`
    delete from images where id = any(array(
      select id from images where deleted_at is not null and restorable_until <= now()
      order by restorable_until limit ${limit} for update skip locked
    )) returning id`);
  return purged.length;
}

/** Takes the flag from whichever live image of the product has it, but for `exceptId`. */
export async function clearThumbnail(
  db: Transaction,
  productId: string,
  exceptId: string | null,
): Promise<void> {
  await db
    .update(images)
    .set({ isThumbnail: false, updatedAt: sql`now()` })
    .where(
      and(
        eq(images.productId, productId),
        images.isThumbnail,
        isNull(images.deletedAt),
        exceptId === null ? undefined : ne(images.id, exceptId),
      ),
    );
}

/** The place of a restored image, or of one that it needs another key of, and whether it is the thumbnail then. */
export interface RestoredPlace {
  id: string;
  orderKey: string;
  isThumbnail: boolean;
}

/** Back to life where they are told, if they were deleted; positions need `renumberPositions`. */
export async function restoreImages(db: Transaction, places: readonly RestoredPlace[]): Promise<void> {
  if (places.length === 0) return;
  await db.execute(sql`
    update images set
      deleted_at = null, restorable_until = null, updated_at = now(),
      replacement_id = case when images.deleted_at is null then images.replacement_id end,
      order_key = given.order_key, is_thumbnail = given.is_thumbnail
    from unnest(
      ${formatArray(places.map(place => place.id))}::bigint[],
      ${formatArray(places.map(place => place.orderKey))}::text[],
      ${formatArray(places.map(place => place.isThumbnail))}::boolean[]
    ) as given (id, order_key, is_thumbnail)
    where images.id = given.id`);
}

/** Makes positions 0, 1, 2 … in each group of the products, by order key; touches only those that are not. */
export async function renumberPositions(db: Transaction, productIds: readonly string[]): Promise<void> {
  if (productIds.length === 0) return;
  await db.execute(sql`
    update images set position = ranked.rank
    from (
      select id, row_number() over (partition by product_id, image_group order by order_key) - 1 as rank
      from images
      where product_id = any(${formatArray(productIds)}::bigint[]) and deleted_at is null
    ) ranked
    where images.id = ranked.id and images.position <> ranked.rank`);
}

import { eq, getTableColumns, type Placeholder, type SQL, Subquery, sql } from 'drizzle-orm';
import { type Database, formatArray, type Transaction } from './database.ts';
import { imageColumns } from './image-columns.ts';
import {
  arePlain,
  assign,
  contentKeys,
  formatColumns,
  formatRows,
  type ImageValues,
  type Keys,
  nameColumns,
  plainKeys,
  readAlike,
  readColumns,
  readRows,
  sourceKeys,
  valueKeys,
} from './image-writes.ts';
import type { ImageRow } from './images.ts';
import { createProduct } from './products.ts';
import { statement, statementByShape } from './statement.ts';
import { images, type ProductRow, products } from './tables.ts';

// A change of one product's set is two round trips, whatever the number of images: one that locks and reads, one that
// writes all.

export interface LockedProduct extends ProductRow {
  /** What is changed in this transaction bears it. */
  now: Date;
}

const lockedProduct = statement(db =>
  db
    .select({
      ...getTableColumns(products),
      now: sql`now()::timestamptz(3)`.mapWith(products.updatedAt),
    })
    .from(products)
    .where(eq(products.id, sql.placeholder('id')))
    .for('update')
    .prepare('locked_product'),
);

/**
 * Locks a product until the transaction ends, and reads what of it is asked for; null where it is not there.
 * Both are sent at once: the second statement begins when the first has its lock, and sees what was committed by then.
 * So `read` must send its only statement before it waits for anything.
 */
export async function lockSet<Row>(
  db: Transaction,
  productId: string,
  read: (db: Transaction, productId: string) => Promise<Row[]>,
): Promise<{ product: LockedProduct | null; rows: Row[] }> {
  const [[product], rows] = await Promise.all([lockedProduct(db, { id: productId }), read(db, productId)]);
  return { product: product ?? null, rows };
}

/** As `lockSet`, for a product that comes into being with its first change. */
export async function lockOrCreateSet<Row>(
  db: Transaction,
  productId: string,
  read: (db: Transaction, productId: string) => Promise<Row[]>,
): Promise<{ product: LockedProduct; isNew: boolean; rows: Row[] }> {
  const found = await lockSet(db, productId, read);
  if (found.product) return { ...found, product: found.product, isNew: false };
  await createProduct(db, productId);
  const { product, rows } = await lockSet(db, productId, read);
  if (!product) throw new Error(`Product ${productId} vanished while it was created`);
  return { product, isNew: true, rows };
}

type Row = ImageValues & { id: string };

/** What becomes of a set whose product is locked; each image is in one of the lists at the most. */
export interface SetChange {
  product: Pick<LockedProduct, 'id' | 'now'>;
  /** Of a replacement: what it removes and adds keeps it. */
  replacementId?: string;
  /** Deleted, to be restored for so many days. */
  removed?: { ids: readonly string[]; retentionDays: number };
  /** All is written but the source, which importing may be writing just now. */
  updated?: readonly Row[];
  /** All is written, the source too; what was being imported for them is void then. */
  resourced?: readonly Row[];
  /** A place with the same order key is no change of the image, only of its neighbours. */
  placed?: readonly Pick<Row, 'id' | 'orderKey' | 'position'>[];
  added?: readonly ImageValues[];
}

/**
 * Writes all of it and raises the set's version. Answers the rows that were updated, resourced and added, in no order.
 * Order keys of images that were there before must not go to others: uniqueness is checked row by row.
 */
export async function changeSet(db: Transaction, change: SetChange): Promise<ImageRow[]> {
  const {
    product,
    replacementId = null,
    removed,
    updated = [],
    resourced = [],
    placed = [],
    added = [],
  } = change;
  const addsOnlyPlain = updated.length + resourced.length === 0 && added.length > 0 && arePlain(added);
  const shape: Shape = {
    addsOnlyPlain,
    removes: (removed?.ids.length ?? 0) > 0,
    updates: updated.length > 0,
    resources: resourced.length > 0,
    places: placed.length > 0,
    adds: added.length > 0,
  };
  const parameters = {
    productId: product.id,
    replacementId,
    ...(shape.removes && { ...removed, removedIds: formatArray(removed?.ids ?? []) }),
    ...(shape.updates && { updated: formatRows(updated, contentKeys) }),
    ...(shape.resources && { resourced: formatRows(resourced, [...contentKeys, ...sourceKeys]) }),
    ...(shape.places && {
      placedIds: formatArray(placed.map(place => place.id)),
      orderKeys: formatArray(placed.map(place => place.orderKey)),
      positions: formatArray(placed.map(place => place.position)),
    }),
    ...(shape.adds && !addsOnlyPlain && { added: formatRows(added, keysOfAdded) }),
    ...(addsOnlyPlain && {
      ...formatColumns(added),
      importDueAt: added[0]?.importDueAt?.toISOString() ?? null,
    }),
  };
  if (!addsOnlyPlain) return writtenSet(db, shape, parameters);
  const written = await writtenPlainSet(db, shape, parameters);
  const ofAll = { productId: product.id, replacementId, createdAt: product.now, updatedAt: product.now };
  return written.map((row, place) => describePlain(row, ofAll, added[place]));
}

interface Shape {
  /** Of few columns, and no other rows are asked for: what was written is known without reading it. */
  addsOnlyPlain: boolean;
  removes: boolean;
  updates: boolean;
  resources: boolean;
  places: boolean;
  adds: boolean;
}

const removing = sql`
  update images
  set deleted_at = now(), restorable_until = now() + make_interval(days => ${sql.placeholder('retentionDays')}::int),
    updated_at = now(), replacement_id = ${sql.placeholder('replacementId')}::uuid
  where id = any(${sql.placeholder('removedIds')}::bigint[])`;

const updating = (rows: Placeholder, keys: Parameters<typeof assign>[0]) => sql`
  update images set ${assign(keys)}, updated_at = now() from ${readRows(rows, keys)}
  where images.id = given.id returning images.*`;

const placing = sql`
  update images set order_key = given.order_key, position = given.position,
    updated_at = case when images.order_key = given.order_key then images.updated_at else now() end
  from unnest(
    ${sql.placeholder('placedIds')}::bigint[], ${sql.placeholder('orderKeys')}::text[],
    ${sql.placeholder('positions')}::int[]
  ) as given (id, order_key, position)
  where images.id = given.id`;

const adding = (alike: Keys, keys: Keys, given: SQL, returned: SQL) => sql`
  insert into images (product_id, ${nameColumns([...alike, ...keys])})
  select ${sql.placeholder('productId')}::bigint, ${readAlike(alike)}, ${nameColumns(keys)}
  from ${given} order by place
  returning ${returned}`;

const keysOfAdded = valueKeys.filter(key => key !== 'replacementId');

const raising = sql`
  update products set images_version = images_version + 1, updated_at = now()
  where id = ${sql.placeholder('productId')}::bigint`;

function nameParts(db: Database, shape: Shape) {
  const parts = {
    ...(shape.removes && { removed: removing }),
    ...(shape.updates && { updated: updating(sql.placeholder('updated'), contentKeys) }),
    ...(shape.resources && {
      resourced: updating(sql.placeholder('resourced'), [...contentKeys, ...sourceKeys]),
    }),
    ...(shape.places && { placed: placing }),
    ...(shape.adds && {
      added: shape.addsOnlyPlain
        ? adding(['replacementId', 'importDueAt'], plainKeys, readColumns(), sql`id, image_group`)
        : adding(['replacementId'], keysOfAdded, readRows(sql.placeholder('added'), keysOfAdded), sql`*`),
    }),
    raised: raising,
  };
  const named = Object.entries(parts).map(([name, part]) => db.$with(name, {}).as(part));
  return { parts, named };
}

/** In the order in which they were added. */
const writtenPlainSet = statementByShape((db, shape: Shape) => {
  const { id, imageGroup } = getTableColumns(images);
  const added = new Subquery(sql.raw('select * from added'), getTableColumns(images), 'images');
  return db
    .with(...nameParts(db, shape).named)
    .select({ id, imageGroup })
    .from(added)
    .prepare('written_plain_set');
});

function describePlain(
  row: Pick<ImageRow, 'id' | 'imageGroup'>,
  ofAll: Pick<ImageRow, 'productId' | 'replacementId' | 'createdAt' | 'updatedAt'>,
  values: ImageValues | undefined,
): ImageRow {
  if (!values) throw new Error(`More images were added to product ${ofAll.productId} than were given`);
  const { productId, replacementId, createdAt, updatedAt } = ofAll;
  // Spreading more than one into it would take five times as long.
  return {
    ...values,
    id: row.id,
    imageGroup: row.imageGroup,
    productId,
    replacementId,
    createdAt,
    updatedAt,
    // What comes with its bytes, or its end.
    mimeType: null,
    byteSize: null,
    width: null,
    height: null,
    thumbhash: null,
    dominantColor: null,
    hasAlpha: null,
    deletedAt: null,
    restorableUntil: null,
  };
}

const writtenSet = statementByShape((db, shape: Shape) => {
  const { parts, named } = nameParts(db, shape);
  const answered = (['updated', 'resourced', 'added'] as const).filter(name => parts[name]);
  const rows =
    answered.length > 0
      ? answered.map(name => `select * from ${name}`)
      : ['select * from images where false'];
  const written = new Subquery(sql.raw(rows.join(' union all ')), getTableColumns(images), 'images');
  return db
    .with(...named)
    .select(imageColumns)
    .from(written)
    .prepare('written_set');
});

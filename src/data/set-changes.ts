import { getTableColumns, type Placeholder, type SQL, Subquery, sql } from 'drizzle-orm';
import { type Connection, type Database, formatArray } from './database.ts';
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
import { statementByShape } from './statement.ts';
import { images, type ProductRow, products } from './tables.ts';

type Row = ImageValues & { id: string };

/** What becomes of a set; each image is in one of the lists at the most. */
export interface SetChange {
  /** As it was when the set was read. */
  product: Pick<ProductRow, 'id' | 'imagesVersion'>;
  /** It must not be there: it comes into being with this change. */
  isNew?: boolean;
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

export interface ChangedSet {
  /** When; all that was changed bears it. */
  at: Date;
  /** What was updated, resourced and added, in no order. */
  rows: ImageRow[];
}

/** Somebody else changed the set since it was read; nothing was written. */
export class SetOvertaken extends Error {}

/**
 * Writes all of it and raises the set's version.
 * Order keys of images that were there before must not go to others: uniqueness is checked row by row.
 * @throws {SetOvertaken} which does not happen while the product is locked
 */
export async function changeSet(db: Connection, change: SetChange): Promise<ChangedSet> {
  const {
    product,
    isNew = false,
    replacementId = null,
    removed,
    updated = [],
    resourced = [],
    placed = [],
    added = [],
  } = change;
  const addsOnlyPlain = updated.length + resourced.length === 0 && added.length > 0 && arePlain(added);
  const shape: Shape = {
    isNew,
    addsOnlyPlain,
    removes: (removed?.ids.length ?? 0) > 0,
    updates: updated.length > 0,
    resources: resourced.length > 0,
    places: placed.length > 0,
    adds: added.length > 0,
  };
  const parameters = {
    productId: product.id,
    ...(!isNew && { version: product.imagesVersion }),
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
  if (!addsOnlyPlain) return readWritten(await writtenSet(db, shape, parameters), product);
  const { at, rows } = readWritten(await writtenPlainSet(db, shape, parameters), product);
  const ofAll = { productId: product.id, replacementId, createdAt: at, updatedAt: at };
  return { at, rows: rows.map((row, place) => describePlain(row, ofAll, added[place])) };
}

function readWritten<Row extends { at: Date | null }>(
  [raised, ...rows]: readonly Row[],
  { id, imagesVersion }: SetChange['product'],
): { at: Date; rows: Row[] } {
  if (!raised?.at)
    throw new SetOvertaken(`The images of product ${id} are no longer at version ${imagesVersion}`);
  return { at: raised.at, rows };
}

interface Shape {
  isNew: boolean;
  /** Of few columns, and no other rows are asked for: what was written is known without reading it. */
  addsOnlyPlain: boolean;
  removes: boolean;
  updates: boolean;
  resources: boolean;
  places: boolean;
  adds: boolean;
}

// Either locks the product, and finds whether its set is still the one that was read: only then anything else is done.

const creating = sql`
  insert into products (id, images_version) values (${sql.placeholder('productId')}::bigint, 1)
  on conflict do nothing returning updated_at`;

const raising = sql`
  update products set images_version = images_version + 1, updated_at = now()
  where id = ${sql.placeholder('productId')}::bigint and images_version = ${sql.placeholder('version')}::int
  returning updated_at`;

const isRaised = sql`exists (select from raised)`;

const removing = sql`
  update images
  set deleted_at = now(), restorable_until = now() + make_interval(days => ${sql.placeholder('retentionDays')}::int),
    updated_at = now(), replacement_id = ${sql.placeholder('replacementId')}::uuid
  where id = any(${sql.placeholder('removedIds')}::bigint[]) and ${isRaised}`;

const updating = (rows: Placeholder, keys: Parameters<typeof assign>[0]) => sql`
  update images set ${assign(keys)}, updated_at = now() from ${readRows(rows, keys)}
  where images.id = given.id and ${isRaised} returning images.*`;

const placing = sql`
  update images set order_key = given.order_key, position = given.position,
    updated_at = case when images.order_key = given.order_key then images.updated_at else now() end
  from unnest(
    ${sql.placeholder('placedIds')}::bigint[], ${sql.placeholder('orderKeys')}::text[],
    ${sql.placeholder('positions')}::int[]
  ) as given (id, order_key, position)
  where images.id = given.id and ${isRaised}`;

const adding = (alike: Keys, keys: Keys, given: SQL, returned: SQL) => sql`
  insert into images (product_id, ${nameColumns([...alike, ...keys])})
  select ${sql.placeholder('productId')}::bigint, ${readAlike(alike)}, ${nameColumns(keys)}
  from ${given} where ${isRaised} order by place
  returning ${returned}`;

const keysOfAdded = valueKeys.filter(key => key !== 'replacementId');

function nameParts(db: Database, shape: Shape) {
  const parts = {
    raised: shape.isNew ? creating : raising,
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
  };
  const named = Object.entries(parts).map(([name, part]) => db.$with(name, {}).as(part));
  return { parts, named };
}

/** What `raised` answers, in a row of its own before all others. */
const raisedAt = { at: sql<Date | null>`raised_at`.mapWith(products.updatedAt) };

/** Columns of images that parts of a statement answer, behind the row of `raised`. */
function unite(columns: string, parts: readonly string[]) {
  const none = columns.split(', ').map(column => `none.${column}`);
  const raised = `select ${none.join(', ')}, raised.updated_at as raised_at
    from raised left join images as none on false`;
  const others = parts.map(part => `select ${columns}, null from ${part}`);
  return new Subquery(sql.raw([raised, ...others].join(' union all ')), getTableColumns(images), 'images');
}

/** In the order in which they were added. */
const writtenPlainSet = statementByShape((db, shape: Shape) => {
  const { id, imageGroup } = getTableColumns(images);
  return db
    .with(...nameParts(db, shape).named)
    .select({ ...raisedAt, id, imageGroup })
    .from(unite('id, image_group', ['added']))
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
  return db
    .with(...named)
    .select({ ...raisedAt, ...imageColumns })
    .from(unite('*', answered))
    .prepare('written_set');
});

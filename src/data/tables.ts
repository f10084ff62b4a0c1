import { type SQL, sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  customType,
  doublePrecision,
  type ExtraConfigColumn,
  index,
  integer,
  jsonb,
  pgEnum,
  pgSequence,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ErrorCode } from '../errors.ts';

export const productKinds = ['PRODUCT', 'SKU', 'OFFER', 'SERVICE'] as const;
export const imageTypes = [
  'MORE_PHOTO',
  'PREVIEW_PICTURE',
  'DETAIL_PICTURE',
  'SPIN_360',
  'COLOR_SWATCH',
] as const;
export const imageStates = ['IMPORTED', 'UPLOADED', 'PENDING', 'FAILED'] as const;
export const imageGroups = ['GALLERY', 'SPIN_360', 'SWATCH'] as const;

export type ProductKind = (typeof productKinds)[number];
export type ImageType = (typeof imageTypes)[number];
export type ImageState = (typeof imageStates)[number];
/** What is ordered together: the gallery, the frames of the 360° view, the swatches. */
export type ImageGroup = (typeof imageGroups)[number];

export const productKind = pgEnum('product_kind', productKinds);
export const imageType = pgEnum('image_type', imageTypes);
export const imageState = pgEnum('image_state', imageStates);
export const imageGroup = pgEnum('image_group', imageGroups);

/** A 64-bit id; decimal text in JavaScript, whose numbers end at 2^53. */
const id64 = customType<{ data: string; driverData: string }>({ dataType: () => 'bigint' });

/** SHA-256; hex in JavaScript, as our connections read it, 32 bytes in the database. */
const sha256 = customType<{ data: string; driverData: Uint8Array | string }>({
  dataType: () => 'bytea',
  toDriver: hex => Buffer.from(hex, 'hex'),
  fromDriver: read => (typeof read === 'string' ? read : Buffer.from(read).toString('hex')),
});

/** A fractional index; compared byte by byte, in Postgres as in JavaScript. */
const orderKey = customType<{ data: string; driverData: string }>({ dataType: () => 'text COLLATE "C"' });

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

/** One row a product that was ever written to; its row lock guards the product's whole set of images. */
export const products = pgTable(
  'products',
  {
    id: id64('id').primaryKey(),
    kind: productKind('kind').notNull().default('PRODUCT'),
    parentId: id64('parent_id').references((): AnyPgColumn => products.id),
    marketingColor: text('marketing_color'),
    imagesVersion: integer('images_version').notNull().default(0),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  table => [index('products_by_parent').on(table.parentId).where(sql`${table.parentId} is not null`)],
);

/** The bytes of an original, stored once however many images show them. */
export const files = pgTable('files', {
  hash: sha256('hash').primaryKey(),
  mimeType: text('mime_type').notNull(),
  byteSize: integer('byte_size').notNull(),
  width: integer('width').notNull(),
  height: integer('height').notNull(),
  thumbhash: text('thumbhash').notNull(),
  dominantColor: text('dominant_color').notNull(),
  /** Null where nobody looked: files that were stored before this was asked. */
  hasAlpha: boolean('has_alpha'),
  createdAt: time('created_at').notNull().defaultNow(),
});

/** Files that an image has let go of, noted by a trigger; they are collected when no other image names them. */
export const releasedFiles = pgTable('released_files', { hash: sha256('hash').primaryKey() });

/**
 * For lists of images of some types and states: what few images are of is found among millions of others. One for each
 * order that a list may have.
 */
function kindIndexes(table: Record<KindColumn, ExtraConfigColumn>, name: string, condition: SQL) {
  const { type, state, productId, imageGroup, orderKey, updatedAt, id } = table;
  return [
    index(`${name}_in_order`).on(type, state, productId, imageGroup, orderKey, id).where(condition),
    index(`${name}_by_id`).on(type, state, id).where(condition),
    index(`${name}_by_update`).on(type, state, updatedAt, id).where(condition),
  ];
}

type KindColumn = 'type' | 'state' | 'productId' | 'imageGroup' | 'orderKey' | 'updatedAt' | 'id';

export const imageIds = pgSequence('image_ids');

/**
 * One picture of one product. `order_key` decides the order and stays as it is when neighbours come and go, until
 * one of the group would be too long: then all of them get short ones.
 * `position` is its dense rank among the live images of the group, renumbered by every change.
 * A deleted row keeps both, so that it can go back to where it stood.
 */
export const images = pgTable(
  'images',
  {
    id: id64('id').primaryKey().default(sql`nextval('image_ids')`),
    productId: id64('product_id')
      .notNull()
      .references(() => products.id),
    type: imageType('type').notNull().default('MORE_PHOTO'),
    imageGroup: imageGroup('image_group')
      .notNull()
      .generatedAlwaysAs(
        sql`case type when 'SPIN_360' then 'SPIN_360'::image_group when 'COLOR_SWATCH' then 'SWATCH'::image_group else 'GALLERY'::image_group end`,
      ),
    orderKey: orderKey('order_key').notNull(),
    position: integer('position').notNull(),
    isThumbnail: boolean('is_thumbnail').notNull().default(false),
    state: imageState('state').notNull().default('IMPORTED'),
    name: text('name').notNull(),
    sourceUrl: text('source_url'),
    sourcePath: text('source_path'),
    fileHash: sha256('file_hash').references(() => files.hash),
    // What `files` has of the file: a trigger copies it when `file_hash` is written. Looking it up for each image that is
    // shown would take as long as all else.
    mimeType: text('mime_type'),
    byteSize: integer('byte_size'),
    width: integer('width'),
    height: integer('height'),
    thumbhash: text('thumbhash'),
    dominantColor: text('dominant_color'),
    hasAlpha: boolean('has_alpha'),
    altText: text('alt_text'),
    altTexts: jsonb('alt_texts').$type<Record<string, string>>(),
    description: text('description'),
    focalX: doublePrecision('focal_x'),
    focalY: doublePrecision('focal_y'),
    attempts: smallint('attempts').notNull().default(0),
    failureCode: text('failure_code').$type<ErrorCode>(),
    failureMessage: text('failure_message'),
    retryAt: time('retry_at'),
    /** When the next try to import it is due; null where there is nothing to import. A claim puts it off. */
    importDueAt: time('import_due_at'),
    /** Who claimed it last; whoever finishes later than another claim writes nothing. */
    importClaim: uuid('import_claim'),
    /** The host that `source_url` names, '' for none, so that no host gets too many downloads at once. */
    sourceHost: text('source_host').notNull().default(''),
    /** The replacement that added or removed it: an added one may turn out to hold the bytes of a removed one. */
    replacementId: uuid('replacement_id'),
    idempotencyKey: text('idempotency_key'),
    /** SHA-256 of the input that came with the key. */
    idempotencyHash: sha256('idempotency_hash'),
    createdAt: time('created_at').notNull().defaultNow(),
    updatedAt: time('updated_at').notNull().defaultNow(),
    deletedAt: time('deleted_at'),
    restorableUntil: time('restorable_until'),
  },
  table => [
    uniqueIndex('images_in_order')
      .on(table.productId, table.imageGroup, table.orderKey)
      .where(sql`${table.deletedAt} is null`),
    uniqueIndex('images_one_thumbnail')
      .on(table.productId)
      .where(sql`${table.isThumbnail} and ${table.deletedAt} is null`),
    uniqueIndex('images_by_idempotency_key')
      .on(table.idempotencyKey)
      .where(sql`${table.idempotencyKey} is not null`),
    index('images_by_id').on(table.id).where(sql`${table.deletedAt} is null`),
    index('images_by_update').on(table.updatedAt, table.id).where(sql`${table.deletedAt} is null`),
    index('images_deleted_in_order')
      .on(table.productId, table.imageGroup, table.orderKey, table.id)
      .where(sql`${table.deletedAt} is not null`),
    index('images_to_purge').on(table.restorableUntil).where(sql`${table.deletedAt} is not null`),
    index('images_to_import')
      .on(table.sourceHost, table.importDueAt)
      .where(sql`${table.importDueAt} is not null and ${table.deletedAt} is null`),
    index('images_being_imported').on(table.sourceHost).where(sql`${table.importClaim} is not null`),
    ...kindIndexes(table, 'images_of_kind', sql`${table.deletedAt} is null`),
    ...kindIndexes(table, 'images_deleted_of_kind', sql`${table.deletedAt} is not null`),
    index('images_by_file').on(table.fileHash).where(sql`${table.fileHash} is not null`),
    check('images_have_facts_of_files', sql`${table.fileHash} is null or ${table.mimeType} is not null`),
    check('images_stored_have_a_file', sql`${table.state} <> 'UPLOADED' or ${table.fileHash} is not null`),
    check(
      'images_deleted_are_restorable',
      sql`(${table.deletedAt} is null) = (${table.restorableUntil} is null)`,
    ),
  ],
);

/**
 * How many images there are, kept by triggers on `images` in the transaction that changes them.
 * Several rows bear the same key, so that writers take a free one instead of waiting; a count is their sum.
 */
export const imageCounts = pgTable(
  'image_counts',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    type: imageType('type').notNull(),
    state: imageState('state').notNull(),
    deleted: boolean('deleted').notNull(),
    count: bigint('count', { mode: 'bigint' }).notNull(),
  },
  table => [index('image_counts_by_key').on(table.type, table.state, table.deleted)],
);

/**
 * How far a bulk file has come, written in the transaction that adds its images, so that a killed import goes on where
 * it stopped. A row goes when its file is through.
 */
export const bulkImports = pgTable('bulk_imports', {
  /** Known by size, time of change and first bytes, and by the options that say how to read it. */
  fileKey: text('file_key').primaryKey(),
  byteOffset: bigint('byte_offset', { mode: 'number' }).notNull(),
  line: bigint('line', { mode: 'number' }).notNull(),
  added: bigint('added', { mode: 'number' }).notNull(),
  alreadyThere: bigint('already_there', { mode: 'number' }).notNull(),
  refused: bigint('refused', { mode: 'number' }).notNull(),
  /** What is longer in the report of refused lines was written by a batch that never came to be. */
  reportBytes: bigint('report_bytes', { mode: 'number' }).notNull(),
  /** What the lines to come need to know of those before. */
  carry: jsonb('carry').$type<Record<string, string>>().notNull(),
  updatedAt: time('updated_at').notNull().defaultNow(),
});

/**
 * Products that a process wants to be told of when they change, so that all other changes cost nothing: a transaction
 * that notifies commits alone. Rows of listeners that are gone only cost needless notifications, and go with the next.
 */
export const watchedProducts = pgTable(
  'watched_products',
  {
    productId: id64('product_id').notNull(),
    /** The connection that listens, as pg_stat_activity has it. */
    listenerPid: integer('listener_pid').notNull(),
    listenerStartedAt: timestamp('listener_started_at', { withTimezone: true, mode: 'date' }).notNull(),
  },
  table => [primaryKey({ columns: [table.productId, table.listenerPid, table.listenerStartedAt] })],
);

/** Credentials. They are never deleted: that there once was one keeps the service from letting everybody in. */
export const apiKeys = pgTable('api_keys', {
  /** The part of a key that may be seen. */
  id: text('id').primaryKey(),
  /** Whose it is, for people. */
  name: text('name').notNull(),
  /** SHA-256, hex. */
  secretHash: text('secret_hash').notNull(),
  scopes: text('scopes').array().notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
  /** Null: never. */
  expiresAt: time('expires_at'),
  revokedAt: time('revoked_at'),
});

export type ApiKeyRow = typeof apiKeys.$inferSelect;
/** Without times, which nobody is told. */
export type ProductRow = Omit<typeof products.$inferSelect, 'createdAt' | 'updatedAt'>;
export type FileRow = typeof files.$inferSelect;

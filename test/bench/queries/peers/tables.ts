import { bigint, customType, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const id64 = customType<{ data: string }>({ dataType: () => 'bigint' });

export const images = pgTable('images', {
  id: id64('id').primaryKey(),
  productId: id64('product_id').notNull(),
  type: text('type').notNull(),
  imageGroup: text('image_group').notNull(),
  orderKey: text('order_key').notNull(),
  position: integer('position').notNull(),
  name: text('name').notNull(),
  fileHash: bytea('file_hash'),
  altText: text('alt_text'),
  description: text('description'),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  deletedAt: timestamp('deleted_at', { withTimezone: true, precision: 3 }),
});

export const files = pgTable('files', {
  hash: bytea('hash').primaryKey(),
  byteSize: bigint('byte_size', { mode: 'number' }).notNull(),
  width: integer('width').notNull(),
  height: integer('height').notNull(),
});

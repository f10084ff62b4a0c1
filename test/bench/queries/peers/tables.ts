import { customType, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

const id64 = customType<{ data: string }>({ dataType: () => 'bigint' });

export const images = pgTable('images', {
  id: id64('id').primaryKey(),
  productId: id64('product_id').notNull(),
  type: text('type').notNull(),
  imageGroup: text('image_group').notNull(),
  orderKey: text('order_key').notNull(),
  position: integer('position').notNull(),
  name: text('name').notNull(),
  altText: text('alt_text'),
  description: text('description'),
  width: integer('width'),
  height: integer('height'),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
  deletedAt: timestamp('deleted_at', { withTimezone: true, precision: 3 }),
});

import { and, eq, isNull, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { type Image, poolSize, type Store } from './store.ts';
import { images } from './tables.ts';

/** What the others do by hand, with Drizzle; prepared, as its documentation on performance has it. */
export function openDrizzleStore(databaseUrl: string): Store {
  const db = drizzle(new pg.Pool({ connectionString: databaseUrl, max: poolSize }));

  const imageById = db
    .select(imageColumns(images))
    .from(images)
    .where(and(eq(images.id, sql.placeholder('id')), isNull(images.deletedAt)))
    .prepare('image_by_id');

  const place = sql`(${images.productId}, ${images.imageGroup}, ${images.orderKey})`;
  const cursor = sql`(${sql.placeholder('productId')}::bigint, ${sql.placeholder('group')}::image_group, ${sql.placeholder('orderKey')})`;
  const imagesAfter = db
    .select(imageColumns(images))
    .from(images)
    .where(and(isNull(images.deletedAt), sql`${place} > ${cursor}`))
    .orderBy(images.productId, images.imageGroup, images.orderKey)
    .limit(sql.placeholder('limit'))
    .prepare('images_after');

  const ofGallery = db
    .select()
    .from(images)
    .where(
      and(
        eq(images.productId, sql`asked.product_id`),
        eq(images.imageGroup, 'GALLERY'),
        isNull(images.deletedAt),
      ),
    )
    .orderBy(images.orderKey)
    .limit(sql.placeholder('first'))
    .as('of_gallery');
  const galleries = db
    .select({ ...imageColumns(ofGallery), place: sql`asked.place`.mapWith(Number) })
    .from(
      sql`unnest(${sql.placeholder('productIds')}::bigint[]) with ordinality as asked (product_id, place)`,
    )
    .crossJoinLateral(ofGallery)
    .orderBy(sql`asked.place`, ofGallery.orderKey)
    .prepare('galleries');

  return {
    findImage: async id => (await imageById.execute({ id }))[0] ?? null,
    listImages: (first, after) => imagesAfter.execute({ limit: first + 1, ...parseCursor(after) }),
    async findGalleries(productIds, first) {
      const rows = await galleries.execute({ productIds, first });
      const found: Image[][] = productIds.map(() => []);
      for (const row of rows) found[row.place - 1]?.push(row);
      return found;
    },
  };
}

const names = [
  'id',
  'productId',
  'name',
  'type',
  'position',
  'altText',
  'description',
  'width',
  'height',
  'createdAt',
  'orderKey',
  'imageGroup',
] as const;

/** Of the table, or of a subquery on it. */
function imageColumns<From extends Record<(typeof names)[number], unknown>>(from: From) {
  return Object.fromEntries(names.map(name => [name, from[name]])) as Pick<From, (typeof names)[number]>;
}

function parseCursor(cursor: string) {
  const [productId, group, orderKey] = Buffer.from(cursor, 'base64url').toString().split(' ');
  return { productId, group, orderKey };
}

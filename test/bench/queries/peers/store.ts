import postgres from 'postgres';

/** What all peers have, as the service has unless it is told otherwise. */
export const poolSize = 10;

export interface Image {
  id: string;
  productId: string;
  name: string;
  type: string;
  position: number;
  altText: string | null;
  description: string | null;
  width: number | null;
  height: number | null;
  createdAt: Date;
  /** With the product's id and the group its place in the order of the gallery. */
  orderKey: string;
  imageGroup: string;
}

export interface Store {
  findImage(id: string): Promise<Image | null>;
  /** In gallery order behind a cursor, one more than asked for where there are more. */
  listImages(first: number, after: string): Promise<Image[]>;
  /** The first of each gallery, in the order of the products. */
  findGalleries(productIds: readonly string[], first: number): Promise<Image[][]>;
}

/** SQL by hand, sent as prepared statements, as this driver sends what has parameters. */
export function openStore(databaseUrl: string): Store {
  const sql = postgres(databaseUrl, { max: poolSize, fetch_types: false });
  const columns = sql`
    images.id, images.product_id as "productId", images.name, images.type, images.position,
    images.alt_text as "altText", images.description, images.width, images.height,
    images.created_at as "createdAt", images.order_key as "orderKey", images.image_group as "imageGroup"`;
  return {
    async findImage(id) {
      const [image] = await sql<Image[]>`
        select ${columns} from images
        where images.id = ${id} and images.deleted_at is null`;
      return image ?? null;
    },
    async listImages(first, after) {
      const [productId = '', group = '', orderKey = ''] = parseCursor(after);
      return sql<Image[]>`
        select ${columns} from images
        where images.deleted_at is null
          and (images.product_id, images.image_group, images.order_key) > (${productId}, ${group}, ${orderKey})
        order by images.product_id, images.image_group, images.order_key limit ${first + 1}`;
    },
    async findGalleries(productIds, first) {
      const rows = await sql<(Image & { place: string })[]>`
        select ${columns}, asked.place from unnest(${`{${productIds}}`}::bigint[])
          with ordinality as asked (product_id, place)
        cross join lateral (
          select * from images
          where images.product_id = asked.product_id and image_group = 'GALLERY' and deleted_at is null
          order by order_key limit ${first}
        ) images
        order by asked.place, images.order_key`;
      const galleries: Image[][] = productIds.map(() => []);
      for (const row of rows) galleries[Number(row.place) - 1]?.push(row);
      return galleries;
    },
  };
}

export function formatCursor({ productId, imageGroup, orderKey }: Image): string {
  return Buffer.from(`${productId} ${imageGroup} ${orderKey}`).toString('base64url');
}

function parseCursor(cursor: string): string[] {
  return Buffer.from(cursor, 'base64url').toString().split(' ');
}

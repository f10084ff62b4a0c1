import { type SQL, sql } from 'drizzle-orm';
import { type Connection, formatArray } from './database.ts';
import { type ColumnSet, columnsOfSet, everyColumn } from './image-columns.ts';
import { type ImageRow, pickImages, type VisibleShape } from './images.ts';
import { countRead, createPage, type Page, type PageRequest } from './page.ts';
import { statementByShape, viewsByShape } from './statement.ts';
import type { ImageGroup } from './tables.ts';
import { isVisible, type Visibility } from './visibility.ts';

/** A part of one product's images, asked for together with those of other products. Cursors are order keys. */
export interface GalleryRequest extends Omit<PageRequest<string>, 'limit'> {
  productId: string;
  group: ImageGroup;
  /** Null: all. */
  limit: number | null;
}

/**
 * Whose gallery a product shows: its own, or its parent's where it is a variation without one.
 * 360° frames and swatches are always its own. Only who has no images is looked up: most have, and those are at hand.
 */
const findShownProduct = (visible: SQL) => sql`
  select case when asked.image_group = 'GALLERY' and (
    select 1 from images own
    where own.product_id = asked.product and own.image_group = 'GALLERY' and ${visible} limit 1) is null
  then coalesce(
    (select variation.parent_id from products variation
     where variation.id = asked.product and variation.kind = 'OFFER'), asked.product)
  else asked.product end as shown_id`;

/** Which ways the pages of a statement are read. */
type Direction = 'forward' | 'backward' | 'both';

interface PagesShape extends VisibleShape {
  direction: Direction;
}

const galleryPages = viewsByShape((db, { visibility, columns, direction }: PagesShape) =>
  db
    .select({ ...columnsOfSet(columns), place: sql<number>`asked.place::int` })
    .from(
      sql`unnest(
        ${sql.placeholder('productIds')}::bigint[], ${sql.placeholder('groups')}::image_group[],
        ${sql.placeholder('limits')}::int[], ${sql.placeholder('backward')}::bool[],
        ${sql.placeholder('after')}::text[], ${sql.placeholder('before')}::text[]
      ) with ordinality as asked (product, image_group, row_limit, backward, after, before, place)`,
    )
    .crossJoinLateral(pickImages(pickShownPage(isVisible(visibility), direction)))
    // The rows of a page come as a nested loop reads them; sorted by more, each would be copied for that.
    .orderBy(sql`asked.place`)
    .prepare('gallery_pages'),
);

/**
 * A page of what a product shows: its own images, or its parent's gallery where it is a variation without one. Postgres
 * reads on to the second only where the first has not filled the page, as it has for most.
 */
function pickShownPage(visible: SQL, direction: Direction): SQL {
  const ofParent = sql`(
    select variation.parent_id from products variation
    where variation.id = asked.product and variation.kind = 'OFFER')`;
  const hasNoGallery = sql`asked.image_group = 'GALLERY' and not exists (
    select from images own
    where own.product_id = asked.product and own.image_group = 'GALLERY' and ${visible})`;
  return sql`
    ${pickPage(sql`asked.product`, visible, direction)}
    union all
    ${pickPage(ofParent, sql`${visible} and ${hasNoGallery}`, direction)}
    limit asked.row_limit`;
}

/** '' sorts before every order key, '~' after. */
function pickPage(productId: SQL, condition: SQL, direction: Direction): SQL {
  const pick = (which: SQL, order: SQL) => sql`(
    select * from images
    where ${which} product_id = ${productId} and images.image_group = asked.image_group and ${condition}
      and order_key > coalesce(asked.after, '') and order_key < coalesce(asked.before, '~')
    order by ${order} limit asked.row_limit)`;
  const [forward, backward] = [sql`order_key`, sql`order_key desc`];
  if (direction === 'forward') return pick(sql``, forward);
  if (direction === 'backward') return pick(sql``, backward);
  return sql`${pick(sql`not asked.backward and`, forward)} union all ${pick(sql`asked.backward and`, backward)}`;
}

function directionOf(requests: readonly GalleryRequest[]): Direction {
  if (!requests.some(({ backward }) => backward)) return 'forward';
  return requests.every(({ backward }) => backward) ? 'backward' : 'both';
}

/**
 * One statement for any number of products and pages; answers in the order of the requests.
 * @param looksAhead whether pages say that there are more
 */
export async function findGalleryPages(
  db: Connection,
  visibility: Visibility,
  requests: readonly GalleryRequest[],
  { key: columns }: ColumnSet = everyColumn,
  looksAhead = true,
): Promise<Page<ImageRow>[]> {
  if (requests.length === 0) return [];
  const rows = await galleryPages(
    db,
    { visibility, columns, direction: directionOf(requests) },
    {
      productIds: formatArray(requests.map(request => request.productId)),
      groups: formatArray(requests.map(request => request.group)),
      limits: formatArray(requests.map(({ limit }) => limit && countRead(limit, looksAhead))),
      backward: formatArray(requests.map(request => request.backward)),
      after: formatArray(requests.map(request => request.after)),
      before: formatArray(requests.map(request => request.before)),
    },
  );
  const found: ImageRow[][] = requests.map(() => []);
  for (const row of rows) found[row.place - 1]?.push(row);
  return requests.map((request, index) =>
    createPage(found[index] ?? [], { ...request, limit: request.limit ?? Number.POSITIVE_INFINITY }),
  );
}

const askedGalleries = sql`(
  select product, 'GALLERY'::image_group as image_group
  from unnest(${sql.placeholder('productIds')}::bigint[]) as given (product)
) as asked`;

const galleryCounts = statementByShape((db, { visibility }: { visibility: Visibility }) => {
  const visible = isVisible(visibility);
  return db
    .select({ productId: sql<string>`asked.product`, count: sql`images.count`.mapWith(Number) })
    .from(askedGalleries)
    .crossJoinLateral(sql`(${findShownProduct(visible)}) as shown`)
    .crossJoinLateral(
      sql`(select count(*) as count from images
        where product_id = shown_id and image_group = 'GALLERY' and ${visible}) as images`,
    )
    .prepare('gallery_counts');
});

/** How many images each gallery shows, by product id. */
export async function countGalleries(
  db: Connection,
  visibility: Visibility,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  if (productIds.length === 0) return new Map();
  const rows = await galleryCounts(db, { visibility }, { productIds: formatArray(productIds) });
  return new Map(rows.map(row => [row.productId, row.count]));
}

const thumbnails = viewsByShape((db, { visibility, columns }: VisibleShape) => {
  const visible = isVisible(visibility);
  return db
    .select({ ...columnsOfSet(columns), product: sql<string>`asked.product` })
    .from(askedGalleries)
    .crossJoinLateral(sql`(${findShownProduct(visible)}) as shown`)
    .crossJoinLateral(
      pickImages(sql`
        (select *, case when product_id = asked.product then 0 else 1 end as choice from images
         where product_id in (asked.product, shown_id) and is_thumbnail and ${visible})
        union all
        (select *, 2 from images
         where product_id = shown_id and image_group = 'GALLERY' and ${visible}
         order by order_key limit 1)
        order by choice limit 1`),
    )
    .prepare('thumbnails');
});

/**
 * The product's flagged image, though it be no part of the gallery, else its parent's where that gallery is shown, else the
 * first of the gallery, by product id; none for an empty gallery.
 */
export async function findThumbnails(
  db: Connection,
  visibility: Visibility,
  productIds: readonly string[],
  { key: columns }: ColumnSet = everyColumn,
): Promise<Map<string, ImageRow>> {
  if (productIds.length === 0) return new Map();
  const rows = await thumbnails(db, { visibility, columns }, { productIds: formatArray(productIds) });
  return new Map(rows.map(row => [row.product, row]));
}

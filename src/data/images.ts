import { and, eq, getTableColumns, isNotNull, isNull, type SQL, Subquery, sql } from 'drizzle-orm';
import { type Connection, type Database, formatArray } from './database.ts';
import { type ColumnSet, columnsOfSet, everyColumn, imageColumns } from './image-columns.ts';
import { statement, statementByShape, viewsByShape } from './statement.ts';
import { type ImageGroup, images } from './tables.ts';
import { isVisible, type Visibility } from './visibility.ts';

export function selectImages(db: Connection, columns = imageColumns) {
  return db.select(columns).from(images);
}

/** Rows of `images` that a subquery picks; they bear the table's name, so that its columns fit. */
export function pickImages(query: SQL) {
  return new Subquery(query, getTableColumns(images), 'images');
}

export type ImageRow = Awaited<ReturnType<typeof selectImages>>[number];

/** Of what a statement's text depends on, in place of its values. */
export interface VisibleShape {
  visibility: Visibility;
  /** The key of a set. */
  columns: number;
}

const isAmongIds = sql`${images.id} = any(${sql.placeholder('ids')}::bigint[])`;

const byIds = (db: Database, { visibility, columns }: VisibleShape) =>
  selectImages(db, columnsOfSet(columns))
    .where(and(isAmongIds, isVisible(visibility)))
    .prepare('visible_images_by_id');
const visibleImagesById = statementByShape(byIds);
const visibleViewsById = viewsByShape(byIds);

/** In no order; what is deleted or unknown is left out. */
export async function findImagesByIds(db: Connection, ids: readonly string[]): Promise<ImageRow[]> {
  if (ids.length === 0) return [];
  const shape: VisibleShape = { visibility: 'LIVE', columns: everyColumn.key };
  return visibleImagesById(db, shape, { ids: formatArray(ids) });
}

/** Likewise of what is visible, to show it: the rows are views. */
export async function viewImagesByIds(
  db: Connection,
  ids: readonly string[],
  visibility: Visibility = 'LIVE',
  { key: columns }: ColumnSet = everyColumn,
): Promise<ImageRow[]> {
  return ids.length === 0 ? [] : visibleViewsById(db, { visibility, columns }, { ids: formatArray(ids) });
}

const anyImagesById = statement(db => selectImages(db).where(isAmongIds).prepare('any_images_by_id'));

/** In no order; deleted ones too, as long as they are not purged. */
export async function findImagesEvenDeleted(db: Connection, ids: readonly string[]): Promise<ImageRow[]> {
  return ids.length === 0 ? [] : anyImagesById(db, { ids: formatArray(ids) });
}

const imagesOfProduct = statementByShape((db, { columns }: Pick<VisibleShape, 'columns'>) =>
  selectImages(db, columnsOfSet(columns))
    .where(and(eq(images.productId, sql.placeholder('productId')), isNull(images.deletedAt)))
    .orderBy(images.imageGroup, images.orderKey)
    .prepare('images_of_product'),
);

/** The whole live set in order: the gallery, the 360° frames, the swatches. */
export async function findImagesOfProduct(
  db: Connection,
  productId: string,
  { key: columns }: ColumnSet = everyColumn,
): Promise<ImageRow[]> {
  return imagesOfProduct(db, { columns }, { productId });
}

const deletedImagesOfProduct = statement(db =>
  selectImages(db)
    .where(and(eq(images.productId, sql.placeholder('productId')), isNotNull(images.deletedAt)))
    .orderBy(images.imageGroup, images.orderKey, images.id)
    .prepare('deleted_images_of_product'),
);

/** What of a product is deleted and not purged, where it stood. */
export async function findDeletedImagesOfProduct(db: Connection, productId: string): Promise<ImageRow[]> {
  return deletedImagesOfProduct(db, { productId });
}

/** As much of an image as its place takes. */
export interface PlacedRow {
  id: string;
  productId: string;
  imageGroup: ImageGroup;
  orderKey: string;
  isThumbnail: boolean;
}

const placesOfProducts = statement(db => {
  const { id, productId, imageGroup, orderKey, isThumbnail } = getTableColumns(images);
  return db
    .select({ id, productId, imageGroup, orderKey, isThumbnail })
    .from(images)
    .where(and(sql`${productId} = any(${sql.placeholder('productIds')}::bigint[])`, isNull(images.deletedAt)))
    .orderBy(productId, imageGroup, orderKey)
    .prepare('places_of_products');
});

/** The live sets of products in order, without what is not needed to arrange them. */
export async function findPlacesOfProducts(
  db: Connection,
  productIds: readonly string[],
): Promise<PlacedRow[]> {
  if (productIds.length === 0) return [];
  return placesOfProducts(db, { productIds: formatArray(productIds) });
}

/** The image that was created with a key, deleted or not. */
export async function findImageByIdempotencyKey(db: Connection, key: string): Promise<ImageRow | null> {
  const [row] = await selectImages(db).where(eq(images.idempotencyKey, key));
  return row ?? null;
}

/** Of the images that went with the replacement that brought this one: the first that has its bytes, of its own group if any. */
export async function findRemovedWithSameBytes(db: Connection, addedId: string): Promise<ImageRow | null> {
  const added = sql`select product_id, replacement_id, file_hash from images where id = ${addedId}`;
  const group = sql`select image_group from images where id = ${addedId}`;
  const [row] = await selectImages(db)
    .where(
      and(
        sql`(${images.productId}, ${images.replacementId}, ${images.fileHash}) = (${added})`,
        isNotNull(images.deletedAt),
      ),
    )
    .orderBy(sql`${images.imageGroup} <> (${group})`, images.imageGroup, images.orderKey)
    .limit(1);
  return row ?? null;
}

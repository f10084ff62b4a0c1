import { and, eq, getTableColumns, isNotNull, isNull, sql } from 'drizzle-orm';
import { type Connection, formatArray, statement } from './database.ts';
import { files, images } from './tables.ts';

const { mimeType, byteSize, width, height, thumbhash, dominantColor } = getTableColumns(files);

/** All that the API tells of an image: its row, and what is known of its file once that is here. */
export const imageColumns = {
  ...getTableColumns(images),
  mimeType,
  byteSize,
  width,
  height,
  thumbhash,
  dominantColor,
};

export function selectImages(db: Connection) {
  return db.select(imageColumns).from(images).leftJoin(files, eq(files.hash, images.fileHash));
}

export type ImageRow = Awaited<ReturnType<typeof selectImages>>[number];

const isAmongIds = sql`${images.id} = any(${sql.placeholder('ids')}::bigint[])`;

const liveImagesById = statement(db =>
  selectImages(db)
    .where(and(isAmongIds, isNull(images.deletedAt)))
    .prepare('live_images_by_id'),
);

/** In no order; deleted and unknown ones are left out. */
export async function findImagesByIds(db: Connection, ids: readonly string[]): Promise<ImageRow[]> {
  return ids.length === 0 ? [] : liveImagesById(db).execute({ ids: formatArray(ids) });
}

const anyImagesById = statement(db => selectImages(db).where(isAmongIds).prepare('any_images_by_id'));

/** In no order; deleted ones too, as long as they are not purged. */
export async function findImagesEvenDeleted(db: Connection, ids: readonly string[]): Promise<ImageRow[]> {
  return ids.length === 0 ? [] : anyImagesById(db).execute({ ids: formatArray(ids) });
}

const imagesOfProduct = statement(db =>
  selectImages(db)
    .where(and(eq(images.productId, sql.placeholder('productId')), isNull(images.deletedAt)))
    .orderBy(images.imageGroup, images.orderKey)
    .prepare('images_of_product'),
);

/** The whole live set in order: the gallery, the 360° frames, the swatches. */
export async function findImagesOfProduct(db: Connection, productId: string): Promise<ImageRow[]> {
  return imagesOfProduct(db).execute({ productId });
}

const deletedImagesOfProduct = statement(db =>
  selectImages(db)
    .where(and(eq(images.productId, sql.placeholder('productId')), isNotNull(images.deletedAt)))
    .orderBy(images.imageGroup, images.orderKey, images.id)
    .prepare('deleted_images_of_product'),
);

/** What of a product is deleted and not purged, where it stood. */
export async function findDeletedImagesOfProduct(db: Connection, productId: string): Promise<ImageRow[]> {
  return deletedImagesOfProduct(db).execute({ productId });
}

import type { Connection, Database, Transaction } from '../data/database.ts';
import { type ColumnSet, everyColumn } from '../data/image-columns.ts';
import { markImagesDeleted, purgeImages, renumberPositions } from '../data/image-writes.ts';
import { findDeletedImagesOfProduct, findImagesEvenDeleted, type ImageRow } from '../data/images.ts';
import {
  findProductsByIds,
  findProductsOfImages,
  lockProductsOfImages,
  raiseImagesVersions,
} from '../data/products.ts';
import { changeSet } from '../data/set-changes.ts';
import { lockSet, readSet } from '../data/set-reads.ts';
import type { ProductRow } from '../data/tables.ts';
import { Concluding, changeInTurn, changeSetOf, type Outcome, Untouched } from './change.ts';
import { checkBatch, type GalleryLimits } from './limits.ts';
import { checkIds, imageNotFound, type NamedImage, productNotFound } from './presence.ts';
import { Problems } from './problems.ts';

export interface RemoveOptions {
  /** Purges at once, also what was deleted before. */
  permanent?: boolean | null | undefined;
  dryRun?: boolean | null | undefined;
}

/** Deletes one image; it must be on `productId` where that is given. */
export async function deleteProductImage(
  db: Database,
  input: RemoveOptions & { id: string; productId?: string | null | undefined },
  limits: GalleryLimits,
): Promise<ImageRow[]> {
  const problems = new Problems();
  const isId = problems.checkId(input.id, ['id']);
  const isProductId = input.productId == null || problems.checkId(input.productId, ['productId']);
  if (!isId || !isProductId) problems.throwIfAny();
  return removeNamed(db, [{ id: input.id, path: ['id'] }], input.productId ?? null, input, limits, problems);
}

/** Deletes the images named, on whatever products they are: all or none. */
export async function deleteProductImages(
  db: Database,
  input: RemoveOptions & { ids: readonly string[] },
  limits: GalleryLimits,
): Promise<ImageRow[]> {
  const problems = new Problems();
  checkBatch(input.ids, ['ids'], limits.maxIdsInMutation, problems);
  return removeNamed(db, checkIds(input.ids, 'ids', problems), null, input, limits, problems);
}

/**
 * Deletes all images of a product, in their order; none is no error. The rows it answers have at least the columns that
 * are to be shown.
 */
export async function deleteAllProductImages(
  db: Database,
  input: RemoveOptions & { productId: string },
  limits: GalleryLimits,
  shown: ColumnSet = everyColumn,
): Promise<ImageRow[]> {
  const problems = new Problems();
  problems.checkId(input.productId, ['productId']);
  problems.throwIfAny();
  const { productId, permanent, dryRun } = input;
  const run = async (transaction: Transaction) => {
    const { product, rows } = await lockSet(transaction, productId, permanent ? everyColumn : shown);
    if (!permanent) return deleteSet(transaction, product, rows, limits);
    const deleted = await findDeletedImagesOfProduct(transaction, productId);
    return removeRows(transaction, [...rows, ...deleted], input, limits);
  };
  if (permanent || dryRun) return changeInTurn<ImageRow[]>(db, [productId], Boolean(dryRun), run);
  const tryWithoutLock = async () => {
    const { product, isKnown, rows } = await readSet(db, productId, shown);
    return isKnown ? deleteSet(db, product, rows, limits) : null;
  };
  return changeSetOf<ImageRow[]>(db, productId, tryWithoutLock, run);
}

function deleteSet(
  db: Connection,
  product: ProductRow | null,
  rows: readonly ImageRow[],
  { retentionDays }: GalleryLimits,
): Outcome<ImageRow[]> {
  if (!product || rows.length === 0) return new Untouched([]);
  const writing = changeSet(db, { product, removed: { ids: rows.map(row => row.id), retentionDays } });
  return new Concluding(writing.then(({ at }) => asDeleted(rows, at, retentionDays)));
}

/** Rows of images as they are when they were deleted. */
export function asDeleted(rows: readonly ImageRow[], at: Date, retentionDays: number): ImageRow[] {
  const restorableUntil = new Date(at.getTime() + retentionDays * dayMs);
  return rows.map(row => ({ ...row, deletedAt: at, restorableUntil, updatedAt: at }));
}

const dayMs = 24 * 60 * 60 * 1_000;

async function removeNamed(
  db: Database,
  named: readonly NamedImage[],
  productId: string | null,
  options: RemoveOptions,
  limits: GalleryLimits,
  known: Problems,
): Promise<ImageRow[]> {
  const ids = named.map(({ id }) => id);
  const productIds = await findProductsOfImages(db, ids);
  return changeInTurn(db, productIds, Boolean(options.dryRun), async transaction => {
    const problems = known.fork();
    await lockProductsOfImages(transaction, ids);
    const found = await findImagesEvenDeleted(transaction, ids);
    const deletable = new Map(
      found.filter(row => options.permanent || isLive(row)).map(row => [row.id, row]),
    );
    if (productId !== null) await checkProduct(transaction, productId, deletable, named, problems);
    else tellMissing(deletable, named, problems);
    problems.throwIfAny();
    return removeRows(
      transaction,
      ids.flatMap(id => deletable.get(id) ?? []),
      options,
      limits,
    );
  });
}

function isLive(row: ImageRow): boolean {
  return row.deletedAt === null;
}

function tellMissing(
  deletable: ReadonlyMap<string, ImageRow>,
  named: readonly NamedImage[],
  problems: Problems,
): void {
  for (const { id, path } of named) {
    if (!deletable.has(id)) problems.add('IMAGE_NOT_FOUND', path, imageNotFound(id));
  }
}

async function checkProduct(
  transaction: Transaction,
  productId: string,
  deletable: ReadonlyMap<string, ImageRow>,
  named: readonly NamedImage[],
  problems: Problems,
): Promise<void> {
  const [product] = await findProductsByIds(transaction, [productId]);
  if (!product) problems.add('PRODUCT_NOT_FOUND', ['productId'], productNotFound(productId));
  tellMissing(deletable, named, problems);
  for (const row of deletable.values()) {
    if (!product || row.productId === productId) continue;
    const message = `image ${row.id} is on product ${row.productId}, not on ${productId}`;
    problems.add('IMAGE_NOT_ON_PRODUCT', ['id'], message);
  }
}

async function removeRows(
  transaction: Transaction,
  rows: readonly ImageRow[],
  options: RemoveOptions,
  limits: GalleryLimits,
): Promise<ImageRow[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(row => row.id);
  const productIds = [...new Set(rows.filter(isLive).map(row => row.productId))];
  if (options.permanent) await purgeImages(transaction, ids);
  else await markImagesDeleted(transaction, ids, limits.retentionDays);
  await renumberPositions(transaction, productIds);
  await raiseImagesVersions(transaction, productIds);
  if (options.permanent) return [...rows];
  const deleted = new Map((await findImagesEvenDeleted(transaction, ids)).map(row => [row.id, row]));
  return ids.flatMap(id => deleted.get(id) ?? []);
}

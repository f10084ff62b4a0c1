import type { Database } from '../data/database.ts';
import { moveImages, renumberPositions } from '../data/image-writes.ts';
import { findImagesByIds, findPlacesOfProducts, type ImageRow, type PlacedRow } from '../data/images.ts';
import { lockProducts, raiseImagesVersions } from '../data/products.ts';
import { imageGroups } from '../data/tables.ts';
import { keysOf, membersOf } from './arrangement.ts';
import { change } from './change.ts';
import { checkBatch, type GalleryLimits } from './limits.ts';
import { assignOrderKeys } from './order-keys.ts';
import { checkIds, checkImagesOnProduct, checkVersion, productNotFound } from './presence.ts';
import { Problems } from './problems.ts';

export interface ReorderInput {
  productId: string;
  imageIds: readonly string[];
  expectedVersion?: number | null | undefined;
}

/**
 * Puts the images named first, in that order, each within its group; the others follow in the order that they had.
 * Answers the images named.
 */
export async function reorderProductImages(
  db: Database,
  input: ReorderInput,
  limits: GalleryLimits,
): Promise<ImageRow[]> {
  const problems = new Problems();
  // A whole set may be named: nobody who moves one picture of three hundred should have to think of batches.
  const most = Object.values(limits.maxImages).reduce((sum, size) => sum + size);
  checkBatch(input.imageIds, ['imageIds'], most, problems);
  const named = checkIds(input.imageIds, 'imageIds', problems);
  if (!problems.checkId(input.productId, ['productId'])) problems.throwIfAny();
  return change(db, false, async transaction => {
    const found = problems.fork();
    const [product] = await lockProducts(transaction, [input.productId]);
    const current = await findPlacesOfProducts(transaction, [input.productId]);
    if (!product) found.add('PRODUCT_NOT_FOUND', ['productId'], productNotFound(input.productId));
    else checkVersion(product, input.expectedVersion, ['expectedVersion'], found);
    const first = await checkImagesOnProduct(transaction, input.productId, current, named, found);
    found.throwIfAny();
    const moved = findMoved(
      current,
      first.map(({ id }) => id),
    );
    await moveImages(transaction, moved);
    if (moved.length > 0) {
      await renumberPositions(transaction, [input.productId]);
      await raiseImagesVersions(transaction, [input.productId]);
    }
    const rows = new Map((await findImagesByIds(transaction, input.imageIds)).map(row => [row.id, row]));
    return input.imageIds.flatMap(id => rows.get(id) ?? []);
  });
}

/** The images that get another order key: as few as the new order allows. */
function findMoved(current: readonly PlacedRow[], firstIds: readonly string[]): PlacedRow[] {
  const ranks = new Map(firstIds.map((id, rank) => [id, rank]));
  const rankOf = (row: PlacedRow) => ranks.get(row.id) ?? firstIds.length;
  return imageGroups.flatMap(group => {
    const members = membersOf(current, group);
    const ordered = members.toSorted((one, other) => rankOf(one) - rankOf(other));
    const assigned = assignOrderKeys(
      ordered.map(row => row.orderKey),
      keysOf(members),
    );
    return ordered.flatMap((row, index) => {
      const orderKey = assigned[index] ?? row.orderKey;
      return orderKey === row.orderKey ? [] : [{ ...row, orderKey }];
    });
  });
}

import type { Database } from '../data/database.ts';
import { type ColumnSet, everyColumn, type ImageColumn, widenColumnSet } from '../data/image-columns.ts';
import { changeSet, lockSet } from '../data/image-sets.ts';
import { findImagesOfProduct, type ImageRow } from '../data/images.ts';
import { imageGroups } from '../data/tables.ts';
import { keysOf, membersOf } from './arrangement.ts';
import { Concluding, change, Untouched } from './change.ts';
import { checkBatch, type GalleryLimits } from './limits.ts';
import { assignOrderKeys } from './order-keys.ts';
import { checkIds, checkImagesOnProduct, checkVersion, productNotFound } from './presence.ts';
import { Problems } from './problems.ts';

export interface ReorderInput {
  productId: string;
  imageIds: readonly string[];
  expectedVersion?: number | null | undefined;
}

const placeColumns: readonly ImageColumn[] = ['imageGroup', 'orderKey', 'position'];

/**
 * Puts the images named first, in that order, each within its group; the others follow in the order that they had.
 * Answers the images named, of which it reads what it needs and what is to be shown.
 */
export async function reorderProductImages(
  db: Database,
  input: ReorderInput,
  limits: GalleryLimits,
  shown: ColumnSet = everyColumn,
): Promise<ImageRow[]> {
  const problems = new Problems();
  // A whole set may be named: nobody who moves one picture of three hundred should have to think of batches.
  const most = Object.values(limits.maxImages).reduce((sum, size) => sum + size);
  checkBatch(input.imageIds, ['imageIds'], most, problems);
  const named = checkIds(input.imageIds, 'imageIds', problems);
  if (!problems.checkId(input.productId, ['productId'])) problems.throwIfAny();
  const columns = widenColumnSet(shown, placeColumns);
  return change<ImageRow[]>(db, false, async transaction => {
    const found = problems.fork();
    const { product, rows } = await lockSet(transaction, input.productId, (reading, id) =>
      findImagesOfProduct(reading, id, columns),
    );
    if (!product) found.add('PRODUCT_NOT_FOUND', ['productId'], productNotFound(input.productId));
    else checkVersion(product, input.expectedVersion, ['expectedVersion'], found);
    const own = await checkImagesOnProduct(transaction, input.productId, rows, named, found);
    found.throwIfAny();
    const firstIds = own.map(({ id }) => id);
    const moved = product ? findMoved(rows, firstIds, product.now) : [];
    const byId = new Map([...rows, ...moved].map(row => [row.id, row]));
    const first = firstIds.flatMap(id => byId.get(id) ?? []);
    if (!product || moved.length === 0) return new Untouched(first);
    return new Concluding(changeSet(transaction, { product, placed: moved }).then(() => first));
  });
}

/** The images that get another place, as they are then: as few other order keys as the new order allows. */
function findMoved(current: readonly ImageRow[], firstIds: readonly string[], now: Date): ImageRow[] {
  const ranks = new Map(firstIds.map((id, rank) => [id, rank]));
  const rankOf = (row: ImageRow) => ranks.get(row.id) ?? firstIds.length;
  return imageGroups.flatMap(group => {
    const members = membersOf(current, group);
    const ordered = members.toSorted((one, other) => rankOf(one) - rankOf(other));
    const assigned = assignOrderKeys(
      ordered.map(row => row.orderKey),
      keysOf(members),
    );
    return ordered.flatMap((row, position) => {
      const orderKey = assigned[position] ?? row.orderKey;
      if (orderKey === row.orderKey) return position === row.position ? [] : [{ ...row, position }];
      return [{ ...row, orderKey, position, updatedAt: now }];
    });
  });
}

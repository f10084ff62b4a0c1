import type { Database, Transaction } from '../data/database.ts';
import { type RestoredPlace, renumberPositions, restoreImages } from '../data/image-writes.ts';
import {
  findImagesByIds,
  findImagesEvenDeleted,
  findPlacesOfProducts,
  type ImageRow,
  type PlacedRow,
} from '../data/images.ts';
import { findProductsOfImages, lockProductsOfImages, raiseImagesVersions } from '../data/products.ts';
import { imageGroups } from '../data/tables.ts';
import { keysOf, membersOf } from './arrangement.ts';
import { changeInTurn } from './change.ts';
import { checkBatch, checkRoom, type GalleryLimits } from './limits.ts';
import { assignOrderKeys, isTooLong } from './order-keys.ts';
import { checkIds, imageNotFound, type NamedImage } from './presence.ts';
import { Problems } from './problems.ts';

/**
 * Brings deleted images back, all or none, on whatever products they are. Each returns to where its order key says
 * that it stood; it is the thumbnail again only where the product has none now.
 */
export async function restoreProductImages(
  db: Database,
  ids: readonly string[],
  limits: GalleryLimits,
): Promise<ImageRow[]> {
  const problems = new Problems();
  checkBatch(ids, ['ids'], limits.maxIdsInMutation, problems);
  const named = checkIds(ids, 'ids', problems);
  const namedIds = named.map(({ id }) => id);
  return changeInTurn(db, await findProductsOfImages(db, namedIds), false, async transaction => {
    const found = problems.fork();
    const locked = await lockProductsOfImages(transaction, namedIds);
    const productIds = locked.map(product => product.id);
    const restorable = await checkRestorable(transaction, named, found);
    const live = await findPlacesOfProducts(transaction, productIds);
    const places = productIds.flatMap(productId => {
      const isOfProduct = (row: PlacedRow) => row.productId === productId;
      return placeAmong(live.filter(isOfProduct), restorable.filter(isOfProduct), limits, found);
    });
    found.throwIfAny();
    await restoreImages(transaction, places);
    await renumberPositions(transaction, productIds);
    await raiseImagesVersions(transaction, productIds);
    const rows = new Map((await findImagesByIds(transaction, ids)).map(row => [row.id, row]));
    return ids.flatMap(id => rows.get(id) ?? []);
  });
}

async function checkRestorable(
  transaction: Transaction,
  named: readonly NamedImage[],
  problems: Problems,
): Promise<ImageRow[]> {
  const ids = named.map(({ id }) => id);
  const rows = new Map((await findImagesEvenDeleted(transaction, ids)).map(row => [row.id, row]));
  return named.flatMap(({ id, path }) => {
    const row = rows.get(id);
    if (!row) {
      problems.add('IMAGE_NOT_FOUND', path, imageNotFound(id));
      return [];
    }
    if (row.restorableUntil && row.restorableUntil > new Date()) return [row];
    const reason = row.restorableUntil
      ? `could be restored until ${row.restorableUntil.toISOString()}`
      : 'is not deleted';
    problems.add('NOT_RESTORABLE', path, `image ${id} ${reason}`);
    return [];
  });
}

/** Where the images of one product go among those that are there; those stay as they are, or get other keys. */
function placeAmong(
  live: readonly PlacedRow[],
  returning: readonly PlacedRow[],
  limits: GalleryLimits,
  problems: Problems,
): RestoredPlace[] {
  let hasThumbnail = live.some(row => row.isThumbnail);
  return imageGroups.flatMap(group => {
    const [there, back] = [membersOf(live, group), membersOf(returning, group)];
    if (back.length > 0) checkRoom(group, there.length + back.length, ['ids'], limits, problems);
    const isBack = new Set(back);
    const merged = [...there, ...back].sort(byOrderKey);
    const taken = keysOf(there);
    // A live image that took the place meanwhile keeps it, and the key with it.
    const keys = merged.map(row =>
      isBack.has(row) && (taken.has(row.orderKey) || isTooLong(row.orderKey)) ? null : row.orderKey,
    );
    const assigned = assignOrderKeys(keys, keysOf(merged));
    return merged.flatMap((row, index) => {
      const orderKey = assigned[index] ?? row.orderKey;
      if (!isBack.has(row)) return orderKey === row.orderKey ? [] : [{ ...row, orderKey }];
      const isThumbnail = row.isThumbnail && !hasThumbnail;
      hasThumbnail ||= isThumbnail;
      return [{ id: row.id, orderKey, isThumbnail }];
    });
  });
}

function byOrderKey(one: PlacedRow, other: PlacedRow): number {
  return one.orderKey < other.orderKey ? -1 : Number(one.orderKey > other.orderKey);
}

import type { Transaction } from '../data/database.ts';
import { purgeImages, restoreImages, updateImageSources, updateImages } from '../data/image-writes.ts';
import {
  findImagesByIds,
  findImagesEvenDeleted,
  findPlacesOfProducts,
  findRemovedWithSameBytes,
  type ImageRow,
} from '../data/images.ts';
import { raiseImagesVersions } from '../data/products.ts';

/**
 * An image that a replacement added turns out to hold the bytes of one that the same replacement removed: then that
 * one was meant. It takes the place, with its id, and the texts that the replacement did not give. The caller holds the
 * product's lock.
 */
export async function keepSameBytes(transaction: Transaction, addedId: string): Promise<void> {
  const removed = await findRemovedWithSameBytes(transaction, addedId);
  const [added] = removed ? await findImagesByIds(transaction, [addedId]) : [];
  if (!added || !removed) return;
  const merged = mergeImages(added, removed);
  // While it is deleted its type may change without its order key meeting that of another image.
  await updateImages(transaction, [merged]);
  // The purge takes no lock of the product's: it may have been quicker, and waits from that update on.
  const isThere = (await findImagesEvenDeleted(transaction, [merged.id])).length > 0;
  if (!isThere) return;
  await purgeImages(transaction, [added.id]);
  const others = await findPlacesOfProducts(transaction, [added.productId]);
  const isThumbnail = (added.isThumbnail || removed.isThumbnail) && !others.some(row => row.isThumbnail);
  const kept = { ...merged, isThumbnail };
  await updateImageSources(transaction, [kept]);
  await restoreImages(transaction, [kept]);
  await raiseImagesVersions(transaction, [kept.productId]);
}

function mergeImages(added: ImageRow, removed: ImageRow): ImageRow {
  return {
    ...added,
    id: removed.id,
    replacementId: null,
    altText: added.altText ?? removed.altText,
    altTexts: added.altTexts ?? removed.altTexts,
    description: added.description ?? removed.description,
    focalX: added.focalX ?? removed.focalX,
    focalY: added.focalY ?? removed.focalY,
  };
}

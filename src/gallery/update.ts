import type { Database, Transaction } from '../data/database.ts';
import {
  clearThumbnail,
  type ImageValues,
  renumberPositions,
  updateImageSources,
  updateImages,
  writeOrderKeys,
} from '../data/image-writes.ts';
import { findImagesByIds, findPlacesOfProducts, type ImageRow, type PlacedRow } from '../data/images.ts';
import { findProductsOfImages, lockProductsOfImages, raiseImagesVersions } from '../data/products.ts';
import type { ImageType } from '../data/tables.ts';
import { groupOfType, keysOf, membersOf, type Place, placeAt } from './arrangement.ts';
import { changeInTurn } from './change.ts';
import { checkDetails, checkPosition, type DetailsInput } from './details.ts';
import { differs, isResourced, withSource } from './image-values.ts';
import { checkRoom, type GalleryLimits } from './limits.ts';
import { imageNotFound } from './presence.ts';
import { Problems } from './problems.ts';
import { checkSource, type Source, type SourceInput } from './source.ts';
import { holdStored } from './stored-files.ts';

/** What is undefined stays as it is; so does a type, a position or a source that is null. */
export interface UpdateInput extends DetailsInput {
  source?: SourceInput | null | undefined;
  type?: ImageType | null | undefined;
  position?: number | null | undefined;
}

interface Wanted {
  source: Source | null;
  details: Partial<ImageValues>;
  type: ImageType | null;
  position: number | null;
}

/** Changes one image; what changes nothing leaves the set's version as it is. */
export async function updateProductImage(
  db: Database,
  id: string,
  input: UpdateInput,
  limits: GalleryLimits,
): Promise<ImageRow> {
  const problems = new Problems();
  const wanted = checkInput(input, limits, problems);
  if (!problems.checkId(id, ['id'])) problems.throwIfAny();
  return changeInTurn(db, await findProductsOfImages(db, [id]), false, async transaction => {
    const found = problems.fork();
    const image = await lockImage(transaction, id);
    if (!image) found.add('IMAGE_NOT_FOUND', ['id'], imageNotFound(id));
    found.throwIfAny();
    return image
      ? applyChange(transaction, image, wanted, limits)
      : Promise.reject(new Error(imageNotFound(id)));
  });
}

function checkInput(input: UpdateInput, limits: GalleryLimits, problems: Problems): Wanted {
  const path = ['input'];
  checkPosition(input.position, path, problems);
  return {
    source: input.source ? checkSource(input.source, path, limits, problems) : null,
    details: checkDetails(input, path, limits, problems),
    type: input.type ?? null,
    position: input.position ?? null,
  };
}

/** The live image, its product locked. */
async function lockImage(transaction: Transaction, id: string): Promise<ImageRow | null> {
  await lockProductsOfImages(transaction, [id]);
  const [image] = await findImagesByIds(transaction, [id]);
  return image ?? null;
}

async function applyChange(
  transaction: Transaction,
  image: ImageRow,
  wanted: Wanted,
  limits: GalleryLimits,
): Promise<ImageRow> {
  const sourced = wanted.source ? withSource(image, wanted.source) : image;
  const type = wanted.type ?? image.type;
  const chosen = await choosePlace(transaction, image, type, wanted.position, limits);
  const values = { ...sourced, ...wanted.details, ...chosen?.place, type };
  if (!differs(image, values)) return image;
  if (values.isThumbnail) await clearThumbnail(transaction, image.productId, image.id);
  await updateImages(transaction, [values]);
  if (isResourced(image, values)) {
    await holdStored(transaction, wanted.source?.stored ? [wanted.source.stored] : []);
    await updateImageSources(transaction, [values]);
  }
  if (chosen) {
    await writeOrderKeys(transaction, chosen.rekeyed);
    await renumberPositions(transaction, [image.productId]);
  }
  await raiseImagesVersions(transaction, [image.productId]);
  const [changed] = await findImagesByIds(transaction, [image.id]);
  return changed ?? image;
}

/**
 * Null where the image stays where it is. In another group it comes last unless told where. `rekeyed` are those that
 * get other order keys for it.
 */
async function choosePlace(
  transaction: Transaction,
  image: ImageRow,
  type: ImageType,
  position: number | null,
  limits: GalleryLimits,
): Promise<{ place: Place; rekeyed: PlacedRow[] } | null> {
  const group = groupOfType[type];
  const isMovedApart = group !== image.imageGroup;
  if (!isMovedApart && (position === null || position === image.position)) return null;
  const rows = await findPlacesOfProducts(transaction, [image.productId]);
  const there = membersOf(rows, group);
  const members = there.filter(row => row.id !== image.id);
  if (isMovedApart) {
    const problems = new Problems();
    checkRoom(group, members.length + 1, ['input', 'type'], limits, problems);
    problems.throwIfAny();
  }
  const { place, others } = placeAt(members, position, keysOf(there));
  if (!isMovedApart && place.position === image.position) return null;
  return { place, rekeyed: others.filter((row, at) => row !== members[at]) };
}

import type { ImageRow } from '../data/images.ts';
import { nameDownload, type Original, originalOf } from '../rendering/address.ts';
import { checkTransform, type Recipe, type Transform } from '../rendering/recipe.ts';
import { type OriginalPicture, resolveRecipe } from '../rendering/resolve-recipe.ts';
import { checkSrcset, resolveSrcset } from '../rendering/srcset.ts';
import type { Addresses, Context } from './context.ts';

/** What an image's addresses are made from; null until its bytes are here. */
interface ImportedPicture extends OriginalPicture {
  original: Original;
}

function findPicture(row: ImageRow): ImportedPicture | null {
  const { fileHash, mimeType, width, height, hasAlpha, focalX, focalY } = row;
  if (fileHash === null || mimeType === null || width === null || height === null) return null;
  const focus = focalX === null || focalY === null ? null : { x: focalX, y: focalY };
  return { original: originalOf(fileHash, mimeType), mimeType, width, height, hasAlpha, focus };
}

/** Without a transform the untouched original. */
export function urlOf(row: ImageRow, transform: Transform | null, { addresses }: Context): string | null {
  const picture = findPicture(row);
  if (!picture) {
    // What is wrong is told for every image alike, whether it is here or not.
    if (transform) checkTransform(transform, addresses.bounds);
    return row.state === 'FAILED' ? null : row.sourceUrl;
  }
  const recipe = transform && resolveRecipe(transform, picture, addresses.bounds);
  return format(picture.original, recipe, addresses);
}

/** For lists and details: small enough for the box of that name. */
export function sizedUrlOf(
  row: ImageRow,
  size: keyof Addresses['sizes'],
  { addresses }: Context,
): string | null {
  const picture = findPicture(row);
  const recipe = picture && resolveRecipe(addresses.sizes[size], picture, addresses.bounds);
  return picture && format(picture.original, recipe, addresses);
}

export function srcsetOf(
  row: ImageRow,
  widths: readonly number[] | null,
  transform: Transform,
  { addresses }: Context,
): string | null {
  checkSrcset(widths, transform, addresses.bounds);
  const picture = findPicture(row);
  if (!picture) return null;
  return resolveSrcset(widths, transform, picture, addresses.bounds)
    .map(recipe => `${format(picture.original, recipe, addresses)} ${recipe.width}w`)
    .join(', ');
}

export function downloadUrlOf(row: ImageRow, { addresses }: Context): string | null {
  const original = findPicture(row)?.original;
  if (!original) return null;
  const expiresAt = new Date(Date.now() + addresses.downloadSeconds * 1_000);
  const name = nameDownload(row.name, original.extension);
  return addresses.format({ kind: 'download', ...original, expiresAt, name });
}

function format(original: Original, recipe: Recipe | null, addresses: Addresses): string {
  return addresses.format(
    recipe ? { kind: 'rendition', ...original, recipe } : { kind: 'original', ...original },
  );
}

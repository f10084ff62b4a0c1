import type { ImageRow } from '../data/images.ts';
import { type Handout, nameDownload, type Original, originalOf } from '../rendering/address.ts';
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

/** An address among those that a field shows, and what follows it there. */
interface Part {
  /** Null for the untouched original. */
  recipe: Recipe | null;
  after: string;
}

/** What a field shows of a picture with its arguments. @throws {BadInput} */
export type FindParts<Given> = (
  picture: OriginalPicture,
  given: Given,
  addresses: Pick<Addresses, 'bounds' | 'sizes'>,
) => Part[];

interface TransformGiven {
  transform?: Transform | null | undefined;
}

export const findUrl: FindParts<TransformGiven> = (picture, { transform }, { bounds }) => [
  { recipe: transform ? resolveRecipe(transform, picture, bounds) : null, after: '' },
];

/** For lists and details: small enough for the box of that name. */
export function findSized(size: keyof Addresses['sizes']): FindParts<object> {
  return (picture, _given, { sizes, bounds }) => [
    { recipe: resolveRecipe(sizes[size], picture, bounds), after: '' },
  ];
}

interface SrcsetGiven extends TransformGiven {
  widths?: readonly number[] | null | undefined;
}

export const findSrcset: FindParts<SrcsetGiven> = (picture, { widths, transform }, { bounds }) =>
  resolveSrcset(widths ?? null, transform ?? {}, picture, bounds).map((recipe, index, all) => ({
    recipe,
    after: ` ${recipe.width}w${index < all.length - 1 ? ', ' : ''}`,
  }));

/** Null until the picture is imported. */
export function addressesOf<Given>(
  row: ImageRow,
  given: Given,
  { addresses }: Context,
  find: FindParts<Given>,
): string | null {
  const picture = findPicture(row);
  if (!picture) return null;
  const { original } = picture;
  return find(picture, given, addresses)
    .map(({ recipe, after }) => addresses.format({ ...original, ...handoutOf(recipe) }) + after)
    .join('');
}

export function srcsetOf(row: ImageRow, given: SrcsetGiven, context: Context): string | null {
  checkSrcset(given.widths ?? null, given.transform ?? {}, context.addresses.bounds);
  return addressesOf(row, given, context, findSrcset);
}

/** Without a transform the untouched original. */
export function urlOf(row: ImageRow, given: TransformGiven, context: Context): string | null {
  const address = addressesOf(row, given, context, findUrl);
  if (address !== null) return address;
  // What is wrong is told for every image alike, whether it is here or not.
  if (given.transform) checkTransform(given.transform, context.addresses.bounds);
  return row.state === 'FAILED' ? null : row.sourceUrl;
}

export function downloadUrlOf(row: ImageRow, { addresses }: Context): string | null {
  const original = findPicture(row)?.original;
  if (!original) return null;
  const expiresAt = new Date(Date.now() + addresses.downloadSeconds * 1_000);
  const name = nameDownload(row.name, original.extension);
  return addresses.format({ kind: 'download', ...original, expiresAt, name });
}

export function handoutOf(recipe: Recipe | null): Handout {
  return recipe ? { kind: 'rendition', recipe } : { kind: 'original' };
}

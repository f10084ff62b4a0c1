import type { ImageValues } from '../data/image-writes.ts';
import { type ImageGroup, type ImageType, imageTypes } from '../data/tables.ts';
import { type UserError, UserErrors } from '../errors.ts';
import { groupOfType } from '../gallery/arrangement.ts';
import { checkDetails } from '../gallery/details.ts';
import { newImage, withSource } from '../gallery/image-values.ts';
import type { GalleryLimits } from '../gallery/limits.ts';
import { Problems } from '../gallery/problems.ts';
import { canonicalUrl, checkSource, type SourceInput, type StoredFile } from '../gallery/source.ts';
import type { Entry } from './entry.ts';

/** An image that a line asks for, its form checked. */
export interface Wanted {
  line: number;
  raw: string;
  productId: string;
  group: ImageGroup;
  values: ImageValues;
  /** Null: last. */
  position: number | null;
  /** Any of these that a live image of the product's group has tells that this one is there already. */
  sourceKeys: string[];
  stored: StoredFile | null;
}

export const urlKey = (url: string) => hrefKey(canonicalUrl(url));
const hrefKey = (href: string) => `url ${href}`;
export const pathKey = (path: string) => `path ${path}`;
export const hashKey = (hash: string) => `hash ${hash}`;

/** Whether a source is to be fetched; else it is a path in the import directory. */
export function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
}

/** The image, or all that is wrong with it. `taken` is what the import directory has of its path. */
export function checkEntry(
  entry: Entry,
  { line, raw, taken }: { line: number; raw: string; taken: SourceInput | null },
  limits: GalleryLimits,
): { wanted: Wanted | null; problems: readonly UserError[] } {
  const problems = new Problems();
  for (const { code, path, message } of entry.problems) problems.add(code, path, message);
  checkProductId(entry, problems);
  const source = checkEntrySource(entry, taken, limits, problems);
  const type = checkType(entry.type, problems);
  const position = checkPlace(entry, problems);
  const isThumbnail = checkFlag(entry.isThumbnail, problems);
  const { altText, altTexts, description } = entry;
  const given = { altText, altTexts, description, isThumbnail, focalPoint: checkFocus(entry, problems) };
  const details = checkDetails(given, [], limits, problems);
  const errors = errorsOf(problems);
  if (errors.length > 0 || !source) return { wanted: null, problems: errors };
  const wanted = {
    line,
    raw,
    productId: entry.productId,
    group: groupOfType[type],
    values: { ...withSource(newImage(), source), ...details, type },
    position,
    sourceKeys: source.stored
      ? [
          hashKey(source.stored.file.hash),
          ...(source.stored.path === null ? [] : [pathKey(source.stored.path)]),
        ]
      : [hrefKey(source.parsed.href)],
    stored: source.stored,
  };
  return { wanted, problems: [] };
}

function checkProductId({ productId, problems: known }: Entry, problems: Problems): void {
  if (known.length > 0 && productId === '') return;
  if (productId === '') problems.add('REQUIRED', ['product_id'], 'product_id is empty; name the product');
  else problems.checkId(productId, ['product_id']);
}

function checkEntrySource(
  { source }: Entry,
  taken: SourceInput | null,
  limits: GalleryLimits,
  problems: Problems,
) {
  if (source !== '') return checkSource(taken ?? { url: source }, [], limits, problems);
  problems.add('REQUIRED', ['source'], 'source is empty; give a URL, or a path in the import directory');
  return null;
}

function checkType(text: string, problems: Problems): ImageType {
  const wanted = text.trim().toUpperCase();
  const type = wanted === '' ? 'MORE_PHOTO' : imageTypes.find(known => known === wanted);
  if (type) return type;
  const message = `type is ${JSON.stringify(text)}; it must be ${imageTypes.join(', ')} or empty`;
  problems.add('INVALID', ['type'], message);
  return 'MORE_PHOTO';
}

function checkPlace({ position, firstPosition }: Entry, problems: Problems): number | null {
  const text = position.trim();
  if (text === '') return null;
  if (/^\d{1,9}$/.test(text)) return Math.max(Number(text) - firstPosition, 0);
  const message = `position is ${JSON.stringify(position)}; it must be a whole number, ${firstPosition} or more`;
  problems.add('INVALID', ['position'], message);
  return null;
}

const yes = new Set(['true', '1', 'yes', 'y', 'x', 'on']);
const no = new Set(['', 'false', '0', 'no', 'n', 'off']);

function checkFlag(text: string, problems: Problems): boolean {
  const flag = text.trim().toLowerCase();
  if (!yes.has(flag) && !no.has(flag)) {
    const message = `is_thumbnail is ${JSON.stringify(text)}; it must be true, false or empty`;
    problems.add('INVALID', ['is_thumbnail'], message);
  }
  return yes.has(flag);
}

/** Numbers out of bounds are told with the other details. */
function checkFocus({ focalX, focalY }: Entry, problems: Problems): { x: number; y: number } | null {
  if (focalX === '' && focalY === '') return null;
  if (focalX === '' || focalY === '') {
    problems.add('REQUIRED', ['focal_x'], 'only one of focal_x and focal_y is given; give both or none');
    return null;
  }
  for (const [name, text] of Object.entries({ focal_x: focalX, focal_y: focalY })) {
    if (!Number.isNaN(Number(text))) continue;
    problems.add('INVALID', [name], `${name} is ${JSON.stringify(text)}; it must be a number such as 0.5`);
    return null;
  }
  return { x: Number(focalX), y: Number(focalY) };
}

function errorsOf(problems: Problems): readonly UserError[] {
  try {
    problems.throwIfAny();
    return [];
  } catch (error) {
    if (error instanceof UserErrors) return error.errors;
    throw error;
  }
}

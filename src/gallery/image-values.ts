import type { ImageValues } from '../data/image-writes.ts';
import type { ImageRow } from '../data/images.ts';
import { canonicalUrl, type Source } from './source.ts';

/** An image before anything is said of it; its place and source are still to come. */
export function newImage(): ImageValues {
  return {
    type: 'MORE_PHOTO',
    orderKey: '',
    position: 0,
    isThumbnail: false,
    state: 'IMPORTED',
    name: '',
    sourceUrl: null,
    sourcePath: null,
    fileHash: null,
    altText: null,
    altTexts: null,
    description: null,
    focalX: null,
    focalY: null,
    attempts: 0,
    failureCode: null,
    failureMessage: null,
    retryAt: null,
    idempotencyKey: null,
    idempotencyHash: null,
  };
}

/** The image taken from `source`; as it was when that is where it is from already. */
export function withSource<Values extends ImageValues>(image: Values, source: Source): Values {
  if (image.sourceUrl && canonicalUrl(image.sourceUrl) === canonicalUrl(source.url)) return image;
  return {
    ...image,
    sourceUrl: source.url,
    sourcePath: null,
    name: source.name,
    state: 'IMPORTED',
    fileHash: null,
    attempts: 0,
    failureCode: null,
    failureMessage: null,
    retryAt: null,
  };
}

/** Whether there is anything to write. A position alone does not count: it follows from the order keys. */
export function differs(image: ImageRow, values: Partial<ImageValues>): boolean {
  const { position: _, ...others } = values;
  return Object.entries(others).some(
    ([key, value]) => !isSame(value, (image as Record<string, unknown>)[key]),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!one || !other || typeof one !== 'object' || typeof other !== 'object') return false;
  const entries = Object.entries(one);
  return (
    entries.length === Object.keys(other).length &&
    entries.every(([key, value]) => (other as Record<string, unknown>)[key] === value)
  );
}

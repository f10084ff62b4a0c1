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
    importDueAt: null,
    importClaim: null,
    sourceHost: '',
    replacementId: null,
    idempotencyKey: null,
    idempotencyHash: null,
  };
}

/** Somebody waits for it: it goes before images of a bulk file, which are due when they come, for as long as a day. */
const headStartMs = 24 * 60 * 60 * 1_000;

/** When an image is due that is to be imported now. */
export function dueNow(): Date {
  return new Date(Date.now() - headStartMs);
}

/** The image taken from `source`; as it was when that is where it is from already, or has the same bytes. */
export function withSource<Values extends ImageValues>(
  image: Values,
  source: Source,
  dueAt: Date = dueNow(),
): Values {
  if (isFrom(image, source)) return image;
  const { url, name, stored } = source;
  return {
    ...image,
    sourceUrl: url,
    sourcePath: stored?.path ?? null,
    sourceHost: stored ? '' : source.parsed.hostname,
    name,
    state: stored ? 'UPLOADED' : 'IMPORTED',
    fileHash: stored?.file.hash ?? null,
    attempts: 0,
    failureCode: null,
    failureMessage: null,
    retryAt: null,
    importDueAt: stored ? null : dueAt,
    importClaim: null,
    replacementId: null,
  };
}

/** Whether an image has this source already. */
export function isFrom(image: Pick<ImageValues, 'sourceUrl' | 'fileHash'>, source: Source): boolean {
  if (source.stored) return image.fileHash === source.stored.file.hash;
  if (image.sourceUrl === null) return false;
  return image.sourceUrl === source.url || canonicalUrl(image.sourceUrl) === source.parsed.href;
}

/** Whether a change gave the image another source. */
export function isResourced(image: ImageValues, values: ImageValues): boolean {
  return (
    values.sourceUrl !== image.sourceUrl ||
    values.sourcePath !== image.sourcePath ||
    values.fileHash !== image.fileHash
  );
}

/** Whether there is anything to write. A position alone does not count: it follows from the order keys. */
export function differs(image: ImageRow, values: Partial<ImageValues>): boolean {
  const { position: _, ...others } = values;
  const known: Record<string, unknown> = image;
  const given: Record<string, unknown> = others;
  return Object.keys(given).some(key => !isSame(given[key], known[key]));
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

import { type EncodingName, encodings, findEncoding } from './formats.ts';
import {
  checkTransform,
  multiplySide,
  type Recipe,
  type RecipeBounds,
  type Transform,
  transformOptions,
} from './recipe.ts';

export interface Size {
  width: number;
  height: number;
}

/** What must be known of an original to say what comes of it. Its size is that of the upright picture. */
export interface OriginalPicture extends Size {
  mimeType: string;
  /** Null where nobody looked. */
  hasAlpha: boolean | null;
  /** The spot that cropping keeps, in fractions from the top left; null for the middle. */
  focus: { x: number; y: number } | null;
}

/**
 * What comes of asking for `transform`, to the pixel, so that equal pictures have equal addresses; null for the
 * untouched original.
 * @throws {BadInput} for the first value that is out of bounds
 */
export function resolveRecipe(
  transform: Transform,
  original: OriginalPicture,
  bounds: RecipeBounds,
): Recipe | null {
  checkTransform(transform, bounds);
  const fit = transform.fit ?? transformOptions.fit.initial;
  const format = transform.format ?? transformOptions.format.initial;
  const width = multiplySide(transform, 'width');
  const height = multiplySide(transform, 'height');
  const quality = transform.quality ?? null;
  if (format === 'ORIGINAL' && !width && !height && quality === null) return null;
  const shape = fit !== 'CONTAIN' && width && height ? { width, height } : null;
  const box = { width: width ?? bounds.maxSide, height: height ?? bounds.maxSide };
  const size = shape ? fitInside(shape, original) : fitInside(original, box);
  const encoding = resolveEncoding(format, original);
  const negotiated = format === 'AUTO';
  return {
    ...size,
    focus: shape && fit === 'COVER' ? resolveFocus(size, original) : null,
    quality: negotiated || changesPicture(quality, encoding) ? quality : null,
    encoding,
    negotiated,
  };
}

/** The largest size of that shape that fits into the box; the size itself where it does. */
export function fitInside({ width, height }: Size, box: Size): Size {
  if (width <= box.width && height <= box.height) return { width, height };
  if (width * box.height < height * box.width) {
    return { width: atLeastOne((width * box.height) / height), height: box.height };
  }
  return { width: box.width, height: atLeastOne((height * box.width) / width) };
}

function atLeastOne(pixels: number): number {
  return Math.max(1, Math.round(pixels));
}

/** Where render.ts cuts nothing off, no spot matters; nor does its place along a side that stays whole. */
function resolveFocus({ width, height }: Size, original: OriginalPicture): Recipe['focus'] {
  const scale = Math.max(width / original.width, height / original.height);
  const isNarrower = Math.round(original.width * scale) > width;
  const isLower = Math.round(original.height * scale) > height;
  if (!isNarrower && !isLower) return null;
  const perMille = (isCut: boolean, fraction = 0.5) => (isCut ? Math.round(fraction * 1_000) : 500);
  return { x: perMille(isNarrower, original.focus?.x), y: perMille(isLower, original.focus?.y) };
}

function resolveEncoding(format: NonNullable<Transform['format']>, original: OriginalPicture): EncodingName {
  const { mimeType, hasAlpha } = original;
  const own = encodings.find(encoding => encoding.mimeType === mimeType);
  if (!own) throw new Error(`No encoding has the type ${mimeType}`);
  if (format === 'ORIGINAL') return own.name;
  if (format !== 'AUTO') return encodingOf[format];
  return own.canBeTransparent && hasAlpha !== false ? 'png' : 'jpeg';
}

const encodingOf = { JPEG: 'jpeg', PNG: 'png', WEBP: 'webp', AVIF: 'avif' } as const;

function changesPicture(quality: number | null, encoding: EncodingName): boolean {
  const { defaultQuality } = findEncoding(encoding);
  return defaultQuality !== null && quality !== defaultQuality;
}

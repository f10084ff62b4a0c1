import { type Sharp, sharp } from '../imaging/sharp.ts';
import { type Encoding, findEncoding } from './formats.ts';
import type { Recipe } from './recipe.ts';

/** A recipe whose encoding is settled. */
export type SettledRecipe = Omit<Recipe, 'negotiated'>;

export interface RenderLimits {
  /** Of the original. */
  maxPixels: number;
  timeoutMs: number;
}

/** What the header of an original says, as far as it matters: few bytes, whatever else is in there. */
export type OriginalHeader = Awaited<ReturnType<typeof readHeader>>;

interface Size {
  width: number;
  height: number;
}

export async function readHeader(original: Buffer) {
  const { format, width, height, autoOrient, orientation, channels, depth, hasAlpha, hasProfile, ...others } =
    await sharp(original, { failOn: 'error' }).metadata();
  const { isProgressive, chromaSubsampling } = others;
  const shape = { width, height, autoOrient, orientation };
  return { format, ...shape, channels, depth, hasAlpha, hasProfile, isProgressive, chromaSubsampling };
}

/** The picture of an original's first frame: upright, in sRGB, without metadata. */
export async function renderPicture(
  original: Buffer,
  header: OriginalHeader,
  recipe: SettledRecipe,
  limits: RenderLimits,
): Promise<Buffer> {
  const encoding = findEncoding(recipe.encoding);
  const image = sharp(original, { failOn: 'error', limitInputPixels: limits.maxPixels }).timeout({
    seconds: Math.ceil(limits.timeoutMs / 1_000),
  });
  // Turned last, for before an `extract` sharp would turn the whole original, which could not be shrunk on load then.
  const sized = resize(image, header.autoOrient, recipe).autoOrient();
  return encode(convertColours(sized, header, encoding), encoding, recipe.quality).toBuffer();
}

function resize(image: Sharp, original: Size, { width, height, focus }: SettledRecipe): Sharp {
  if (!focus) return image.resize(width, height, { fit: 'fill' });
  const scale = Math.max(width / original.width, height / original.height);
  const covering = {
    width: Math.max(width, Math.round(original.width * scale)),
    height: Math.max(height, Math.round(original.height * scale)),
  };
  // Cut out afterwards: a decoder can shrink while it decodes only what is wanted whole.
  return image.resize(covering.width, covering.height, { fit: 'fill' }).extract({
    left: findCropStart(covering.width, width, focus.x),
    top: findCropStart(covering.height, height, focus.y),
    width,
    height,
  });
}

/** Where a stretch of `length` begins that has the focal point in its middle, or as near to it as may be. */
function findCropStart(whole: number, length: number, perMille: number): number {
  const start = Math.round((whole * perMille) / 1_000 - length / 2);
  return Math.min(Math.max(start, 0), whole - length);
}

function convertColours(image: Sharp, header: OriginalHeader, encoding: Encoding): Sharp {
  if (header.hasAlpha && !encoding.canBeTransparent) image.flatten({ background: '#ffffff' });
  // sharp takes such originals to Display P3, and would leave them there.
  if (header.depth === 'ushort' && header.hasProfile) image.withIccProfile('srgb', { attach: false });
  return image.toColourspace('srgb');
}

function encode(image: Sharp, { name, options, defaultQuality }: Encoding, quality: number | null): Sharp {
  if (defaultQuality === null) return image.toFormat(name, options);
  return image.toFormat(name, { ...options, quality: quality ?? defaultQuality });
}

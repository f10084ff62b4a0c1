import { toSrgb } from '../imaging/colours.ts';
import { type Sharp, sharp } from '../imaging/sharp.ts';
import { findEncoding } from './formats.ts';
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

/** An original made smaller for several renditions: its first frame, upright and in sRGB, of 8 bits a sample. */
export interface Reduction extends Size {
  pixels: Buffer;
  channels: 3 | 4;
}

/** The picture of an original's first frame: upright, in sRGB, without metadata. */
export async function renderPicture(
  original: Buffer,
  header: OriginalHeader,
  recipe: SettledRecipe,
  limits: RenderLimits,
): Promise<Buffer> {
  const image = openOriginal(original, limits);
  // Turned last, for before an `extract` sharp would turn the whole original, which could not be shrunk on load then.
  const sized = resize(image, header.autoOrient, recipe).autoOrient();
  return encode(toSrgb(sized, header), header.hasAlpha, recipe);
}

/** `divisor` is what each side is divided by. */
export async function reducePicture(
  original: Buffer,
  header: OriginalHeader,
  divisor: number,
  limits: RenderLimits,
): Promise<Reduction> {
  const { width, height } = sizeOfReduction(header.autoOrient, divisor);
  const sized = openOriginal(original, limits).resize(width, height, { fit: 'fill' }).autoOrient();
  const reduced = toSrgb(sized, header).raw({ depth: 'uchar' });
  const { data, info } = await reduced.toBuffer({ resolveWithObject: true });
  return { pixels: data, width, height, channels: info.channels === 4 ? 4 : 3 };
}

/** What `renderPicture` makes of the original, as far as eyes can tell. */
export async function renderReduced(
  { pixels, ...raw }: Reduction,
  header: OriginalHeader,
  recipe: SettledRecipe,
): Promise<Buffer> {
  const image = resize(sharp(pixels, { raw }), header.autoOrient, recipe);
  return encode(image.toColourspace('srgb'), header.hasAlpha, recipe);
}

export function sizeOfReduction({ width, height }: Size, divisor: number): Size {
  return { width: Math.ceil(width / divisor), height: Math.ceil(height / divisor) };
}

/** How many pixels of an original, along a side, come to one of the rendition; the lesser of both sides. */
export function findScale(original: Size, recipe: SettledRecipe): number {
  const { width, height } = sizeBeforeCut(original, recipe);
  return Math.min(original.width / width, original.height / height);
}

function openOriginal(original: Buffer, { maxPixels, timeoutMs }: RenderLimits): Sharp {
  const seconds = Math.ceil(timeoutMs / 1_000);
  return sharp(original, { failOn: 'error', limitInputPixels: maxPixels }).timeout({ seconds });
}

function resize(image: Sharp, original: Size, recipe: SettledRecipe): Sharp {
  const { width, height, focus } = recipe;
  const whole = sizeBeforeCut(original, recipe);
  image.resize(whole.width, whole.height, { fit: 'fill' });
  if (!focus) return image;
  // Cut out afterwards: a decoder can shrink while it decodes only what is wanted whole.
  return image.extract({
    left: findCropStart(whole.width, width, focus.x),
    top: findCropStart(whole.height, height, focus.y),
    width,
    height,
  });
}

/** That of a rendition and of what is cut off it. */
function sizeBeforeCut(original: Size, { width, height, focus }: SettledRecipe): Size {
  if (!focus) return { width, height };
  const scale = Math.max(width / original.width, height / original.height);
  return {
    width: Math.max(width, Math.round(original.width * scale)),
    height: Math.max(height, Math.round(original.height * scale)),
  };
}

/** Where a stretch of `length` begins that has the focal point in its middle, or as near to it as may be. */
function findCropStart(whole: number, length: number, perMille: number): number {
  const start = Math.round((whole * perMille) / 1_000 - length / 2);
  return Math.min(Math.max(start, 0), whole - length);
}

function encode(image: Sharp, hasAlpha: boolean, { encoding, quality }: SettledRecipe): Promise<Buffer> {
  const { name, options, defaultQuality, canBeTransparent } = findEncoding(encoding);
  if (hasAlpha && !canBeTransparent) image.flatten({ background: '#ffffff' });
  if (defaultQuality === null) return image.toFormat(name, options).toBuffer();
  return image.toFormat(name, { ...options, quality: quality ?? defaultQuality }).toBuffer();
}

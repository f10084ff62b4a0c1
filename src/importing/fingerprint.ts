import { rgbaToThumbHash } from 'thumbhash';
import { toSrgb } from '../imaging/colours.ts';
import { sharp } from '../imaging/sharp.ts';
import { corruptImage, type ImageLimits } from './inspect.ts';

export interface Fingerprint {
  /** SHA-256 of the bytes, hex. */
  contentHash: string;
  /** Base64, upright (https://evanw.github.io/thumbhash/). */
  thumbhash: string;
  /** Like #a1b2c3; white for an image that is transparent throughout. */
  dominantColor: string;
}

interface Thumbnail {
  /** RGBA, not premultiplied. */
  pixels: Buffer;
  width: number;
  height: number;
}

/** Sums of one box, weighted by opacity. */
interface Box {
  weight: number;
  red: number;
  green: number;
  blue: number;
}

/**
 * A thumbhash keeps at most 7 × 7 frequencies, so 64 pixels a side say as much as the 100 that it
 * allows, at half the time on the main thread.
 */
const thumbnailSide = 64;

/**
 * Decodes the first frame once, whole, at reduced size where the format can; a file cut short does not
 * get through. Call it for inspected images only, whose dimensions are known to be bearable.
 * @throws {ImportError} CORRUPT_IMAGE
 */
export async function fingerprintImage(bytes: Buffer, limits: ImageLimits): Promise<Fingerprint> {
  const [contentHash, thumbnail] = await Promise.all([hashContent(bytes), decodeThumbnail(bytes, limits)]);
  const { pixels, width, height } = thumbnail;
  return {
    contentHash,
    thumbhash: Buffer.from(rgbaToThumbHash(width, height, pixels)).toString('base64'),
    dominantColor: findDominantColor(pixels),
  };
}

/** SHA-256, hex; off the main thread, which 20 MB would hold up for 20 ms. */
export async function hashContent(bytes: Buffer): Promise<string> {
  // The type only rules out shared memory, in which no file is read here.
  const digest = await crypto.subtle.digest('SHA-256', bytes as Buffer<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

/**
 * The mean of the fullest of 16 × 16 × 16 boxes of colours, each pixel counted by its opacity.
 * @param pixels RGBA, not premultiplied
 */
export function findDominantColor(pixels: Buffer): string {
  const boxes = new Map<number, Box>();
  let fullest: Box = { weight: 0, red: 0, green: 0, blue: 0 };
  for (let at = 0; at < pixels.length; at += 4) {
    const box = addPixel(boxes, pixels.readUInt32BE(at));
    if (box.weight > fullest.weight) fullest = box;
  }
  return fullest.weight === 0 ? '#ffffff' : formatMean(fullest);
}

async function decodeThumbnail(bytes: Buffer, limits: ImageLimits): Promise<Thumbnail> {
  try {
    const image = sharp(bytes, { failOn: 'error', limitInputPixels: limits.maxPixels, autoOrient: true });
    const header = await image.metadata();
    image.resize(thumbnailSide, thumbnailSide, { fit: 'inside', withoutEnlargement: true });
    const { data, info } = await toSrgb(image, header)
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height };
  } catch (error) {
    throw corruptImage(error);
  }
}

function addPixel(boxes: Map<number, Box>, rgba: number): Box {
  const red = rgba >>> 24;
  const green = (rgba >>> 16) & 255;
  const blue = (rgba >>> 8) & 255;
  const alpha = rgba & 255;
  const key = ((red >> 4) << 8) | ((green >> 4) << 4) | (blue >> 4);
  const box = boxes.get(key) ?? { weight: 0, red: 0, green: 0, blue: 0 };
  boxes.set(key, box);
  box.weight += alpha;
  box.red += alpha * red;
  box.green += alpha * green;
  box.blue += alpha * blue;
  return box;
}

function formatMean({ weight, red, green, blue }: Box): string {
  const channels = [red, green, blue].map(sum => Math.round(sum / weight));
  return `#${Buffer.from(channels).toString('hex')}`;
}

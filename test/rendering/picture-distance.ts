import sharp from 'sharp';

/** Raw pixels of RGBA, not premultiplied. */
export interface Pixels {
  data: Buffer;
  width: number;
  height: number;
}

/** As they are stored, whatever a profile says; a little blurred, which takes away most of what encoders add. */
export async function decodePixels(picture: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(picture, { ignoreIcc: true })
    .toColourspace('srgb')
    .ensureAlpha()
    .blur({ sigma: 0.6 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/**
 * How far two pictures are apart, as they are seen on white or on black, whichever is more: the mean over their pixels
 * of the distance of the colours, 0 to 441. Infinite for different sizes.
 */
export function measureDistance(one: Pixels, other: Pixels): number {
  if (one.width !== other.width || one.height !== other.height) return Infinity;
  const pixels = one.width * one.height;
  const [onWhite, onBlack] = [255, 0].map(background => sumDistances(one, other, background));
  return Math.max(onWhite ?? 0, onBlack ?? 0) / pixels;
}

/** As it is seen on a background of that grey. */
export function flatten({ data, width, height }: Pixels, background: number): Pixels {
  const flat = Buffer.alloc(data.length, 255);
  for (let at = 0; at < data.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) flat[at + channel] = seen(data, at, channel, background);
  }
  return { data: flat, width, height };
}

function sumDistances(one: Pixels, other: Pixels, background: number): number {
  let sum = 0;
  for (let at = 0; at < one.data.length; at += 4) {
    const red = seen(one.data, at, 0, background) - seen(other.data, at, 0, background);
    const green = seen(one.data, at, 1, background) - seen(other.data, at, 1, background);
    const blue = seen(one.data, at, 2, background) - seen(other.data, at, 2, background);
    sum += Math.sqrt(red * red + green * green + blue * blue);
  }
  return sum;
}

function seen(data: Buffer, at: number, channel: number, background: number): number {
  const opacity = data[at + 3] ?? 0;
  return background + (((data[at + channel] ?? 0) - background) * opacity) / 255;
}

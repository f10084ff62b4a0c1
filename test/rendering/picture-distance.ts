import sharp from 'sharp';

/**
 * How far two pictures are apart, as they are seen on white and on black: the mean over their pixels of the distance of
 * the colours, 0 to 441, after a blur of 3 × 3 that takes away most of what encoders add. Infinite for other sizes.
 */
export async function measureDistance(one: Buffer, other: Buffer): Promise<number> {
  const distances = await Promise.all(
    ['#ffffff', '#000000'].map(async background => {
      const [first, second] = await Promise.all([decode(one, background), decode(other, background)]);
      return compare(first, second);
    }),
  );
  return Math.max(...distances);
}

interface Pixels {
  data: Buffer;
  width: number;
  height: number;
}

async function decode(picture: Buffer, background: string): Promise<Pixels> {
  const { data, info } = await sharp(picture, { ignoreIcc: true })
    .flatten({ background })
    .toColourspace('srgb')
    .blur({ sigma: 0.6 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

function compare(one: Pixels, other: Pixels): number {
  if (one.width !== other.width || one.height !== other.height) return Infinity;
  let sum = 0;
  for (let at = 0; at < one.data.length; at += 3) {
    sum += Math.hypot(
      difference(one, other, at),
      difference(one, other, at + 1),
      difference(one, other, at + 2),
    );
  }
  return (sum * 3) / one.data.length;
}

function difference(one: Pixels, other: Pixels, at: number): number {
  return (one.data[at] ?? 0) - (other.data[at] ?? 0);
}

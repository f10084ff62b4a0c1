import type { EncodingName } from './formats.ts';
import { type OriginalHeader, type SettledRecipe, sizeOfReduction } from './render.ts';

/** Bytes for each pixel of the result, its own included; measured with 12 megapixels. */
const encoding: Record<EncodingName, { opaque: number; transparent: number }> = {
  jpeg: { opaque: 9, transparent: 9 },
  png: { opaque: 6, transparent: 7 },
  webp: { opaque: 10, transparent: 15 },
  avif: { opaque: 23, transparent: 32 },
  gif: { opaque: 12, transparent: 12 },
};

/** Strips of an original under way, and what libvips keeps whatever the size. */
const leastDecodingBytes = 8_000_000;

/** Bytes that making a picture of an original takes at most, about; those of the original's file are not counted. */
export function estimateMemory(header: OriginalHeader, recipe: SettledRecipe): number {
  const turned = turnedBytes(header) * recipe.width * recipe.height;
  return estimateDecoding(header) + turned + estimateRendering(header, recipe);
}

/** That of one made smaller, whose own bytes are counted elsewhere. */
export function estimateRendering(header: OriginalHeader, recipe: SettledRecipe): number {
  const { opaque, transparent } = encoding[recipe.encoding];
  return leastDecodingBytes + recipe.width * recipe.height * (header.hasAlpha ? transparent : opaque);
}

/** Of making an original smaller; the result is there twice while it is copied. */
export function estimateReducing(header: OriginalHeader, divisor: number): number {
  const { width, height } = sizeOfReduction(header.autoOrient, divisor);
  return leastDecodingBytes + estimateDecoding(header) + width * height * (8 + turnedBytes(header));
}

function turnedBytes({ orientation }: OriginalHeader): number {
  return orientation !== undefined && orientation > 1 ? 4 : 0;
}

/** Most decoders hand out strip by strip; some need the whole picture before its first line. */
function estimateDecoding(header: OriginalHeader): number {
  const pixels = header.width * header.height;
  const samples = header.channels * (header.depth === 'ushort' ? 2 : 1);
  switch (header.format) {
    // libjpeg keeps the coefficients of all scans, of two bytes each.
    case 'jpeg':
      return header.isProgressive ? pixels * 2 * countJpegSamples(header) : 0;
    case 'png':
      return pixels * (header.isProgressive ? samples * 1.3 : samples / 2);
    // The lossless kind, which the header does not tell from the other; that takes less.
    case 'webp':
      return pixels * 4.2;
    default:
      return pixels * 6;
  }
}

/** A pixel's, with those that it shares. */
function countJpegSamples({ channels, chromaSubsampling }: OriginalHeader): number {
  return chromaSubsampling === '4:2:0' ? 1.6 : channels;
}

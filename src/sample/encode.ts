import { extname } from 'node:path';
import sharp from 'sharp';
import type { SamplePicture } from './catalogue.ts';

/**
 * The picture's bytes, in the format that its name ends in; about 80 ms of one core each. It needs libvips' SVG
 * loader, so it fails in a process that has blocked it.
 */
export async function encodeSamplePicture(picture: SamplePicture): Promise<Buffer> {
  const image = sharp(Buffer.from(picture.svg));
  const extension = extname(picture.name);
  switch (extension) {
    case '.jpg':
      return await image.flatten({ background: '#ffffff' }).jpeg({ quality: 82 }).toBuffer();
    case '.webp':
      return await image.webp({ quality: 82, effort: 2 }).toBuffer();
    case '.png':
      return await image.png({ compressionLevel: 7 }).toBuffer();
    default:
      throw new Error(`"${picture.name}" ends in "${extension}"; .jpg, .webp or .png`);
  }
}

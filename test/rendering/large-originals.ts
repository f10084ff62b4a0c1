import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import type { Extension } from '../../src/storage/formats.ts';
import { originalKey } from '../../src/storage/keys.ts';
import type { Storage } from '../../src/storage/storage.ts';

export interface StoredOriginal {
  hash: string;
  extension: Extension;
}

const kinds: readonly [Extension, (image: Sharp) => Sharp][] = [
  ['jpg', image => image.jpeg({ quality: 80 })],
  ['jpg', image => image.withMetadata({ orientation: 6 }).jpeg({ quality: 80 })],
  ['jpg', image => image.jpeg({ quality: 80, progressive: true })],
  ['jpg', image => image.jpeg({ quality: 80, progressive: true, chromaSubsampling: '4:4:4' })],
  ['png', image => image.png({ compressionLevel: 1 })],
  ['png', image => image.png({ compressionLevel: 1, progressive: true })],
  ['webp', image => image.webp({ effort: 0 })],
  ['webp', image => image.webp({ lossless: true, effort: 0 })],
  ['gif', image => image.gif({ effort: 1, dither: 0 })],
];

/** One of each kind, of 25 megapixels. */
export async function storeLargeOriginals(storage: Storage): Promise<StoredOriginal[]> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const grain = sharp({ create: { width: 250, height: 250, channels: 3, background: '#888', noise } });
  const { data, info } = await grain
    .resize(5_000, 5_000, { kernel: 'cubic' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const stored: StoredOriginal[] = [];
  for (const [extension, encode] of kinds) {
    const bytes = await encode(sharp(data, { raw: info })).toBuffer();
    const hash = createHash('sha256').update(bytes).digest('hex');
    await storage.write(originalKey(hash, extension), bytes);
    stored.push({ hash, extension });
  }
  return stored;
}

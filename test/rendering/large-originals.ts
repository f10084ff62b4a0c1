import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import type { Extension } from '../../src/storage/formats.ts';
import { originalKey } from '../../src/storage/keys.ts';
import type { Storage } from '../../src/storage/storage.ts';

export interface StoredOriginal {
  hash: string;
  extension: Extension;
}

type Kinds = readonly [Extension, (image: Sharp) => Sharp][];

/** Scenes in which every file stays below the 20 MB that an original may have. */
const smooth: Kinds = [
  ['jpg', image => image.jpeg({ quality: 80 })],
  ['jpg', image => image.withMetadata({ orientation: 6 }).jpeg({ quality: 80 })],
  ['jpg', image => image.jpeg({ quality: 80, progressive: true })],
  ['jpg', image => image.jpeg({ quality: 80, progressive: true, chromaSubsampling: '4:4:4' })],
  ['webp', image => image.webp({ effort: 0 })],
];
const coarse: Kinds = [
  ['png', image => image.png({ compressionLevel: 1 })],
  ['png', image => image.png({ compressionLevel: 1, progressive: true })],
  ['webp', image => image.webp({ lossless: true, effort: 0 })],
  ['gif', image => image.gif({ effort: 1, dither: 0, colours: 8 })],
];

/** One of each kind, of 25 megapixels. */
export async function storeLargeOriginals(storage: Storage): Promise<StoredOriginal[]> {
  return [
    ...(await store(storage, smooth, await paintGrain(250, 'linear'))),
    ...(await store(storage, coarse, await paintGrain(800, 'nearest'))),
  ];
}

async function paintGrain(grains: number, kernel: 'linear' | 'nearest'): Promise<Sharp> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const grain = sharp({ create: { width: grains, height: grains, channels: 3, background: '#888', noise } });
  const enlarged = grain.resize(5_000, 5_000, { kernel }).raw();
  const { data, info } = await enlarged.toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: info });
}

async function store(storage: Storage, kinds: Kinds, image: Sharp): Promise<StoredOriginal[]> {
  const stored: StoredOriginal[] = [];
  for (const [extension, encode] of kinds) {
    const bytes = await encode(image.clone()).toBuffer();
    const hash = createHash('sha256').update(bytes).digest('hex');
    await storage.write(originalKey(hash, extension), bytes);
    stored.push({ hash, extension });
  }
  return stored;
}

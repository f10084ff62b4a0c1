import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { findEncoding } from '../../../src/rendering/formats.ts';
import { createSampleCatalogue } from '../../../src/sample/catalogue.ts';
import { measureSsim } from './ssim.ts';

// `node test/bench/pictures/encoders.ts [folder of JPEGs or PNGs]`: what an encoder makes of them, or of drawings of the
// sample catalogue where none is named. Times are of one thread.

sharp.concurrency(1);

interface Variant {
  name: string;
  format: 'avif' | 'webp' | 'jpeg';
  options: object;
}

const { options: avif, defaultQuality } = findEncoding('avif');
const variants: Variant[] = [
  ...[0, 1, 2, 3, 4].map(effort => ({
    name: `AVIF ${defaultQuality}, effort ${effort}`,
    format: 'avif' as const,
    options: { ...avif, quality: defaultQuality, effort },
  })),
  ...(['webp', 'jpeg'] as const).map(format => {
    const { defaultQuality: quality, options } = findEncoding(format);
    return { name: `${format.toUpperCase()} ${quality}`, format, options: { ...options, quality } };
  }),
];

interface Picture {
  data: Buffer;
  info: { width: number; height: number; channels: 3 };
}

const [folder] = process.argv.slice(2);
process.stdout.write('| Width | | Milliseconds | KB | SSIM distance |\n| --- | --- | --- | --- | --- |\n');
for (const width of [386, 1_280]) {
  const pictures = await (folder ? readPictures(folder, width) : drawPictures(width));
  for (const { name, format, options } of variants) {
    let [ms, bytes, distance] = [0, 0, 0];
    for (const { data, info } of pictures) {
      const before = process.cpuUsage();
      const encoded = await sharp(data, { raw: info }).toFormat(format, options).toBuffer();
      const { user, system } = process.cpuUsage(before);
      const decoded = await sharp(encoded).toColourspace('srgb').removeAlpha().raw().toBuffer();
      ms += (user + system) / 1_000;
      bytes += encoded.length;
      distance += 1 - measureSsim(data, decoded, info.width, info.height);
    }
    const mean = (sum: number, digits: number) => (sum / pictures.length).toFixed(digits);
    process.stdout.write(
      `| ${width} | ${name} | ${mean(ms, 0)} | ${mean(bytes / 1_000, 1)} | ${mean(distance, 4)} |\n`,
    );
  }
}

async function readPictures(from: string, width: number): Promise<Picture[]> {
  const names = (await readdir(from)).filter(name => /\.(jpe?g|png)$/i.test(name)).sort();
  return Promise.all(names.map(async name => resize(await readFile(join(from, name)), width)));
}

async function drawPictures(width: number): Promise<Picture[]> {
  const drawings = createSampleCatalogue().flatMap(({ pictures }) => pictures);
  const some = drawings.filter((_, index) => index % 8 === 0).slice(0, 6);
  return Promise.all(
    some.map(async ({ svg }) =>
      resize(await sharp(Buffer.from(svg), { density: 144 }).png().toBuffer(), width),
    ),
  );
}

async function resize(bytes: Buffer, width: number): Promise<Picture> {
  const sized = sharp(bytes).resize(width).flatten({ background: '#ffffff' }).toColourspace('srgb').raw();
  const { data, info } = await sized.toBuffer({ resolveWithObject: true });
  return { data, info: { width: info.width, height: info.height, channels: 3 } };
}

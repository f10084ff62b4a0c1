import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sharp, sharp } from '../../../src/imaging/sharp.ts';
import { originalCount, originalName, originalSize } from './job.ts';

/** Forty JPEGs of about 630 KB, to the bit the same wherever sharp is. */
export async function paintOriginals(folder: string): Promise<Buffer[]> {
  const grain = await spread(paintGrain(1_000, 750, 100, 86), 'linear')
    .png({ compressionLevel: 0 })
    .toBuffer();
  const painted: Buffer[] = [];
  for (let original = 0; original < originalCount; original += 1) {
    const bytes = await paintOriginal(original, grain);
    await writeFile(join(folder, originalName(original)), bytes);
    painted.push(bytes);
  }
  return painted;
}

/** Large shapes in many colours, and grain on them, as a photograph has. */
async function paintOriginal(seed: number, grain: Buffer): Promise<Buffer> {
  return spread(paintGrain(16, 12, seed, 255), 'cubic')
    .composite([{ input: grain, blend: 'soft-light' }])
    .jpeg({ quality: 88 })
    .toBuffer();
}

interface Grain {
  data: Buffer;
  raw: { width: number; height: number; channels: 3 };
}

/** Grey, more or less so by `contrast`; from a linear congruential generator, for a run must be like the others. */
function paintGrain(width: number, height: number, seed: number, contrast: number): Grain {
  const data = Buffer.alloc(width * height * 3);
  let state = seed + 1;
  for (let at = 0; at < data.length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    data[at] = 128 + ((((state >> 16) & 255) - 128) * contrast) / 255;
  }
  return { data, raw: { width, height, channels: 3 } };
}

function spread({ data, raw }: Grain, kernel: 'cubic' | 'linear'): Sharp {
  return sharp(data, { raw }).resize(originalSize.width, originalSize.height, { fit: 'fill', kernel });
}

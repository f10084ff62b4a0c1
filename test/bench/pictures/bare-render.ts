import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sharp } from '../../../src/imaging/sharp.ts';
import { findEncoding } from '../../../src/rendering/formats.ts';
import { type Job, originalName } from './job.ts';

/** What is wanted and nothing else, with the service's options. */
export async function renderBare(folder: string, { original, width, height, format }: Job): Promise<Buffer> {
  const { options, defaultQuality } = findEncoding(format);
  return sharp(await readFile(join(folder, originalName(original))), { failOn: 'error' })
    .resize(width, height, { fit: 'fill' })
    .toColourspace('srgb')
    .toFormat(format, { ...options, quality: defaultQuality ?? 80 })
    .toBuffer();
}

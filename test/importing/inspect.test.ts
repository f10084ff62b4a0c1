import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { defaultImageLimits, inspectImage } from '../../src/importing/inspect.ts';
import { findOutcome } from '../support/import-outcome.ts';
import { height, paintQuarters, width } from '../support/painted-image.ts';

describe('a file that is no image of ours', () => {
  it.each([
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['PDF', Buffer.from('%PDF-1.7\n')],
    ['HTML', Buffer.from('<!doctype html><title>Log in</title>')],
    ['empty', Buffer.alloc(0)],
  ])('is refused by its name: %s', async (name, bytes) => {
    await expect(inspectImage(bytes, defaultImageLimits)).rejects.toMatchObject({
      code: 'UNSUPPORTED_TYPE',
      permanent: true,
      message: `file is ${name}; JPEG, PNG, WebP and GIF are taken`,
    });
  });

  it.each(['tiff', 'avif'] as const)('is refused also if a decoder could read it: %s', async format => {
    const bytes = await paintQuarters().toFormat(format).toBuffer();
    await expect(inspectImage(bytes, defaultImageLimits)).rejects.toMatchObject({
      code: 'UNSUPPORTED_TYPE',
      message: `file is ${format.toUpperCase()}; JPEG, PNG, WebP and GIF are taken`,
    });
  });

  it.each(['svg', 'tiff', 'avif'] as const)(
    'finds no decoder behind the check of types: %s',
    async format => {
      const bytes =
        format === 'svg'
          ? Buffer.from('<svg width="9" height="9"/>')
          : await paintQuarters().toFormat(format).toBuffer();
      await expect(sharp(bytes).metadata()).rejects.toThrow(/unsupported/);
    },
  );

  it('finds no decoder for files by name', async () => {
    const path = join(import.meta.dirname, '../../package.json');
    await expect(sharp(path).metadata()).rejects.toThrow(/unsupported/);
  });

  it.each(['\xff\xd8\xff\xe0', '\x89PNG\r\n\x1a\n', 'RIFF\x10\0\0\0WEBP', 'GIF89a'])(
    'is corrupt when it only begins like one: %j',
    async start => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from('<svg/>'.repeat(100))]);
      expect(await findOutcome(bytes)).toBe('CORRUPT_IMAGE');
    },
  );
});

describe('the limits', () => {
  it('hold at their last pixel', async () => {
    const bytes = await paintQuarters().png().toBuffer();
    const limits = { ...defaultImageLimits, maxPixels: width * height, maxSide: width };
    await expect(inspectImage(bytes, limits)).resolves.toMatchObject({ width, height });
    await expect(inspectImage(bytes, { ...limits, maxPixels: width * height - 1 })).rejects.toMatchObject({
      code: 'DIMENSIONS_TOO_LARGE',
    });
    await expect(inspectImage(bytes, { ...limits, maxSide: width - 1 })).rejects.toMatchObject({
      code: 'DIMENSIONS_TOO_LARGE',
    });
  });
});

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { measureImage } from '../../src/importing/measure-image.ts';
import {
  animatedWebp,
  exifPointers,
  jpegSegment,
  lyingJpeg,
  lyingPng,
  manyScansJpeg,
  packedProfileBomb,
  packedTextBomb,
  pixelBomb,
  png,
  repeat,
  textBomb,
  thinPng,
  withSegments,
} from '../support/broken-images.ts';
import { findOutcome } from '../support/import-outcome.ts';
import { paintQuarters } from '../support/painted-image.ts';

describe('a bomb', () => {
  it('of 50,000² pixels in 300 KB is refused with its numbers', async () => {
    await expect(measureImage(pixelBomb())).rejects.toMatchObject({
      code: 'DIMENSIONS_TOO_LARGE',
      permanent: true,
      message: 'image is 50000 × 50000 pixels; at most 10000 a side and 25000000 in all',
    });
  });

  it('of one side is refused', async () => {
    expect(await findOutcome(thinPng())).toBe('DIMENSIONS_TOO_LARGE');
  });

  it('of a header that lies is refused', async () => {
    expect(await findOutcome(lyingPng())).toBe('CORRUPT_IMAGE');
    expect(await findOutcome(png({ width: 0, height: 0 }, Buffer.alloc(9)))).toBe('CORRUPT_IMAGE');
    expect(await findOutcome(lyingJpeg(await paintQuarters().jpeg().toBuffer(), 60_000))).toBe(
      'DIMENSIONS_TOO_LARGE',
    );
  });

  it('of JPEG scans is refused before it holds up a decoder', async () => {
    expect(await findOutcome(manyScansJpeg(5_000, 883))).toBe('CORRUPT_IMAGE');
    expect(await findOutcome(manyScansJpeg(800, 101))).toBe('CORRUPT_IMAGE');
    expect(await findOutcome(manyScansJpeg(800, 100))).toBe('imported');
  });

  it('of JPEG segments is refused before they fill the memory', async () => {
    const jpeg = await paintQuarters().jpeg().toBuffer();
    const segment = jpegSegment(0xe1, Buffer.alloc(0));
    expect(await findOutcome(withSegments(jpeg, repeat(segment, 20_000_000)))).toBe('CORRUPT_IMAGE');
    expect(await findOutcome(withSegments(jpeg, repeat(segment, 6_000)))).toBe('imported');
  });

  it('of stuffed bytes is refused before it holds up the main thread', async () => {
    const head = manyScansJpeg(800, 1).subarray(0, -2);
    expect(await findOutcome(Buffer.concat([head, repeat(Buffer.from([0xff, 0]), 4_000_000)]))).toBe(
      'CORRUPT_IMAGE',
    );
  });

  it('of WebP frames is refused', async () => {
    expect(await findOutcome(animatedWebp(2_001))).toBe('DIMENSIONS_TOO_LARGE');
    expect(await findOutcome(animatedWebp(2_000))).toBe('imported');
  });

  it('of EXIF directories is refused', async () => {
    const jpeg = await paintQuarters().jpeg().toBuffer();
    expect(await findOutcome(withSegments(jpeg, jpegSegment(0xe1, exifPointers(1_000))))).toBe(
      'CORRUPT_IMAGE',
    );
    expect(await findOutcome(withSegments(jpeg, jpegSegment(0xe1, exifPointers(90))))).toBe('imported');
  });

  it.each([
    ['100,000 texts', textBomb],
    ['texts of 1 GB each', packedTextBomb],
    ['a colour profile of 1 GB', packedProfileBomb],
  ])('of %s does no harm', async (_name, build) => {
    expect(await findOutcome(build())).toBe('imported');
  });
});

describe('all bombs one after another', () => {
  const support = join(import.meta.dirname, '../support/broken-images.ts');
  const source = join(import.meta.dirname, '../../src/importing/measure-image.ts');
  const script = `
    const broken = await import(${JSON.stringify(support)});
    const { measureImage } = await import(${JSON.stringify(source)});
    let longestPauseMs = 0;
    let lastAt = performance.now();
    setInterval(() => {
      longestPauseMs = Math.max(longestPauseMs, performance.now() - lastAt);
      lastAt = performance.now();
    }, 5).unref();
    const builds = ['pixelBomb', 'thinPng', 'lyingPng', 'heaviestPng', 'packedTextBomb', 'packedProfileBomb'];
    const bombs = [...builds.map(name => broken[name]()), broken.gif(1, 1, 20_000), broken.manyScansJpeg(5_000, 100)];
    lastAt = performance.now();
    for (const bomb of bombs) await measureImage(bomb).catch(() => {});
    console.log(JSON.stringify({ peakKilobytes: process.resourceUsage().maxRSS, longestPauseMs }));
  `;

  it('leave the process alive, under 400 MB and answering', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 30_000,
    });
    const { peakKilobytes, longestPauseMs } = JSON.parse(stdout);
    expect(peakKilobytes / 1_024).toBeLessThan(400);
    expect(longestPauseMs).toBeLessThan(1_000);
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findDominantColor, fingerprintImage, hashContent } from '../../src/importing/fingerprint.ts';
import { defaultImageLimits } from '../../src/importing/inspect.ts';
import {
  blue,
  green,
  paintNoise,
  paintQuarters,
  readQuarters,
  red,
  yellow,
} from '../support/painted-image.ts';

function paint(
  ...colours: [count: number, red: number, green: number, blue: number, alpha: number][]
): Buffer {
  return Buffer.from(colours.flatMap(([count, ...rgba]) => Array(count).fill(rgba).flat()));
}

describe('the dominant colour', () => {
  it('is the one that most pixels have', () => {
    expect(findDominantColor(paint([3, 200, 30, 40, 255], [2, 0, 0, 0, 255]))).toBe('#c81e28');
  });

  it('is the mean of shades that lie close together', () => {
    expect(findDominantColor(paint([2, 32, 64, 96, 255], [2, 34, 66, 98, 255]))).toBe('#214161');
  });

  it('leaves out what is transparent', () => {
    expect(findDominantColor(paint([9, 0, 0, 0, 0], [1, 1, 2, 3, 255]))).toBe('#010203');
  });

  it('counts half of what is half transparent', () => {
    expect(findDominantColor(paint([3, 255, 0, 0, 127], [2, 0, 0, 255, 255]))).toBe('#0000ff');
  });

  it('is white where all is transparent', () => {
    expect(findDominantColor(paint([4, 1, 2, 3, 0]))).toBe('#ffffff');
  });
});

describe('the content hash', () => {
  it('is SHA-256 in hexadecimal', async () => {
    const bytes = Buffer.from('some bytes');
    expect(await hashContent(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await hashContent(Buffer.alloc(0))).toMatch(/^e3b0c44298fc1c149afb/);
  });

  it('covers only the bytes of a view, not all of its memory', async () => {
    const whole = Buffer.from('xxbytesxx');
    expect(await hashContent(whole.subarray(2, 7))).toBe(await hashContent(Buffer.from('bytes')));
  });
});

describe('the thumbhash', () => {
  it('shows what the image shows', async () => {
    const bytes = await paintQuarters().png().toBuffer();
    const { thumbhash } = await fingerprintImage(bytes, defaultImageLimits);
    expect(readQuarters(thumbhash)).toEqual([red, green, blue, yellow]);
  });

  it('takes some 25 bytes', async () => {
    const { thumbhash } = await fingerprintImage(await paintNoise().png().toBuffer(), defaultImageLimits);
    expect(Buffer.from(thumbhash, 'base64').length).toBeLessThanOrEqual(25);
  });
});

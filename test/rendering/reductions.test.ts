import { describe, expect, test } from 'vitest';
import { createReductions, findDivisor, type Reductions } from '../../src/rendering/reductions.ts';
import type { Reduction } from '../../src/rendering/render.ts';

const megapixels = 3_000_000;
const bytes = 100;
const reductionOf = (width: number): Reduction => ({
  pixels: Buffer.alloc(bytes),
  width,
  height: 1,
  channels: 3,
});

/** Asks for one of an original as the renderer does. Whether it was there, could not be kept, or is now. */
function ask(reductions: Reductions, hash: string, divisor = 4): 'found' | 'none' | 'made' {
  if (reductions.find(hash, divisor) !== null) return 'found';
  if (!reductions.isWanted(hash, divisor, bytes)) return 'none';
  reductions.keep(hash, divisor, Promise.resolve(reductionOf(1_000 / divisor)));
  return 'made';
}

describe('an original is divided', () => {
  test.each([
    [1, null],
    [2.49, null],
    [2.5, 2],
    [4.99, 2],
    [5, 4],
    [9.99, 4],
    [10, 8],
    [20, 16],
    [80, 64],
    [1_000, 64],
  ])('for one pixel of %d by %o', (scale, divisor) => {
    expect(findDivisor(megapixels, scale)).toBe(divisor);
  });

  test('only where it has many pixels', () => {
    expect([499_999, 500_000].map(pixels => findDivisor(pixels, 10))).toEqual([null, 8]);
  });

  test('so that a rendition has at least five pixels for four, and less than two and a half for one', () => {
    for (let scale = 2.5; scale < 79; scale += 0.01) {
      const left = scale / (findDivisor(megapixels, scale) ?? Number.NaN);
      expect(left).toBeGreaterThanOrEqual(1.25);
      expect(left).toBeLessThan(2.5);
    }
  });
});

describe('a smaller original', () => {
  test('is made for the second rendition, and there for the third', () => {
    const reductions = createReductions(10_000);
    expect([1, 2, 3, 4].map(() => ask(reductions, 'a'))).toEqual(['none', 'made', 'found', 'found']);
    expect(ask(reductions, 'b')).toBe('none');
  });

  test('is the least of those that have enough pixels', async () => {
    const reductions = createReductions(10_000);
    for (const divisor of [8, 2]) for (let time = 0; time < 2; time += 1) ask(reductions, 'a', divisor);
    const widths = await Promise.all([2, 4, 8, 16].map(by => reductions.find('a', by)));
    expect(widths.map(found => found?.width)).toEqual([500, 500, 125, 125]);
  });

  test('is not made where others would push it out before it is used', () => {
    const reductions = createReductions(10 * bytes);
    const names = Array.from({ length: 11 }, (_, index) => `original ${index}`);
    for (let round = 0; round < 3; round += 1) {
      expect(new Set(names.map(name => ask(reductions, name)))).toEqual(new Set(['none']));
    }
    const fewer = names.slice(0, 10);
    for (const name of fewer) ask(reductions, name);
    expect(new Set(fewer.map(name => ask(reductions, name)))).toEqual(new Set(['made']));
    expect(new Set(fewer.map(name => ask(reductions, name)))).toEqual(new Set(['found']));
  });

  test('goes when it is the least lately used', () => {
    const reductions = createReductions(10 * bytes);
    for (let time = 0; time < 2; time += 1) for (const name of ['a', 'b']) ask(reductions, name);
    for (let other = 0; other < 8; other += 1) ask(reductions, `other ${other}`);
    expect(ask(reductions, 'a')).toBe('found');
    ask(reductions, 'one more');
    expect([ask(reductions, 'a'), ask(reductions, 'b')]).toEqual(['found', 'none']);
  });

  test('is at most a quarter of all', () => {
    const reductions = createReductions(4 * bytes - 1);
    expect([1, 2, 3].map(() => ask(reductions, 'a'))).toEqual(['none', 'none', 'none']);
    expect(createReductions(0).isWanted('a', 2, 1)).toBe(false);
  });

  test('that could not be made is forgotten, and what is dropped, too', async () => {
    const reductions = createReductions(10_000);
    reductions.isWanted('a', 4, bytes);
    expect(reductions.isWanted('a', 4, bytes)).toBe(true);
    const failing = Promise.reject(new Error('broken'));
    reductions.keep('a', 4, failing);
    await expect(failing).rejects.toThrow('broken');
    expect(ask(reductions, 'a')).toBe('none');
    expect(ask(reductions, 'a')).toBe('made');
    reductions.drop('a');
    expect(ask(reductions, 'a')).toBe('none');
  });
});

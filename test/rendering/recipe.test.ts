import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { GraphQLEnumType, GraphQLInputObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { BadInput } from '../../src/errors.ts';
import { schema } from '../../src/graphql/schema.ts';
import { formatRecipe, parseRecipe, type Transform, transformOptions } from '../../src/rendering/recipe.ts';
import { type OriginalPicture, resolveRecipe } from '../../src/rendering/resolve-recipe.ts';
import { recipes } from './arbitraries.ts';

const bounds = { maxSide: 4_096 };
const landscape: OriginalPicture = {
  width: 2_000,
  height: 1_500,
  mimeType: 'image/jpeg',
  hasAlpha: false,
  focus: null,
};
const portrait = { ...landscape, width: 1_500, height: 2_000 };
const tiny = { ...landscape, width: 30, height: 20 };
const banner = { ...landscape, width: 10_000, height: 40 };

const resolve = (transform: Transform, original = landscape) => resolveRecipe(transform, original, bounds);
const sizeOf = (transform: Transform, original = landscape) => {
  const { width = 0, height = 0 } = resolve(transform, original) ?? {};
  return `${width}x${height}`;
};

describe('the size that comes of', () => {
  test.for<[string, Transform, OriginalPicture, string]>([
    ['a width', { width: 500 }, landscape, '500x375'],
    ['a height', { height: 500 }, landscape, '667x500'],
    ['a box that is wider', { width: 900, height: 300 }, landscape, '400x300'],
    ['a box that is higher', { width: 386, height: 513 }, landscape, '386x290'],
    ['a box of the same shape', { width: 400, height: 300 }, landscape, '400x300'],
    ['a box around a portrait', { width: 386, height: 513 }, portrait, '385x513'],
    ['a box that is larger than the original', { width: 4_000, height: 4_000 }, landscape, '2000x1500'],
    ['a width beyond the original', { width: 2_001 }, landscape, '2000x1500'],
    ['one pixel', { width: 1 }, banner, '1x1'],
    ['a narrow box around a banner', { width: 100, height: 100 }, banner, '100x1'],
    ['nothing', {}, landscape, '2000x1500'],
    ['nothing, of an original beyond the bound', {}, banner, '4096x16'],
    ['a height, of an original beyond the bound', { height: 40 }, banner, '4096x16'],
  ])('CONTAIN and %s', ([, transform, original, size]) => {
    expect(sizeOf(transform, original)).toBe(size);
  });

  test.for<[string, Transform, OriginalPicture, string]>([
    ['a size', { width: 386, height: 513 }, landscape, '386x513'],
    ['a width alone', { width: 500 }, landscape, '500x375'],
    ['a height alone', { height: 300 }, portrait, '225x300'],
    ['nothing', {}, landscape, '2000x1500'],
    ['a square beyond the height', { width: 1_800, height: 1_800 }, landscape, '1500x1500'],
    ['a size beyond both sides', { width: 3_000, height: 4_000 }, landscape, '1125x1500'],
    ['a size beyond a tiny original', { width: 386, height: 513 }, tiny, '15x20'],
    ['a strip beyond the width', { width: 4_000, height: 10 }, landscape, '2000x5'],
    ['a strip beyond a banner', { width: 10, height: 4_096 }, banner, '1x40'],
  ])('COVER or FILL and %s', ([, transform, original, size]) => {
    expect(sizeOf({ ...transform, fit: 'COVER' }, original)).toBe(size);
    expect(sizeOf({ ...transform, fit: 'FILL' }, original)).toBe(size);
  });

  test.for<[Transform, string]>([
    [{ width: 300, dpr: 2 }, '600x450'],
    [{ width: 333, dpr: 1.5 }, '500x375'],
    [{ width: 386, height: 513, fit: 'COVER', dpr: 2 }, '772x1026'],
    [{ width: 1_200, dpr: 3 }, '2000x1500'],
    [{ dpr: 3 }, '2000x1500'],
  ])('%j is multiplied first', ([transform, size]) => {
    expect(sizeOf(transform)).toBe(size);
  });
});

describe('whatever is asked for', () => {
  const originals = fc.record({
    width: fc.integer({ min: 1, max: 10_000 }),
    height: fc.integer({ min: 1, max: 10_000 }),
    mimeType: fc.constantFrom('image/jpeg', 'image/png', 'image/webp', 'image/gif'),
    hasAlpha: fc.option(fc.boolean()),
    focus: fc.option(
      fc.record({
        x: fc.double({ min: 0, max: 1, noNaN: true }),
        y: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    ),
  });
  const side = fc.option(fc.integer({ min: 1, max: 4_096 }));
  const transforms = fc.record({
    width: side,
    height: side,
    fit: fc.constantFrom(null, 'CONTAIN', 'COVER', 'FILL'),
    format: fc.constantFrom(null, 'AUTO', 'ORIGINAL', 'JPEG', 'PNG', 'WEBP', 'AVIF'),
    quality: fc.option(fc.integer({ min: 1, max: 100 })),
  });
  const asked = (check: (transform: Transform, original: OriginalPicture) => void) =>
    fc.assert(fc.property(transforms as fc.Arbitrary<Transform>, originals, check), { numRuns: 5_000 });

  test('a picture has at least a pixel, at most what its original has, and no side beyond the bound', () => {
    asked((transform, original) => {
      const { width, height } = resolve(transform, original) ?? { width: 1, height: 1 };
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(1);
      expect(width).toBeLessThanOrEqual(Math.min(original.width, 4_096));
      expect(height).toBeLessThanOrEqual(Math.min(original.height, 4_096));
    });
  });

  test('500 asked for is 500 got, where the original has as many', () => {
    asked((transform, original) => {
      const { width, height } = transform;
      if (!width || !height || width > original.width || height > original.height) return;
      const size = resolve(transform, original) ?? { width: 0, height: 0 };
      if (transform.fit === 'COVER' || transform.fit === 'FILL')
        expect(size).toMatchObject({ width, height });
      else expect([size.width - width, size.height - height]).toContain(0);
    });
  });

  test('CONTAIN keeps the shape to half a pixel', () => {
    asked((transform, original) => {
      const { width, height } = resolve({ ...transform, fit: 'CONTAIN', quality: 50 }, original) ?? original;
      const isNear = (side: number, exact: number) => Math.abs(side - Math.max(exact, 1)) < 0.5 + 1e-6;
      const byWidth = isNear(height, (original.height * width) / original.width);
      const byHeight = isNear(width, (original.width * height) / original.height);
      expect(byWidth || byHeight).toBe(true);
    });
  });

  test.for(['COVER', 'FILL'] as const)('asking for what came of %s comes to the same', fit => {
    asked((transform, original) => {
      if (!transform.width || !transform.height) return;
      const recipe = resolve({ ...transform, fit }, original);
      const { width, height, quality } = recipe ?? {};
      expect(resolve({ ...transform, fit, width, height, quality }, original)).toEqual(recipe);
    });
  });
});

describe('the focal point', () => {
  const square = { width: 500, height: 500, fit: 'COVER' } as const;
  const focused = { ...landscape, focus: { x: 0.1234, y: 0.9 } };

  test('is what COVER keeps, along the side that is cut', () => {
    expect(resolve(square, focused)?.focus).toEqual({ x: 123, y: 500 });
    expect(resolve({ ...square, width: 1_000, height: 100 }, focused)?.focus).toEqual({ x: 500, y: 900 });
  });

  test('is the middle where none is set', () => {
    expect(resolve(square)?.focus).toEqual({ x: 500, y: 500 });
  });

  test.for<Transform>([
    { width: 500, height: 500 },
    { width: 500, height: 500, fit: 'FILL' },
    { width: 400, height: 300, fit: 'COVER' },
    { width: 400, fit: 'COVER' },
    { fit: 'COVER' },
  ])('makes no difference to %j, where nothing is cut', transform => {
    expect(resolve(transform, focused)?.focus).toBeNull();
  });
});

describe('the encoding that comes of', () => {
  const of = (transform: Transform, mimeType: string, hasAlpha: boolean | null) => {
    const { encoding, negotiated, quality } = resolve(transform, { ...landscape, mimeType, hasAlpha }) ?? {};
    return { encoding, negotiated, quality };
  };

  test.for([
    ['image/jpeg', false, 'jpeg'],
    ['image/jpeg', null, 'jpeg'],
    ['image/png', false, 'jpeg'],
    ['image/png', true, 'png'],
    ['image/png', null, 'png'],
    ['image/webp', false, 'jpeg'],
    ['image/webp', true, 'png'],
    ['image/gif', null, 'png'],
  ] as const)('AUTO for %s, transparent %s, is %s or better', ([mimeType, hasAlpha, encoding]) => {
    expect(of({ width: 9 }, mimeType, hasAlpha)).toEqual({ encoding, negotiated: true, quality: null });
  });

  test.for([
    ['JPEG', 'jpeg'],
    ['PNG', 'png'],
    ['WEBP', 'webp'],
    ['AVIF', 'avif'],
    ['ORIGINAL', 'gif'],
  ] as const)('%s is what was asked for', ([format, encoding]) => {
    const found = of({ width: 9, format }, 'image/gif', true);
    expect(found).toEqual({ encoding, negotiated: false, quality: null });
  });

  test('ORIGINAL without size and quality is the untouched original', () => {
    expect(resolve({ format: 'ORIGINAL', fit: 'COVER', dpr: 2 }, banner)).toBeNull();
    expect(resolve({ format: 'ORIGINAL', width: 900 }, banner)).not.toBeNull();
    expect(resolve({ format: 'ORIGINAL', quality: 30 })).toMatchObject({ width: 2_000, quality: 30 });
  });

  test('a quality that changes nothing is none', () => {
    expect(of({ quality: 80, format: 'JPEG' }, 'image/jpeg', false).quality).toBeNull();
    expect(of({ quality: 79, format: 'JPEG' }, 'image/jpeg', false).quality).toBe(79);
    expect(of({ quality: 50, format: 'PNG' }, 'image/png', true).quality).toBeNull();
    expect(of({ quality: 80 }, 'image/png', true).quality).toBe(80);
  });
});

describe('a value out of bounds is refused:', () => {
  test.for<[Transform, string]>([
    [{ width: 9_000 }, 'width is 9000; at most 4096'],
    [{ width: 0 }, 'width is 0; at least 1'],
    [{ height: -1 }, 'height is -1; at least 1'],
    [{ height: 4_097, fit: 'COVER' }, 'height is 4097; at most 4096'],
    [{ quality: 0 }, 'quality is 0; at least 1'],
    [{ quality: 101 }, 'quality is 101; at most 100'],
    [{ dpr: 0.5 }, 'dpr is 0.5; at least 1'],
    [{ dpr: 3.1 }, 'dpr is 3.1; at most 3'],
    [{ dpr: Number.NaN }, 'dpr is NaN; at least 1'],
    [{ width: 3_000, dpr: 2 }, 'width is 3000 at dpr 2, which makes 6000; at most 4096'],
    [{ width: 5, height: 4_096, dpr: 1.001 }, 'height is 4096 at dpr 1.001, which makes 4100; at most 4096'],
  ])('%j', ([transform, message]) => {
    expect(() => resolve(transform)).toThrow(new BadInput(message));
  });

  test('the bounds themselves are not', () => {
    expect(resolve({ width: 4_096, height: 1, quality: 100, dpr: 1 })).toMatchObject({ height: 1 });
    expect(resolve({ width: 1_365, height: 1_365, quality: 1, dpr: 3 })).toMatchObject({ height: 1_500 });
  });
});

describe('a recipe in an address', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(recipes, recipe => {
        expect(parseRecipe(formatRecipe(recipe))).toEqual(recipe);
      }),
      { numRuns: 5_000 },
    );
  });

  test.for([
    ['386x513-cover-500-333-q80-auto.jpg'],
    ['1x1.png'],
    ['99999x99999-cover-0-1000-q100.avif'],
    ['40x30-auto.png'],
    ['40x30-q5.gif'],
  ])('can be %s', ([text = '']) => {
    expect(formatRecipe(parseRecipe(text) ?? Object.create(null))).toBe(text);
  });

  test.for([
    '',
    '386x513',
    '386x.jpg',
    'x513.jpg',
    '0386x513.jpg',
    '0x1.jpg',
    '100000x1.jpg',
    '386X513.jpg',
    '386x513.jpeg',
    '386x513.JPG',
    '386x513.svg',
    '386x513-auto-q80.jpg',
    '386x513-q080.jpg',
    '386x513-q0.jpg',
    '386x513-cover-500.jpg',
    '386x513-cover-0500-500.jpg',
    '386x513-cover--1-500.jpg',
    '386x513-fill.jpg',
    '386x513.jpg ',
    ' 386x513.jpg',
    '386x513.jpg\n',
    '３86x513.jpg',
  ])('cannot be %j', text => {
    expect(parseRecipe(text)).toBeNull();
  });
});

describe('the table of options', () => {
  test('is what the API takes', () => {
    const input = schema.getType('ImageTransformInput');
    if (!(input instanceof GraphQLInputObjectType)) throw new Error('no input');
    const offered = Object.values(input.getFields()).map(({ name, type, defaultValue, description }) => {
      return { name, type: String(type), initial: defaultValue ?? null, description };
    });
    expect(offered).toEqual(
      Object.entries(transformOptions).map(([name, { type, initial, description }]) => {
        return { name, type, initial, description: expect.stringContaining(description) };
      }),
    );
  });

  test.for(['fit', 'format'] as const)('has the choices of %s that the API has', name => {
    const { type, choices } = transformOptions[name];
    const offered = schema.getType(type);
    if (!(offered instanceof GraphQLEnumType)) throw new Error('no enum');
    const values = offered.getValues().map(value => [value.name, value.description]);
    expect(Object.fromEntries(values)).toEqual(choices);
  });

  test('is the one in the README', () => {
    const rows = Object.entries(transformOptions).map(([name, option]) => {
      const { initial, description, token } = option;
      const may =
        'choices' in option ? Object.keys(option.choices).map(quote).join(', ') : formatRange(option);
      const shown = typeof initial === 'string' ? quote(initial) : String(initial ?? '–');
      return [quote(name), may, shown, description, token ? quote(token.example) : '–'];
    });
    expect(readOptionsTable()).toEqual(rows);
  });

  test('has examples that make an address', () => {
    const example = Object.values(transformOptions).map(({ token }) => token?.example ?? '');
    expect(parseRecipe(example.join(''))).not.toBeNull();
  });
});

const quote = (text: string) => `\`${text}\``;

function formatRange({ min, max }: { min: number; max: number | string }): string {
  return `${min} to ${max === 'maxSide' ? '`MAX_RENDITION_SIDE`' : max}`;
}

/** The cells of the rows below the table's head. */
function readOptionsTable(): string[][] {
  const lines = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8').split('\n');
  const first = lines.indexOf('| Option | May be | Left out | Means | In an address |') + 2;
  const end = lines.findIndex((line, index) => index >= first && !line.startsWith('|'));
  return lines.slice(first, end).map(line => line.slice(2, -2).split(' | '));
}

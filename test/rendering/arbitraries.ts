import fc from 'fast-check';
import type { ImageAddress } from '../../src/rendering/address.ts';
import { encodings } from '../../src/rendering/formats.ts';
import type { Recipe } from '../../src/rendering/recipe.ts';
import { formats } from '../../src/storage/formats.ts';

const side = fc.integer({ min: 1, max: 16_383 });
const perMille = fc.integer({ min: 0, max: 1_000 });

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  width: side,
  height: side,
  focus: fc.option(fc.record({ x: perMille, y: perMille })),
  quality: fc.option(fc.integer({ min: 1, max: 100 })),
  encoding: fc.constantFrom(...encodings.map(({ name }) => name)),
  negotiated: fc.boolean(),
});

const original = {
  hash: fc.stringMatching(/^[0-9a-f]{64}$/),
  extension: fc.constantFrom(...formats.map(({ extension }) => extension)),
};

/** Names as databases may hold them, in any script. */
export const fileNames = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });

export const addresses: fc.Arbitrary<ImageAddress> = fc.oneof(
  fc.record({ kind: fc.constant('original' as const), ...original }),
  fc.record({ kind: fc.constant('rendition' as const), ...original, recipe: recipes }),
  fc.record({
    kind: fc.constant('download' as const),
    ...original,
    expiresAt: fc.integer({ min: 0, max: 10_000_000_000 }).map(seconds => new Date(seconds * 1_000)),
    name: fileNames,
  }),
);

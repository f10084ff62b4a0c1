import fc from 'fast-check';
import type { ImageType } from '../../src/data/tables.ts';
import type { CallOf } from './calls.ts';
import {
  badIds,
  badTexts,
  badUrls,
  goodTexts,
  locales,
  pictures,
  spellUrl,
  strangeId,
} from './vocabulary.ts';

/** What a caller knows of the store when it decides what to call; it may be out of date. */
export interface Known {
  productIds: readonly string[];
  live(
    productId: string,
  ): readonly { id: string; sourceUrl: string | null; type: ImageType; state: string }[];
  deleted(productId: string): readonly string[];
  version(productId: string): number;
  marketingColor(productId: string): string | null;
  purgedIds: readonly string[];
  /** One of a few idempotency keys. */
  key(n: number): string;
  /** Creations with an idempotency key, as they were called. */
  keyed: readonly CallOf<'createProductImage'>[];
}

/** A choice that is made now and of what comes to be known later. */
export type Choice<Value> = (known: Known) => Value;

export function weigh<Value>(...choices: [number, fc.Arbitrary<Value>][]): fc.Arbitrary<Value> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** Left out three times in four. */
export function seldom<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return weigh<Value | undefined>([3, fc.constant(undefined)], [1, arbitrary]);
}

const always = <Value>(value: Value) => fc.constant<Choice<Value>>(() => value);
const anyOf = <Value>(values: readonly Value[]) =>
  fc.constantFrom(...values).map(
    (value): Choice<Value> =>
      () =>
        value,
  );

/** The first of the products more often than the others, that much may happen to it. */
export const product: fc.Arbitrary<Choice<string>> = weigh(
  [
    60,
    fc.nat(39).map(n => ({ productIds }: Known) => {
      return productIds[n < 20 ? 0 : n % productIds.length] ?? strangeId;
    }),
  ],
  [1, always(strangeId)],
  [1, anyOf(badIds)],
);

/** Picks each time another of a list, as long as there is one. */
export interface Pool {
  take(n: number): string | undefined;
}

export function createPool(ids: readonly string[]): Pool {
  const left = [...ids];
  return { take: n => left.splice(n % Math.max(left.length, 1), 1)[0] };
}

/** An image of the pool; now and then one that does not belong there. Undefined where the pool is empty. */
export type ImageChoice = (known: Known, productId: string, pool: Pool) => string | undefined;

export const image: fc.Arbitrary<ImageChoice> = weigh<ImageChoice>(
  [60, fc.nat(9).map(n => (_known, _productId, pool) => pool.take(n))],
  [1, fc.nat(9).map(n => (known, productId) => pick(known.live(productId), n)?.id)],
  [1, fc.nat(9).map(n => (known, productId) => pick(known.deleted(productId), n))],
  [1, fc.nat(9).map(n => known => pick(known.live(pick(known.productIds, n) ?? ''), n)?.id)],
  [1, fc.nat(9).map(n => known => pick(known.purgedIds, n))],
  [1, fc.constant(() => strangeId)],
  [1, fc.constantFrom(...badIds).map(id => () => id)],
);

export function pick<Value>(values: readonly Value[], n: number): Value | undefined {
  return values[n % Math.max(values.length, 1)];
}

const picture = fc.constantFrom(...pictures);
const spelling = weigh([6, fc.constant(0)], [1, fc.constant(1)], [1, fc.constant(2)]);

export const url: fc.Arbitrary<(unused: Pool) => string> = weigh(
  [
    60,
    fc.tuple(fc.nat(7), spelling).map(([n, spelled]) => (unused: Pool) => {
      return spellUrl(unused.take(n) ?? 'a', spelled);
    }),
  ],
  [
    3,
    fc.tuple(picture, spelling).map(
      ([name, spelled]) =>
        () =>
          spellUrl(name, spelled),
    ),
  ],
  [1, fc.constantFrom(...badUrls).map(bad => () => bad)],
);

const text = weigh<string | null>(
  [40, fc.constantFrom(null, ...goodTexts)],
  [1, fc.constantFrom(...badTexts)],
);

const goodTags = Object.keys(locales).filter(tag => locales[tag] !== null);
const tag = weigh([40, fc.constantFrom(...goodTags)], [1, fc.constantFrom(...Object.keys(locales))]);
const altTexts = fc.uniqueArray(
  fc.record({ locale: tag, text: text.map(String) }, { noNullPrototype: true }),
  {
    maxLength: 2,
    selector: ({ locale }) => locale.slice(0, 1),
  },
);

export const texts = {
  altText: seldom(text),
  altTexts: seldom(weigh<{ locale: string; text: string }[] | null>([1, fc.constant(null)], [5, altTexts])),
  description: seldom(text),
};

const fraction = weigh([40, fc.constantFrom(0, 0.25, 1)], [1, fc.constantFrom(-0.5, 1.5)]);

export const type = fc.constantFrom<ImageType>(
  'MORE_PHOTO',
  'MORE_PHOTO',
  'PREVIEW_PICTURE',
  'DETAIL_PICTURE',
  'SPIN_360',
  'COLOR_SWATCH',
);

export const details = {
  ...texts,
  type: seldom(type),
  position: seldom(weigh([40, fc.nat(6)], [2, fc.constant(99)], [1, fc.constant(-1)])),
  isThumbnail: seldom(fc.constantFrom(true, true, true, false, null)),
  focalPoint: seldom(
    fc.option(fc.record({ x: fraction, y: fraction }, { noNullPrototype: true }), { freq: 3 }),
  ),
};

export const color = weigh<string | null>(
  [40, fc.constantFrom(null, 'GREEN', 'RED')],
  [1, fc.constantFrom(...badTexts)],
);

type VersionChoice = (known: Known, productId: string) => number | undefined;

/** The version that a call expects: none, the one that is known, or another. */
export const expectedVersion: fc.Arbitrary<VersionChoice> = weigh<VersionChoice>(
  [6, fc.constant(() => undefined)],
  [6, fc.constant((known, productId) => known.version(productId))],
  [1, fc.constantFrom(-1, 1).map(by => (known, productId) => known.version(productId) + by)],
);

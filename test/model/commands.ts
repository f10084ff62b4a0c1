import fc from 'fast-check';
import {
  type as anyType,
  type Choice,
  color,
  createPool,
  details,
  expectedVersion,
  type ImageChoice,
  image,
  type Known,
  type Pool,
  pick,
  product,
  seldom,
  texts,
  url,
  weigh,
} from './arbitraries.ts';
import { type Call, type EntryInput, groupOf } from './calls.ts';
import { contentHashes } from './happenings.ts';
import { pictures, spellUrl, strangeId } from './vocabulary.ts';

/** A call that is chosen when it comes to it, by what is known then. */
export type Command = Choice<Call>;

const flag = fc.boolean();
const rarely = weigh([5, fc.constant(false)], [1, fc.constant(true)]);

const key: fc.Arbitrary<Choice<string>> = weigh<Choice<string>>(
  [20, fc.nat(2).map(n => known => known.key(n))],
  [1, fc.constantFrom('', 'k'.repeat(21)).map(bad => () => bad)],
);

const create = fc
  .record({
    product,
    url,
    key: seldom(key),
    ...details,
  })
  .map(
    ({ product, url, key, ...said }): Command =>
      known => {
        const source = { url: url(createPool(pictures)) };
        const input = {
          productId: product(known),
          source,
          ...dropUndefined(said),
          idempotencyKey: key?.(known),
        };
        return { name: 'createProductImage', input: dropUndefined(input) };
      },
  );

/** The same object whatever was left out, so that a repeated input is known as such. */
function dropUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Value;
}

/** A creation with a key once more, as one does who got no answer. */
const repeat = fc.nat(9).map(
  (n): Command =>
    known => {
      return (
        pick(known.keyed, n) ?? { name: 'updateProduct', id: known.productIds[0] ?? strangeId, input: {} }
      );
    },
);

const update = fc.record({ product, image, url: seldom(url), ...details }).map(
  ({ product, image, url, ...said }): Command =>
    known => {
      const source = url && { url: url(createPool(pictures)) };
      return {
        name: 'updateProductImage',
        id: pickLive(known, product(known), image),
        input: { source, ...said },
      };
    },
);

function pickLive(known: Known, productId: string, image: ImageChoice): string {
  return image(known, productId, livePool(known, productId)) ?? strangeId;
}

function livePool(known: Known, productId: string): Pool {
  return createPool(known.live(productId).map(({ id }) => id));
}

const someImages = weigh<ImageChoice[]>(
  [1, fc.constant([])],
  [40, fc.array(image, { minLength: 1, maxLength: 4 })],
  [1, fc.array(image, { minLength: 12, maxLength: 12 })],
);

function pickIds(known: Known, productId: string, images: readonly ImageChoice[], pool: Pool): string[] {
  return images.flatMap(image => image(known, productId, pool) ?? []);
}

const reorder = fc.record({ product, someImages, expectedVersion }).map(
  ({ product, someImages, expectedVersion }): Command =>
    known => {
      const productId = product(known);
      const imageIds = pickIds(known, productId, someImages, livePool(known, productId));
      return {
        name: 'reorderProductImages',
        productId,
        imageIds,
        expectedVersion: expectedVersion(known, productId),
      };
    },
);

type EntryChoice = (known: Known, productId: string, images: Pool, unused: Pool) => EntryInput;

const entry: fc.Arbitrary<EntryChoice> = fc
  .record({
    by: weigh(
      [16, fc.constant('id')],
      [16, fc.constant('url')],
      [2, fc.constant('both')],
      [1, fc.constant('neither')],
    ),
    image,
    url,
    type: seldom(anyType),
    ...texts,
  })
  .map(
    ({ by, image, url, type, ...said }): EntryChoice =>
      (known, productId, images, unused) => {
        const id = by === 'id' || by === 'both' ? image(known, productId, images) || undefined : undefined;
        const isFromUrl = by === 'url' || by === 'both' || (by === 'id' && id === undefined);
        const source = isFromUrl ? { url: url(unused) } : undefined;
        return { id, source, type, ...said };
      },
  );

/** Of a type that its list is for, but for one time in thirty. */
function inList(entry: EntryInput, isFrame: boolean, isAstray: boolean): EntryInput {
  const isFitting = entry.type === undefined || (entry.type === 'SPIN_360') === isFrame;
  return isFitting || isAstray ? entry : { ...entry, type: undefined };
}

const replace = fc
  .record({
    product,
    gallery: fc.array(entry, { maxLength: 7 }),
    frames: fc.array(entry, { maxLength: 2 }),
    isAstray: weigh([29, fc.constant(false)], [1, fc.constant(true)]),
    marketingColor: seldom(color),
    expectedVersion,
    dryRun: rarely,
  })
  .map(
    ({ product, gallery, frames, isAstray, marketingColor, expectedVersion, dryRun }): Command =>
      known => {
        const productId = product(known);
        const [images, unused] = [livePool(known, productId), createPool(pictures)];
        const choose = (choices: EntryChoice[], isFrame: boolean) =>
          choices.map(choice => inList(choice(known, productId, images, unused), isFrame, isAstray));
        const lists = { images: choose(gallery, false), images360: choose(frames, true) };
        const version = expectedVersion(known, productId);
        const input = { productId, ...lists, marketingColor, expectedVersion: version, dryRun };
        return { name: 'replaceProductImages', input };
      },
  );

/** Much at once, to begin with. */
export const fill = fc
  .record({ product, gallery: fc.subarray(pictures), frames: fc.subarray(pictures.slice(0, 3)) })
  .map(
    ({ product, gallery, frames }): Command =>
      known => {
        const fromPicture = (picture: string) => ({ source: { url: spellUrl(picture, 0) } });
        const input = {
          productId: product(known),
          images: gallery.map(fromPicture),
          images360: frames.map(fromPicture),
        };
        return { name: 'replaceProductImages', input };
      },
  );

/** The set as it is known, by ids or by sources. */
const restate = fc.record({ product, byUrl: flag }).map(
  ({ product, byUrl }): Command =>
    known => {
      const productId = product(known);
      const name = ({ id, sourceUrl, type }: ReturnType<Known['live']>[number]) =>
        byUrl ? { source: { url: sourceUrl ?? '' }, type } : { id };
      const parts = Map.groupBy(known.live(productId), ({ type }) => groupOf(type) === 'SPIN_360');
      const input = {
        productId,
        images: (parts.get(false) ?? []).map(name),
        images360: (parts.get(true) ?? []).map(name),
        marketingColor: known.marketingColor(productId),
      };
      return { name: 'replaceProductImages', input };
    },
);

const deleteOne = fc.record({ product, image, other: seldom(product), isNamed: flag, permanent: rarely }).map(
  ({ product, image, other, isNamed, permanent }): Command =>
    known => {
      const productId = product(known);
      const named = (other ?? product)(known);
      const id = pickLive(known, productId, image);
      return { name: 'deleteProductImage', id, productId: isNamed ? named : undefined, permanent };
    },
);

/** On one product, or on two at once. */
const someProducts = fc
  .record({ product, other: product, ofBoth: flag })
  .map(({ product, other, ofBoth }) => (known: Known) => {
    return new Set(ofBoth ? [product(known), other(known)] : [product(known)]);
  });

const deleteMany = fc.record({ product, someProducts, someImages, permanent: rarely, dryRun: rarely }).map(
  ({ product, someProducts, someImages, permanent, dryRun }): Command =>
    known => {
      const live = [...someProducts(known)].flatMap(id => known.live(id).map(image => image.id));
      const ids = pickIds(known, product(known), someImages, createPool(live));
      return { name: 'deleteProductImages', ids, permanent, dryRun };
    },
);

const deleteAll = fc.record({ product, permanent: rarely, dryRun: rarely }).map(
  ({ product, permanent, dryRun }): Command =>
    known => {
      return { name: 'deleteAllProductImages', productId: product(known), permanent, dryRun };
    },
);

/** Of any products that have some. */
const restore = fc.record({ product, someImages }).map(
  ({ product, someImages }): Command =>
    known => {
      const pool = createPool(known.productIds.flatMap(id => known.deleted(id)));
      return { name: 'restoreProductImages', ids: pickIds(known, product(known), someImages, pool) };
    },
);

const retry = fc.record({ product, someImages }).map(
  ({ product, someImages }): Command =>
    known => {
      const productId = product(known);
      const ids = pickIds(known, productId, someImages, livePool(known, productId));
      return { name: 'retryProductImages', ids };
    },
);

const kind = fc.constantFrom('PRODUCT', 'SKU', 'OFFER', 'OFFER', 'SERVICE', null);

const updateProduct = fc
  .record({
    product,
    kind: seldom(kind),
    parent: seldom(fc.option(product, { freq: 3 })),
    marketingColor: seldom(color),
  })
  .map(
    ({ product, kind, parent, marketingColor }): Command =>
      known => {
        const input = { kind, parentId: parent === null ? null : parent?.(known), marketingColor };
        return { name: 'updateProduct', id: product(known), input };
      },
  );

const readGallery = product.map(
  (product): Command =>
    known => {
      const productId = product(known);
      return { name: 'readGallery', productId: known.productIds.includes(productId) ? productId : strangeId };
    },
);

const expire = fc.record({ product, picks: fc.array(fc.nat(9), { maxLength: 2 }) }).map(
  ({ product, picks }): Command =>
    known => {
      const pool = createPool(known.deleted(product(known)));
      return { name: 'expire', ids: picks.flatMap(n => pool.take(n) ?? []) };
    },
);

const purge = fc.constant<Command>(() => ({ name: 'purge' }));

const importBytes = fc
  .record({ product, n: fc.nat(9), contentHash: fc.constantFrom(...contentHashes, null) })
  .map(
    ({ product, n, contentHash }): Command =>
      known => {
        const waiting = known.live(product(known)).filter(({ state }) => state === 'IMPORTED');
        const id = createPool(waiting.map(image => image.id)).take(n);
        return id === undefined ? { name: 'purge' } : { name: 'import', id, contentHash };
      },
  );

const mutations: [number, fc.Arbitrary<Command>][] = [
  [20, create],
  [3, repeat],
  [12, update],
  [8, reorder],
  [8, replace],
  [2, restate],
  [5, deleteOne],
  [4, deleteMany],
  [1, deleteAll],
  [10, restore],
  [4, updateProduct],
];

/** For several callers at once. */
export const callerCommand = weigh(...mutations, [6, deleteMany], [6, readGallery]);

/** For one caller who also says when bytes arrive and time passes. */
export const command = weigh(...mutations, [2, retry], [1, expire], [1, purge], [10, importBytes]);

import { isDeepStrictEqual } from 'node:util';
import type { ImageType } from '../../src/data/tables.ts';
import { type Answer, type CallOf, type EntryInput, failWith, groupOf, nothing, sortById } from './calls.ts';
import type { Prediction } from './model.ts';
import { removeLive } from './model-deletions.ts';
import { entryProblems, idProblems, textProblems, withSource, withTexts } from './model-forms.ts';
import { newImage } from './model-images.ts';
import {
  emptyState,
  findLive,
  type Groups,
  groups,
  liveImages,
  type ModelImage,
  type ModelProduct,
  mapGroups,
  newPlace,
  productOf,
  raise,
  type State,
  viewById,
  viewLive,
  withProduct,
} from './state.ts';
import { isId, type Limits, pictureOf } from './vocabulary.ts';

export function reorder(state: State, call: CallOf<'reorderProductImages'>, limits: Limits): Prediction {
  const { productId, imageIds } = call;
  if (imageIds.length > limits.GALLERY + limits.SPIN_360 + limits.SWATCH) {
    return { state, answer: failWith(['BATCH_LIMIT_EXCEEDED imageIds']) };
  }
  const named = imageIds.map((id, index) => ({ id, path: `imageIds.${index}` }));
  const wrong = [
    ...named.flatMap(({ id, path }) => idProblems(id, path)),
    ...idProblems(productId, 'productId'),
  ];
  const repeated = strangers(state, productId, named).filter(problem =>
    problem.startsWith('DUPLICATE_INPUT'),
  );
  if (!isId(productId)) return { state, answer: failWith([...wrong, ...repeated]) };
  const product = productOf(state, productId);
  const isSeen = state.products.has(productId);
  wrong.push(
    ...(isSeen ? versionProblems(product, call, 'expectedVersion') : ['PRODUCT_NOT_FOUND productId']),
  );
  wrong.push(...strangers(state, productId, named));
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const rankOf = ({ id }: ModelImage) => (imageIds.includes(id) ? imageIds.indexOf(id) : imageIds.length);
  const ordered = mapGroups(product.live, list => list.toSorted((one, other) => rankOf(one) - rankOf(other)));
  const isSame = isDeepStrictEqual(ordered, product.live);
  const live = renewPlaces(product.live, ordered);
  const changed = isSame ? state : withProduct(state, raise({ ...product, live }));
  return { state: changed, answer: { ...nothing, images: imageIds.flatMap(id => viewById(changed, id)) } };
}

function versionProblems(
  { version }: ModelProduct,
  { expectedVersion }: { expectedVersion?: number | undefined },
  path: string,
): string[] {
  return expectedVersion === undefined || expectedVersion === version ? [] : [`VERSION_CONFLICT ${path}`];
}

/** What is named and is no image of the product, or stands twice. */
function strangers(state: State, productId: string, named: { id: string; path: string }[]): string[] {
  const wellFormed = named.filter(({ id }) => isId(id));
  return wellFormed.flatMap(({ id, path }, index) => {
    if (wellFormed.findIndex(other => other.id === id) < index) return [`DUPLICATE_INPUT ${path}`];
    const found = findLive(state, id);
    if (!found) return [`IMAGE_NOT_FOUND ${path}`];
    return found.product.id === productId ? [] : [`IMAGE_NOT_ON_PRODUCT ${path}`];
  });
}

/** Images that stand otherwise to a neighbour than they did have a new place: which of the two moved is not told. */
function renewPlaces(before: Groups, after: Groups): Groups {
  return mapGroups(after, (list, group) => {
    const stood = new Map(before[group].map((image, index) => [image.id, index]));
    return list.map((image, index) => {
      const at = stood.get(image.id);
      const isMoved = list.some((other, otherIndex) => {
        const otherAt = stood.get(other.id);
        return at !== undefined && otherAt !== undefined && otherAt < at !== otherIndex < index;
      });
      return isMoved || at === undefined ? { ...image, place: newPlace() } : image;
    });
  });
}

/** An entry that can be made sense of, and the image of the product that it keeps. */
interface Item {
  entry: EntryInput;
  path: string;
  isFrame: boolean;
  kept: ModelImage | null;
}

export function replace(
  state: State,
  { input }: CallOf<'replaceProductImages'>,
  answer: Answer,
  limits: Limits,
): Prediction {
  const form = [
    ...textProblems(input.marketingColor, 'input.marketingColor', limits.text),
    ...input.images.flatMap((entry, index) => entryProblems(entry, 'images', index, limits)),
    ...(input.images360 ?? []).flatMap((entry, index) => entryProblems(entry, 'images360', index, limits)),
    ...idProblems(input.productId, 'input.productId'),
  ];
  if (!isId(input.productId)) return { state, answer: failWith(form) };
  const product = productOf(state, input.productId);
  const all = [...itemsOf(input.images, 'images'), ...itemsOf(input.images360 ?? [], 'images360')];
  const named = all.map(({ entry, path }) => ({ id: entry.id ?? '', path: `${path}.id` }));
  const foreign = strangers(state, product.id, named);
  const isForeign = new Set(foreign.map(problem => problem.split(' ')[1]));
  const items = keepImages(
    product,
    all.filter(({ path }) => !isForeign.has(`${path}.id`)),
  );
  const wrong = [...form, ...versionProblems(product, input, 'input.expectedVersion'), ...foreign];
  wrong.push(...repeatedPictures(items), ...sizeProblems(items, limits));
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const ids = answer.added.map(({ id }) => id);
  const replaced = replaceSet(product, createSet(product, items, ids), input.marketingColor ?? null);
  const told = tellReplaced(product, replaced);
  return { state: input.dryRun ? state : withProduct(state, replaced), answer: told };
}

function itemsOf(entries: readonly EntryInput[], list: 'images' | 'images360'): Item[] {
  const isFrame = list === 'images360';
  return entries.flatMap((entry, index) => {
    const isClear = entry.id === undefined ? entry.source && pictureOf(entry.source.url) : isId(entry.id);
    return isClear ? [{ entry, path: `input.${list}.${index}`, isFrame, kept: null }] : [];
  });
}

/** By id, else by source: first from the group that the entry is for, then from any. Each image once. */
function keepImages(product: ModelProduct, items: readonly Item[]): Item[] {
  const free = new Set(liveImages(product));
  const take = (item: Item, fits: (image: ModelImage) => boolean): Item => {
    const kept = item.kept ?? [...free].find(fits) ?? null;
    if (kept) free.delete(kept);
    return { ...item, kept };
  };
  const isFrom = ({ entry }: Item, image: ModelImage) =>
    entry.id === undefined && pictureOf(entry.source?.url ?? '') === pictureOf(image.sourceUrl);
  return items
    .map(item => take(item, image => image.id === item.entry.id))
    .map(item => take(item, image => isFrom(item, image) && groupOf(image.type) === groupOf(typeOf(item))))
    .map(item => take(item, image => isFrom(item, image)));
}

function typeOf({ entry, isFrame, kept }: Item): ImageType {
  if (isFrame) return 'SPIN_360';
  if (entry.type && entry.type !== 'SPIN_360') return entry.type;
  return kept && kept.type !== 'SPIN_360' ? kept.type : 'MORE_PHOTO';
}

/** A picture is new only where no other image of its group is from the same source. */
function repeatedPictures(items: readonly Item[]): string[] {
  const keyOf = (item: Item) => {
    const picture = pictureOf(item.entry.source?.url ?? '') ?? pictureOf(item.kept?.sourceUrl ?? '');
    return `${groupOf(typeOf(item))} ${picture}`;
  };
  return items.flatMap((item, index) => {
    if (item.kept) return [];
    const isTaken = items.some(
      (other, otherIndex) => (other.kept || otherIndex < index) && keyOf(other) === keyOf(item),
    );
    return isTaken ? [`DUPLICATE_INPUT ${item.path}.source.url`] : [];
  });
}

function sizeProblems(items: readonly Item[], limits: Limits): string[] {
  return groups
    .filter(group => items.filter(item => groupOf(typeOf(item)) === group).length > limits[group])
    .map(group => `IMAGE_LIMIT_EXCEEDED input.${group === 'SPIN_360' ? 'images360' : 'images'}`);
}

/** The set that the items say; new images have the ids given, in the order of the set. */
function createSet(product: ModelProduct, items: readonly Item[], newIds: readonly string[]): Groups {
  let added = 0;
  const nextId = () => newIds[added++] ?? `new one ${added}`;
  return mapGroups(product.live, (_, group) =>
    items
      .filter(item => groupOf(typeOf(item)) === group)
      .map(item => {
        const { entry, kept } = item;
        const base = kept ?? newImage(product.id, entry.source?.url ?? '', nextId());
        const image = { ...withTexts(withSource(base, entry.source), entry), type: typeOf(item) };
        return kept && isDeepStrictEqual(image, kept) ? kept : image;
      }),
  );
}

function replaceSet(product: ModelProduct, live: Groups, marketingColor: string | null): ModelProduct {
  const isSame = isDeepStrictEqual([live, marketingColor], [product.live, product.marketingColor]);
  if (isSame) return product;
  const isLeft = new Set(groups.flatMap(group => live[group].map(({ id }) => id)));
  const left = liveImages(product).filter(({ id }) => !isLeft.has(id));
  const replacement = {};
  const { deleted } = removeLive(product, new Set(left.map(({ id }) => id)), replacement);
  const wasThere = new Set(liveImages(product).map(({ id }) => id));
  const marked = mapGroups(live, list => {
    return list.map(image => (wasThere.has(image.id) ? image : { ...image, replacement }));
  });
  return raise({ ...product, marketingColor, deleted, live: renewPlaces(product.live, marked) });
}

function tellReplaced(before: ModelProduct, after: ModelProduct): Answer {
  const images = groups.flatMap(group => viewLive(after, group));
  const wasThere = new Set(liveImages(before).map(({ id }) => id));
  const isThere = new Set(images.map(({ id }) => id));
  const alone = { ...emptyState, products: new Map([[after.id, after]]) };
  const gone = [...wasThere].filter(id => !isThere.has(id));
  return {
    ...nothing,
    images,
    added: images.filter(({ id }) => !wasThere.has(id)),
    kept: sortById(images.filter(({ id }) => wasThere.has(id))),
    removed: sortById(gone.flatMap(id => viewById(alone, id))),
  };
}

import { type Answer, type CallOf, failWith, groupOf, type ImageView, nothing } from './calls.ts';
import type { Prediction } from './model.ts';
import { namedProblems } from './model-deletions.ts';
import {
  type DeletedImage,
  findImage,
  groups,
  liveImages,
  type ModelImage,
  type ModelProduct,
  mapGroups,
  newPlace,
  type Place,
  productOf,
  raise,
  type State,
  viewById,
  withProduct,
} from './state.ts';
import type { Limits } from './vocabulary.ts';

export function restore(
  state: State,
  { ids }: CallOf<'restoreProductImages'>,
  answer: Answer,
  limits: Limits,
): Prediction {
  if (ids.length > limits.ids) return { state, answer: failWith(['BATCH_LIMIT_EXCEEDED ids']) };
  const wrong = namedProblems(ids, id => {
    const found = findImage(state, id);
    if (!found) return 'IMAGE_NOT_FOUND';
    return found.deleted && !found.deleted.isExpired ? null : 'NOT_RESTORABLE';
  });
  const returning = ids.flatMap((id, index) => {
    return wrong.some(problem => problem.endsWith(` ids.${index}`))
      ? []
      : (findImage(state, id)?.deleted ?? []);
  });
  const byProduct = Map.groupBy(returning, ({ image }) => image.productId);
  for (const [productId, back] of byProduct)
    wrong.push(...roomProblems(productOf(state, productId), back, limits));
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const restored = [...byProduct].reduce((current, [productId, back]) => {
    return withProduct(current, raise(bringBack(productOf(current, productId), back, answer.images)));
  }, state);
  const misplaced = [...byProduct].flatMap(([id, back]) => findMisplaced(productOf(restored, id), back));
  if (misplaced.length > 0) return { state, answer: failWith(misplaced) };
  return { state: restored, answer: { ...nothing, images: ids.flatMap(id => viewById(restored, id)) } };
}

function roomProblems(product: ModelProduct, back: readonly DeletedImage[], limits: Limits): string[] {
  return groups.flatMap(group => {
    const returning = back.filter(({ image }) => groupOf(image.type) === group).length;
    const isTooMuch = returning > 0 && product.live[group].length + returning > limits[group];
    return isTooMuch ? ['IMAGE_LIMIT_EXCEEDED ids'] : [];
  });
}

/** Where exactly, and which of several former thumbnails is one again, is for the service to say, within the rules. */
function bringBack(
  product: ModelProduct,
  back: readonly DeletedImage[],
  told: readonly ImageView[],
): ModelProduct {
  const hasThumbnail = liveImages(product).some(image => image.isThumbnail);
  const candidates = back
    .filter(({ image }) => image.isThumbnail && !hasThumbnail)
    .map(({ image }) => image.id);
  const chosen = told.find(one => one.isThumbnail && candidates.includes(one.id))?.id ?? candidates[0];
  const positions = new Map(told.map(one => [one.id, one.position]));
  const live = mapGroups(product.live, (list, group) => {
    const returning = back.filter(({ image }) => groupOf(image.type) === group);
    const ascending = returning.toSorted((one, other) => {
      return (positions.get(one.image.id) ?? 0) - (positions.get(other.image.id) ?? 0);
    });
    return ascending.reduce<readonly ModelImage[]>((placed, one) => {
      const position = positions.get(one.image.id) ?? placed.length;
      const restored = { ...one.image, isThumbnail: one.image.id === chosen, replacement: null };
      return placed.toSpliced(position, 0, { ...restored, place: placeOf(product, one) });
    }, list);
  });
  const deleted = product.deleted.filter(one => !back.includes(one));
  return { ...product, deleted, live };
}

/** Its old one, but where another may have taken that. */
function placeOf(product: ModelProduct, { image }: DeletedImage): Place {
  return product.contested.has(image.place) ? newPlace() : image.place;
}

/** Restored images that stand otherwise than they did to a neighbour that has not been moved since. */
function findMisplaced(product: ModelProduct, back: readonly DeletedImage[]): string[] {
  return back.flatMap(({ image: { id, type }, before, after }) => {
    const list = product.live[groupOf(type)];
    const index = list.findIndex(image => image.id === id);
    const wrong = list.filter(({ place }, at) => (at > index ? before : after).has(place));
    return wrong.map(neighbour => `PUT_ON_THE_WRONG_SIDE ${id} of ${neighbour.id}`);
  });
}

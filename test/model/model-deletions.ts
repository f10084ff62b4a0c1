import { type Answer, type CallOf, failWith, groupOf, nothing, sortById } from './calls.ts';
import type { Prediction } from './model.ts';
import { idProblems } from './model-forms.ts';
import {
  type DeletedImage,
  findImage,
  findLive,
  liveImages,
  type ModelImage,
  type ModelProduct,
  mapGroups,
  productOf,
  raise,
  type State,
  viewById,
  withProduct,
} from './state.ts';
import { isId, type Limits } from './vocabulary.ts';

/** The product without these live images; each remembers where it stood. The version is the caller's. */
export function removeLive(
  product: ModelProduct,
  ids: ReadonlySet<string>,
  replacement: object | null = null,
): ModelProduct {
  const removed = liveImages(product).filter(({ id }) => ids.has(id));
  return {
    ...product,
    live: mapGroups(product.live, list => list.filter(({ id }) => !ids.has(id))),
    deleted: [...product.deleted, ...removed.map(image => ({ ...remember(product, image), replacement }))],
  };
}

function remember(product: ModelProduct, image: ModelImage): Omit<DeletedImage, 'replacement'> {
  const list = product.live[groupOf(image.type)];
  const position = list.indexOf(image);
  const places = list.map(({ place }) => place);
  return {
    image,
    position,
    before: new Set(places.slice(0, position)),
    after: new Set(places.slice(position + 1)),
    isExpired: false,
  };
}

export function deleteOne(state: State, call: CallOf<'deleteProductImage'>): Prediction {
  const { id, productId, permanent } = call;
  const form = [
    ...idProblems(id, 'id'),
    ...(productId === undefined ? [] : idProblems(productId, 'productId')),
  ];
  if (form.length > 0) return { state, answer: failWith(form) };
  const found = permanent ? findImage(state, id) : findLive(state, id);
  const isSeen = productId === undefined || state.products.has(productId);
  const isElsewhere = found && isSeen && productId !== undefined && found.product.id !== productId;
  const wrong = [
    ...(isSeen ? [] : ['PRODUCT_NOT_FOUND productId']),
    ...(found ? [] : ['IMAGE_NOT_FOUND id']),
    ...(isElsewhere ? ['IMAGE_NOT_ON_PRODUCT id'] : []),
  ];
  return wrong.length > 0 ? { state, answer: failWith(wrong) } : remove(state, [id], call);
}

export function deleteMany(state: State, call: CallOf<'deleteProductImages'>, limits: Limits): Prediction {
  const { ids, permanent } = call;
  if (ids.length > limits.ids) return { state, answer: failWith(['BATCH_LIMIT_EXCEEDED ids']) };
  const wrong = namedProblems(ids, id => {
    return (permanent ? findImage(state, id) : findLive(state, id)) ? null : 'IMAGE_NOT_FOUND';
  });
  return wrong.length > 0 ? { state, answer: failWith(wrong) } : remove(state, ids, call);
}

/** What is wrong with each id: its form, that it stood before, else the code that `judge` says. */
export function namedProblems(ids: readonly string[], judge: (id: string) => string | null): string[] {
  return ids.flatMap((id, index) => {
    if (!isId(id)) return [`INVALID ids.${index}`];
    if (ids.indexOf(id) < index) return [`DUPLICATE_INPUT ids.${index}`];
    const code = judge(id);
    return code === null ? [] : [`${code} ids.${index}`];
  });
}

/** Of images that the job purges at the same moment both may tell, as neither waits for the other. */
export function deleteAll(
  state: State,
  call: CallOf<'deleteAllProductImages'>,
  { deleted: told }: Answer,
): Prediction {
  const wrong = idProblems(call.productId, 'productId');
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const product = productOf(state, call.productId);
  const before = call.permanent ? product.deleted.map(({ image }) => image) : [];
  const ids = [...liveImages(product), ...before].map(({ id }) => id);
  const { state: next, answer } = remove(state, ids, call);
  const ofBoth = call.permanent ? told.filter(({ id }) => state.overdueIds.includes(id)) : [];
  return { state: next, answer: { ...answer, deleted: sortById([...answer.deleted, ...ofBoth]) } };
}

/** Permanently, the images are told as they were; else as they now are, deleted. */
function remove(
  state: State,
  ids: readonly string[],
  { permanent, dryRun = false }: { permanent: boolean; dryRun?: boolean },
): Prediction {
  const productIds = new Set(ids.flatMap(id => findLive(state, id)?.product.id ?? []));
  const removed = [...productIds].reduce((current, productId) => {
    return withProduct(current, raise(removeLive(productOf(current, productId), new Set(ids))));
  }, state);
  const told = ids.flatMap(id => viewById(permanent ? state : removed, id));
  const next = permanent ? forget(removed, ids) : removed;
  return { state: dryRun ? state : next, answer: { ...nothing, deleted: sortById(told) } };
}

/** Without deleted images, for good. */
export function forget(state: State, ids: readonly string[]): State {
  const products = [...state.products].map(([productId, product]) => {
    const deleted = product.deleted.filter(({ image }) => !ids.includes(image.id));
    return [productId, deleted.length < product.deleted.length ? { ...product, deleted } : product] as const;
  });
  return {
    ...state,
    products: new Map(products),
    keys: new Map([...state.keys].filter(([, { imageId }]) => !ids.includes(imageId))),
    purgedIds: [...state.purgedIds, ...ids],
  };
}

export function expire(state: State, { ids }: CallOf<'expire'>): Prediction {
  const products = [...state.products].map(([productId, product]) => {
    const deleted = product.deleted.map(one =>
      ids.includes(one.image.id) ? { ...one, isExpired: true } : one,
    );
    return [productId, { ...product, deleted }] as const;
  });
  return { state: { ...state, products: new Map(products) }, answer: nothing };
}

/** Takes those whose time is over; where it is known which were taken, exactly those. */
export function purge(state: State, call: CallOf<'purge'>): Prediction {
  const expired = [...state.products.values()].flatMap(({ deleted }) => deleted.filter(one => one.isExpired));
  const ids = expired.map(({ image }) => image.id);
  const early = (call.ids ?? []).filter(id => !ids.includes(id)).map(id => `PURGED_TOO_EARLY ${id}`);
  const taken = call.ids ?? ids;
  const purged = { ...forget(state, taken), overdueIds: [...state.overdueIds, ...taken] };
  return { state: purged, answer: failWith(early) };
}

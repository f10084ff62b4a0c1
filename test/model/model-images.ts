import { isDeepStrictEqual } from 'node:util';
import { type Answer, type CallOf, type CreateInput, failWith, groupOf, nothing } from './calls.ts';
import type { Prediction } from './model.ts';
import {
  detailsProblems,
  idProblems,
  sourceProblems,
  textProblems,
  withSource,
  withTexts,
} from './model-forms.ts';
import {
  type Found,
  findLive,
  type ModelImage,
  type ModelProduct,
  mapLive,
  newPlace,
  productOf,
  raise,
  type State,
  unflagOthers,
  viewById,
  withProduct,
} from './state.ts';
import type { Limits } from './vocabulary.ts';

/** The new image has the id that the service says. */
export function create(
  state: State,
  { input }: CallOf<'createProductImage'>,
  answer: Answer,
  limits: Limits,
): Prediction {
  const key = input.idempotencyKey;
  const wrong = [
    ...idProblems(input.productId, 'input.productId'),
    ...sourceProblems(input.source, 'input'),
    ...detailsProblems(input, limits),
    ...(key === '' ? ['INVALID input.idempotencyKey'] : []),
    ...textProblems(key, 'input.idempotencyKey', limits.name),
  ];
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const earlier = key === undefined ? undefined : state.keys.get(key);
  const same = tellInput(input);
  if (earlier && earlier.input !== same) {
    return { state, answer: failWith(['IDEMPOTENCY_KEY_REUSED input.idempotencyKey']) };
  }
  if (earlier) return { state, answer: { ...nothing, images: viewById(state, earlier.imageId) } };
  const product = productOf(state, input.productId);
  const image = newImage(product.id, input.source.url, answer.images[0]?.id ?? 'a new one');
  const said = { ...withDetails(image, input), type: input.type ?? 'MORE_PHOTO' };
  const room = limits[groupOf(said.type)];
  if (product.live[groupOf(said.type)].length >= room) {
    return { state, answer: failWith(['IMAGE_LIMIT_EXCEEDED input.productId']) };
  }
  const added = withProduct(state, raise(flag(insert(product, said, input.position), said)));
  const keys = new Map(added.keys);
  if (key !== undefined) keys.set(key, { input: same, imageId: image.id });
  return { state: { ...added, keys }, answer: { ...nothing, images: viewById(added, image.id) } };
}

/** The same for inputs that say the same: null is as good as nothing. */
function tellInput({ type = 'MORE_PHOTO', isThumbnail, ...others }: CreateInput): string {
  const said = { ...others, type, isThumbnail: isThumbnail ?? false };
  return JSON.stringify(said, (_key, value) => value ?? undefined);
}

export function newImage(productId: string, sourceUrl: string, id: string): ModelImage {
  return {
    id,
    productId,
    type: 'MORE_PHOTO',
    state: 'IMPORTED',
    sourceUrl,
    contentHash: null,
    altText: null,
    altTexts: {},
    description: null,
    focalPoint: null,
    isThumbnail: false,
    place: newPlace(),
    replacement: null,
  };
}

function withDetails(image: ModelImage, input: CallOf<'updateProductImage'>['input']): ModelImage {
  const { type = image.type, isThumbnail = image.isThumbnail, focalPoint = image.focalPoint } = input;
  return { ...withTexts(image, input), type, isThumbnail: isThumbnail ?? false, focalPoint };
}

/** In front of the one that stands at `position`; last where there is none. */
function insert(product: ModelProduct, image: ModelImage, position = Number.POSITIVE_INFINITY): ModelProduct {
  const group = groupOf(image.type);
  return {
    ...product,
    live: { ...product.live, [group]: product.live[group].toSpliced(position, 0, image) },
  };
}

function takeOut(product: ModelProduct, { id, type }: ModelImage): ModelProduct {
  const group = groupOf(type);
  return {
    ...product,
    live: { ...product.live, [group]: product.live[group].filter(image => image.id !== id) },
  };
}

function flag(product: ModelProduct, { id, isThumbnail }: ModelImage): ModelProduct {
  return isThumbnail ? unflagOthers(product, id) : product;
}

export function update(state: State, call: CallOf<'updateProductImage'>, limits: Limits): Prediction {
  const { id, input } = call;
  const form = [
    ...(input.source ? sourceProblems(input.source, 'input') : []),
    ...detailsProblems(input, limits),
    ...idProblems(id, 'id'),
  ];
  if (form.includes('INVALID id')) return { state, answer: failWith(form) };
  const found = findLive(state, id);
  if (!found) return { state, answer: failWith([...form, 'IMAGE_NOT_FOUND id']) };
  if (form.length > 0) return { state, answer: failWith(form) };
  return alter(state, found, input, limits);
}

function alter(
  state: State,
  { product, image }: Found,
  input: CallOf<'updateProductImage'>['input'],
  limits: Limits,
): Prediction {
  const altered = withDetails(withSource(image, input.source), input);
  const [from, to] = [groupOf(image.type), groupOf(altered.type)];
  if (from !== to && product.live[to].length >= limits[to]) {
    return { state, answer: failWith(['IMAGE_LIMIT_EXCEEDED input.type']) };
  }
  const stood = product.live[from].indexOf(image);
  const position = input.position ?? (from === to ? stood : undefined);
  const moved = flag(insert(takeOut(product, image), altered, position), altered);
  const isMoved = from !== to || moved.live[to].findIndex(other => other.id === image.id) !== stood;
  if (!isMoved && isDeepStrictEqual(altered, image)) {
    return { state, answer: { ...nothing, images: viewById(state, image.id) } };
  }
  const placed = isMoved ? renewPlace(moved, image.id) : moved;
  const changed = withProduct(state, raise(placed));
  return { state: changed, answer: { ...nothing, images: viewById(changed, image.id) } };
}

function renewPlace(product: ModelProduct, id: string): ModelProduct {
  return mapLive(product, image => (image.id === id ? { ...image, place: newPlace() } : image));
}

import { type CallOf, failWith, groupOf, nothing } from './calls.ts';
import type { Prediction } from './model.ts';
import { forget, namedProblems } from './model-deletions.ts';
import {
  type DeletedImage,
  findLive,
  liveImages,
  type ModelImage,
  type ModelProduct,
  mapLive,
  raise,
  type State,
  viewById,
  withProduct,
} from './state.ts';
import type { Limits } from './vocabulary.ts';

export function retry(state: State, { ids }: CallOf<'retryProductImages'>, limits: Limits): Prediction {
  if (ids.length > limits.ids) return { state, answer: failWith(['BATCH_LIMIT_EXCEEDED ids']) };
  const wrong = namedProblems(ids, id => (findLive(state, id) ? null : 'IMAGE_NOT_FOUND'));
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const retried = ids.reduce((current, id) => {
    const found = findLive(current, id);
    if (found?.image.state !== 'FAILED') return current;
    return withProduct(current, change(found.product, id, { state: 'IMPORTED' }));
  }, state);
  return { state: retried, answer: { ...nothing, images: ids.flatMap(id => viewById(retried, id)) } };
}

function change(product: ModelProduct, id: string, values: Partial<ModelImage>): ModelProduct {
  return mapLive(product, image => (image.id === id ? { ...image, ...values } : image));
}

export function importBytes(state: State, { id, contentHash }: CallOf<'import'>): Prediction {
  const found = findLive(state, id);
  if (!found) return { state, answer: nothing };
  const { product, image } = found;
  const arrived = contentHash === null ? 'FAILED' : 'UPLOADED';
  const imported = change(product, id, { state: arrived, contentHash });
  const alike = product.deleted
    .filter(one => one.replacement !== null && one.replacement === image.replacement)
    .filter(one => one.image.contentHash !== null && one.image.contentHash === contentHash);
  const meant = alike.find(one => groupOf(one.image.type) === groupOf(image.type)) ?? alike[0];
  if (!meant) return { state: withProduct(state, imported), answer: nothing };
  const merged = withProduct(state, raise(putInPlace(imported, id, meant)));
  return { state: forget(merged, [id]), answer: nothing };
}

/** The image that a replacement should have kept takes the place and the texts of the one that it added instead. */
function putInPlace(product: ModelProduct, addedId: string, { image: kept }: DeletedImage): ModelProduct {
  const others = liveImages(product).filter(({ id }) => id !== addedId);
  const isThumbnailFree = !others.some(image => image.isThumbnail);
  const live = mapLive(product, added => {
    if (added.id !== addedId) return added;
    return {
      ...added,
      id: kept.id,
      isThumbnail: isThumbnailFree && (added.isThumbnail || kept.isThumbnail),
      altText: added.altText ?? kept.altText,
      altTexts: Object.keys(added.altTexts).length > 0 ? added.altTexts : kept.altTexts,
      description: added.description ?? kept.description,
      focalPoint: added.focalPoint ?? kept.focalPoint,
      replacement: null,
    };
  });
  return { ...live, deleted: product.deleted.filter(({ image }) => image.id !== kept.id) };
}

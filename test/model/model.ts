import { type Answer, type Call, type CallOf, failWith, nothing } from './calls.ts';
import { deleteAll, deleteMany, deleteOne, expire, purge } from './model-deletions.ts';
import { idProblems, textProblems } from './model-forms.ts';
import { create, update } from './model-images.ts';
import { importBytes, retry } from './model-imports.ts';
import { restore } from './model-restore.ts';
import { reorder, replace } from './model-sets.ts';
import { productOf, raise, type State, shownProduct, viewLive, withProduct } from './state.ts';
import { isId, type Limits } from './vocabulary.ts';

export interface Prediction {
  state: State;
  answer: Answer;
}

/**
 * What a call does and answers, as the documents say it. The answer that the service gave decides only what they
 * leave open: new ids, and where among its old neighbours a restored image goes.
 */
export function predict(state: State, call: Call, answer: Answer, limits: Limits): Prediction {
  switch (call.name) {
    case 'createProductImage':
      return create(state, call, answer, limits);
    case 'updateProductImage':
      return update(state, call, limits);
    case 'reorderProductImages':
      return reorder(state, call, limits);
    case 'replaceProductImages':
      return replace(state, call, answer, limits);
    case 'deleteProductImage':
      return deleteOne(state, call);
    case 'deleteProductImages':
      return deleteMany(state, call, limits);
    case 'deleteAllProductImages':
      return deleteAll(state, call, answer);
    case 'restoreProductImages':
      return restore(state, call, answer, limits);
    case 'retryProductImages':
      return retry(state, call, limits);
    case 'updateProduct':
      return updateProduct(state, call, limits);
    case 'readGallery':
      return readGallery(state, call);
    case 'expire':
      return expire(state, call);
    case 'purge':
      return purge(state, call);
    case 'import':
      return importBytes(state, call);
  }
}

function updateProduct(state: State, { id, input }: CallOf<'updateProduct'>, limits: Limits): Prediction {
  const { kind, parentId, marketingColor } = input;
  const isItself = parentId != null && isId(parentId) && parentId === id;
  const wrong = [
    ...idProblems(id, 'id'),
    ...(parentId == null ? [] : idProblems(parentId, 'input.parentId')),
    ...(isItself ? ['INVALID input.parentId'] : []),
    ...textProblems(marketingColor, 'input.marketingColor', limits.text),
  ];
  if (wrong.length === 0 && parentId != null) wrong.push(...familyProblems(state, id, parentId));
  if (wrong.length > 0) return { state, answer: failWith(wrong) };
  const product = productOf(state, id);
  const told = {
    ...product,
    ...(kind !== undefined && { kind: kind ?? 'PRODUCT' }),
    ...(parentId !== undefined && { parentId }),
    ...(marketingColor !== undefined && { marketingColor }),
  };
  const isRecoloured = told.marketingColor !== product.marketingColor;
  const changed = withProduct(state, isRecoloured ? raise(told) : told);
  const seen = parentId == null ? changed : withProduct(changed, productOf(changed, parentId));
  return { state: seen, answer: nothing };
}

/** A product has variations or is one. */
function familyProblems(state: State, id: string, parentId: string): string[] {
  const hasVariations = [...state.products.values()].some(product => product.parentId === id);
  const isParentVariation = productOf(state, parentId).parentId !== null;
  return [hasVariations, isParentVariation].filter(Boolean).map(() => 'INVALID input.parentId');
}

function readGallery(state: State, { productId }: CallOf<'readGallery'>): Prediction {
  const shown = shownProduct(state, productOf(state, productId));
  return { state, answer: { ...nothing, images: viewLive(shown, 'GALLERY') } };
}

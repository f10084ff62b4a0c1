import { isId } from '../data/ids.ts';
import type { ImageRow } from '../data/images.ts';
import { reorderProductImages } from '../gallery/reorder.ts';
import { restoreProductImages } from '../gallery/restore.ts';
import { retryProductImages } from '../gallery/retry.ts';
import { builder } from './builder.ts';
import { Product, type ProductReference } from './product.ts';
import { ProductImage } from './product-image.ts';
import { answerChange, ProductImageUserError, type WithUserErrors } from './user-errors.ts';

interface Arranged extends WithUserErrors {
  product: ProductReference | null;
  images: ImageRow[];
}

const ProductImagesPayload = builder.objectRef<Arranged>('ProductImagesPayload').implement({
  description: 'What became of several images.',
  fields: t => ({
    product: t.expose('product', {
      type: Product,
      nullable: true,
      description: 'The product that all of them are on; null when they are on several.',
    }),
    images: t.expose('images', {
      type: [ProductImage],
      description: 'The images that were named, in that order, as they are now.',
    }),
    userErrors: t.expose('userErrors', {
      type: [ProductImageUserError],
      description: 'What its sender can mend; where there is any, nothing was changed.',
    }),
  }),
});

builder.mutationFields(t => ({
  reorderProductImages: t.field({
    authScopes: { 'images:write': true },
    description:
      'The ids given come first, in that order; the others follow in the order that they had. Frames and swatches are ordered among themselves.',
    type: ProductImagesPayload,
    args: {
      productId: t.arg.id({ required: true, description: "The product's id." }),
      imageIds: t.arg.idList({
        required: true,
        description: 'Images of the product, each once; all or some.',
      }),
      expectedVersion: t.arg.int({
        description: 'The `imagesVersion` that was seen; VERSION_CONFLICT when the set has changed since.',
      }),
    },
    resolve: (_root, input, context) => {
      const product = isId(input.productId) ? { id: input.productId } : null;
      return answerChange(context, { product, images: [] }, async () => ({
        product,
        images: await reorderProductImages(context.db, input, context.limits, context.loaders.columns),
      }));
    },
  }),
  retryProductImages: t.field({
    authScopes: { 'images:write': true },
    description:
      'Imports images that FAILED anew, and PENDING ones at once; those that are stored stay as they are.',
    type: ProductImagesPayload,
    args: { ids: t.arg.idList({ required: true, description: 'Images of any products; at most 250.' }) },
    resolve: (_root, { ids }, context) =>
      answerChange(context, { product: null, images: [] }, async () => {
        const images = await retryProductImages(context.db, ids, context.limits);
        return { product: commonProduct(images), images };
      }),
  }),
  restoreProductImages: t.field({
    authScopes: { 'images:write': true },
    description: 'Back to their places, as far as those still make sense; a thumbnail chosen since stays.',
    type: ProductImagesPayload,
    args: {
      ids: t.arg.idList({ required: true, description: 'Deleted images of any products; at most 250.' }),
    },
    resolve: (_root, { ids }, context) =>
      answerChange(context, { product: null, images: [] }, async () => {
        const images = await restoreProductImages(context.db, ids, context.limits);
        return { product: commonProduct(images), images };
      }),
  }),
}));

function commonProduct(images: readonly ImageRow[]): ProductReference | null {
  const productIds = new Set(images.map(image => image.productId));
  const [id] = productIds;
  return id !== undefined && productIds.size === 1 ? { id } : null;
}

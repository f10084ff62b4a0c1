import type { ProductChange } from '../data/change-subscription.ts';
import { readId } from './arguments.ts';
import { builder } from './builder.ts';
import { subscribeTo } from './live-changes.ts';
import { Product } from './product.ts';

const ProductImagesChange = builder.objectRef<ProductChange>('ProductImagesChange').implement({
  description: 'That the images of a product, or what is said of them, may be others than before.',
  fields: t => ({
    product: t.field({
      description: 'The product as it is now.',
      type: Product,
      resolve: ({ productId }) => ({ id: productId }),
    }),
  }),
});

builder.subscriptionFields(t => ({
  productImagesChanged: t.field({
    authScopes: { 'images:read': true },
    description:
      "Tells how a product's images are, at once and after every change of the set, of texts and places, of import states, of the product itself or of the parent whose images it shows, whoever makes it. Changes in close succession may be told as one; the last of them always is.",
    type: ProductImagesChange,
    args: {
      productId: t.arg.id({ required: true, description: "The product's id; one that is new here is fine." }),
    },
    subscribe: (_root, { productId }, context) => subscribeTo(readId(productId, 'productId'), context),
    resolve: (change, _arguments, context) => {
      context.loaders = change.loaders;
      return change;
    },
  }),
}));

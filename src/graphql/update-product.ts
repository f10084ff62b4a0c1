import { updateProduct } from '../gallery/update-product.ts';
import { builder } from './builder.ts';
import { Product, ProductKind, type ProductReference } from './product.ts';
import { answerChange, ProductImageUserError, type WithUserErrors } from './user-errors.ts';

const UpdateProductInput = builder.inputType('UpdateProductInput', {
  description:
    'What the catalogue knows of a product and this service needs. What is left out stays; null clears.',
  fields: t => ({
    kind: t.field({ type: ProductKind, description: 'What the id stands for; null makes it a PRODUCT.' }),
    parentId: t.id({ description: 'The head product that a variation belongs to; it may be new here.' }),
    marketingColor: t.string({ description: "A colour's name, as marketplaces show it, e.g. GREEN." }),
  }),
});

interface Updated extends WithUserErrors {
  product: ProductReference | null;
}

const ProductPayload = builder.objectRef<Updated>('ProductPayload').implement({
  description: 'What became of a product.',
  fields: t => ({
    product: t.expose('product', {
      type: Product,
      nullable: true,
      description: 'The product as it is now; null where there are user errors.',
    }),
    userErrors: t.expose('userErrors', {
      type: [ProductImageUserError],
      description: 'What its sender can mend; where there is any, nothing was changed.',
    }),
  }),
});

builder.mutationFields(t => ({
  updateProduct: t.field({
    authScopes: { 'images:write': true },
    description: 'What the catalogue knows of a product and this service needs. Creates what is new here.',
    type: ProductPayload,
    args: {
      id: t.arg.id({ required: true, description: "The product's id; a new one is fine." }),
      input: t.arg({ type: UpdateProductInput, required: true, description: 'What to take over.' }),
    },
    resolve: (_root, { id, input }, context) =>
      answerChange(context, { product: null }, async () => {
        await updateProduct(context.db, id, input, context.limits);
        return { product: { id } };
      }),
  }),
}));

import { isId } from '../data/ids.ts';
import type { ImageRow } from '../data/images.ts';
import { type ReplaceResult, replaceProductImages } from '../gallery/replace.ts';
import { builder } from './builder.ts';
import { ImageSourceInput, LocalizedTextInput, takeSourcesOf } from './image-inputs.ts';
import { Product, type ProductReference } from './product.ts';
import { ProductImage, ProductImageType } from './product-image.ts';
import { answerChange, ProductImageUserError, type WithUserErrors } from './user-errors.ts';

const ReplaceProductImageInput = builder.inputType('ReplaceProductImageInput', {
  description: '`id`, to keep an image of the product, or `source`; texts given replace those it has.',
  fields: t => ({
    id: t.id({
      description: 'An image of the product that is to stay. With `source`, it takes its bytes from there.',
    }),
    source: t.field({
      type: ImageSourceInput,
      description: 'Where the image comes from; one that the product has from there already is kept.',
    }),
    type: t.field({
      type: ProductImageType,
      description: 'What it is for; left out, as it was, MORE_PHOTO for a new one, SPIN_360 in `images360`.',
    }),
    altText: t.string({ description: 'Default alt text; left out it stays, null clears it.' }),
    altTexts: t.field({
      type: [LocalizedTextInput],
      description: 'All alt texts that have a language; left out they stay, null clears them.',
    }),
    description: t.string({ description: 'What the shop says of it; left out it stays, null clears it.' }),
  }),
});

const ReplaceProductImagesInput = builder.inputType('ReplaceProductImagesInput', {
  description: 'The whole set that a product is to have.',
  fields: t => ({
    productId: t.id({ required: true, description: 'The product; a new id is fine.' }),
    images: t.field({
      type: [ReplaceProductImageInput],
      required: true,
      description:
        'The gallery in order, and swatches by their type; at most 1,000. What is left out is removed.',
    }),
    images360: t.field({
      type: [ReplaceProductImageInput],
      required: true,
      defaultValue: [],
      description: 'The frames of the 360° view in order, at most 100. Left out: none.',
    }),
    marketingColor: t.string({ description: "The colour's name, as marketplaces show it. Left out: none." }),
    expectedVersion: t.int({
      description: 'The `imagesVersion` that was seen; VERSION_CONFLICT when the set has changed since.',
    }),
    dryRun: t.boolean({ defaultValue: false, description: 'Answers what would happen and changes nothing.' }),
  }),
});

interface Replaced extends Omit<ReplaceResult, 'product'>, WithUserErrors {
  product: ProductReference | null;
}

const ReplaceProductImagesPayload = builder.objectRef<Replaced>('ReplaceProductImagesPayload').implement({
  description: 'What became of the set.',
  fields: t => {
    const list = (field: Exclude<keyof ReplaceResult, 'product'>, description: string) =>
      t.field({ type: [ProductImage], description, resolve: (replaced): ImageRow[] => replaced[field] });
    return {
      product: t.expose('product', {
        type: Product,
        nullable: true,
        description: 'The product as it is now; null when its id is none.',
      }),
      images: list('images', 'The set as it now stands: the gallery, then the 360° frames.'),
      added: list('added', 'Those that are new. After a dry run their ids are not of any image.'),
      kept: list('kept', 'Those that were there before: same id, same bytes.'),
      removed: list('removed', 'Those that were left out; `restoreProductImages` brings them back.'),
      userErrors: t.expose('userErrors', {
        type: [ProductImageUserError],
        description: 'What its sender can mend; where there is any, nothing was changed.',
      }),
    };
  },
});

builder.mutationFields(t => ({
  replaceProductImages: t.field({
    authScopes: { 'images:write': true },
    description:
      "Makes the product's images exactly those given. One that it has already (same id, else same source URL, else same bytes) keeps its id and texts.",
    type: ReplaceProductImagesPayload,
    args: {
      input: t.arg({ type: ReplaceProductImagesInput, required: true, description: 'The set to have.' }),
    },
    resolve: async (_root, { input }, context) => {
      const product = isId(input.productId) ? { id: input.productId } : null;
      const failed = { product, images: [], added: [], kept: [], removed: [] };
      const replaced = await answerChange(context, failed, async () =>
        replaceProductImages(
          context.db,
          {
            ...input,
            images: await takeSourcesOf(input.images, context),
            images360: await takeSourcesOf(input.images360, context),
          },
          context.limits,
          context.loaders.columns,
        ),
      );
      // Else the row that was just written would be read once more.
      const now = replaced.product;
      if (now && 'imagesVersion' in now && !input.dryRun) context.loaders.productById.prime(now.id, now);
      return replaced;
    },
  }),
}));

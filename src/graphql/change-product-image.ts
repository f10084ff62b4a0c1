import type { ImageRow } from '../data/images.ts';
import { createProductImage } from '../gallery/create.ts';
import { updateProductImage } from '../gallery/update.ts';
import { builder } from './builder.ts';
import {
  FocalPointInput,
  ImageSourceInput,
  LocalizedTextInput,
  takeSource,
  takeSourceOf,
} from './image-inputs.ts';
import { ProductImage, ProductImageType } from './product-image.ts';
import { answerChange, ProductImageUserError, type WithUserErrors } from './user-errors.ts';

const CreateProductImageInput = builder.inputType('CreateProductImageInput', {
  description: 'An image that a product is to have besides those it has.',
  fields: t => ({
    productId: t.id({ required: true, description: 'The product; a new id is fine.' }),
    source: t.field({ type: ImageSourceInput, required: true, description: 'Where the image comes from.' }),
    type: t.field({ type: ProductImageType, defaultValue: 'MORE_PHOTO', description: 'What it is for.' }),
    altText: t.string({ description: 'Default text for people who do not see it; at most 512 characters.' }),
    altTexts: t.field({
      type: [LocalizedTextInput],
      description: 'Alt texts by language, each language once.',
    }),
    description: t.string({ description: 'What the shop says of it; at most 4,096 characters.' }),
    position: t.int({
      description:
        'Where to insert it; the ones from there on move down. Last when left out or beyond the end.',
    }),
    isThumbnail: t.boolean({
      defaultValue: false,
      description: "True: it becomes the product's thumbnail, instead of the one that was.",
    }),
    focalPoint: t.field({ type: FocalPointInput, description: 'What cropping keeps; left out, the middle.' }),
    idempotencyKey: t.string({
      description: 'The same key with the same input answers as the first time and adds nothing.',
    }),
  }),
});

const UpdateProductImageInput = builder.inputType('UpdateProductImageInput', {
  description: 'What is left out stays; null clears.',
  fields: t => ({
    source: t.field({
      type: ImageSourceInput,
      description: 'Takes its bytes from there; null changes nothing.',
    }),
    type: t.field({
      type: ProductImageType,
      description: 'What it is for; of another group (gallery, 360° frames, swatch), it comes last there.',
    }),
    altText: t.string({ description: 'Default text for people who do not see it.' }),
    altTexts: t.field({ type: [LocalizedTextInput], description: 'All alt texts that have a language.' }),
    description: t.string({ description: 'What the shop says of it.' }),
    position: t.int({
      description: 'Its new place; the ones from there on move down. Beyond the end: last.',
    }),
    isThumbnail: t.boolean({
      description: "True: it becomes the product's thumbnail, instead of the one that was.",
    }),
    focalPoint: t.field({ type: FocalPointInput, description: 'What cropping keeps; null for the middle.' }),
  }),
});

interface Changed extends WithUserErrors {
  image: ImageRow | null;
}

const ProductImagePayload = builder.objectRef<Changed>('ProductImagePayload').implement({
  description: 'What became of one image.',
  fields: t => ({
    image: t.expose('image', {
      type: ProductImage,
      nullable: true,
      description: 'The image as it is now; null where there are user errors.',
    }),
    userErrors: t.expose('userErrors', {
      type: [ProductImageUserError],
      description: 'What its sender can mend; where there is any, nothing was changed.',
    }),
  }),
});

builder.mutationFields(t => ({
  createProductImage: t.field({
    authScopes: { 'images:write': true },
    description: 'Adds an image to a product.',
    type: ProductImagePayload,
    args: {
      input: t.arg({ type: CreateProductImageInput, required: true, description: 'The image to add.' }),
    },
    resolve: (_root, { input }, context) =>
      answerChange(context, { image: null }, async () => ({
        image: await createProductImage(
          context.db,
          { ...input, source: await takeSource(input.source, context) },
          context.limits,
        ),
      })),
  }),
  updateProductImage: t.field({
    authScopes: { 'images:write': true },
    description: 'Changes one image; what is left out of the input stays as it is.',
    type: ProductImagePayload,
    args: {
      id: t.arg.id({ required: true, description: "The image's id." }),
      input: t.arg({ type: UpdateProductImageInput, required: true, description: 'What to change.' }),
    },
    resolve: (_root, { id, input }, context) =>
      answerChange(context, { image: null }, async () => ({
        image: await updateProductImage(context.db, id, await takeSourceOf(input, context), context.limits),
      })),
  }),
}));

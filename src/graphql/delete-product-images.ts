import type { ImageRow } from '../data/images.ts';
import {
  deleteAllProductImages,
  deleteProductImage,
  deleteProductImages,
  type RemoveOptions,
} from '../gallery/remove.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ProductImage } from './product-image.ts';
import { answerChange, ProductImageUserError, type WithUserErrors } from './user-errors.ts';

interface Deleted extends WithUserErrors {
  deletedImages: ImageRow[];
}

const DeleteProductImagesPayload = builder.objectRef<Deleted>('DeleteProductImagesPayload').implement({
  description: 'What was deleted.',
  fields: t => ({
    deletedCount: t.int({
      description: 'How many images were deleted.',
      resolve: ({ deletedImages }) => deletedImages.length,
    }),
    deletedIds: t.idList({
      description: 'Their ids.',
      resolve: ({ deletedImages }) => deletedImages.map(row => row.id),
    }),
    deletedImages: t.expose('deletedImages', {
      type: [ProductImage],
      description: 'The images themselves, as they were; until they are purged they can be restored.',
    }),
    userErrors: t.expose('userErrors', {
      type: [ProductImageUserError],
      description: 'What its sender can mend; where there is any, nothing was changed.',
    }),
  }),
});

const permanentDescription = 'True: rows and bytes are purged at once and cannot be restored.';
const dryRunDescription = 'True: answers what would be deleted and deletes nothing.';

builder.mutationFields(t => ({
  deleteProductImage: t.field({
    authScopes: { 'images:write': true },
    description: 'Deletes one image. It can be restored until its retention has passed, unless `permanent`.',
    type: DeleteProductImagesPayload,
    args: {
      id: t.arg.id({ required: true, description: "The image's id." }),
      productId: t.arg.id({ description: 'The product that it must be on; left out, any.' }),
      permanent: t.arg.boolean({ defaultValue: false, description: permanentDescription }),
    },
    resolve: (_root, input, context) =>
      answerDeletion(context, input, () => deleteProductImage(context.db, input, context.limits)),
  }),
  deleteProductImages: t.field({
    authScopes: { 'images:write': true },
    description: 'Deletes images of any products: all that are named, or none.',
    type: DeleteProductImagesPayload,
    args: {
      ids: t.arg.idList({ required: true, description: 'The images, each once; at most 250.' }),
      permanent: t.arg.boolean({ defaultValue: false, description: permanentDescription }),
      dryRun: t.arg.boolean({ defaultValue: false, description: dryRunDescription }),
    },
    resolve: (_root, input, context) =>
      answerDeletion(context, input, () => deleteProductImages(context.db, input, context.limits)),
  }),
  deleteAllProductImages: t.field({
    authScopes: { 'images:write': true },
    description: 'All of them, however many; a product without images is no error.',
    type: DeleteProductImagesPayload,
    args: {
      productId: t.arg.id({ required: true, description: "The product's id." }),
      permanent: t.arg.boolean({
        defaultValue: false,
        description: `${permanentDescription} So are images of the product that were deleted before.`,
      }),
      dryRun: t.arg.boolean({ defaultValue: false, description: dryRunDescription }),
    },
    resolve: (_root, input, context) =>
      answerDeletion(context, input, () =>
        deleteAllProductImages(context.db, input, context.limits, context.loaders.columns),
      ),
  }),
}));

async function answerDeletion(
  context: Context,
  { permanent }: RemoveOptions,
  remove: () => Promise<ImageRow[]>,
): Promise<Deleted> {
  const deleted = await answerChange(context, { deletedImages: [] }, async () => ({
    deletedImages: await remove(),
  }));
  if (permanent && deleted.deletedImages.length > 0) await context.collectFiles();
  return deleted;
}

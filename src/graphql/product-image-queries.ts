import type { ImageFilter } from '../data/image-filter.ts';
import type { ImageOrder } from '../data/image-list.ts';
import { narrowToVisible } from '../data/visibility.ts';
import { limitIds, readId, readIds, readPage } from './arguments.ts';
import { builder } from './builder.ts';
import { ProductImageConnection, pageArguments } from './connection.ts';
import type { Context } from './context.ts';
import { parseCursor } from './cursors.ts';
import { ProductImage, ProductImageState, ProductImageType } from './product-image.ts';

const ProductImageOrder = builder.enumType('ProductImageOrder', {
  description: 'How a list of images is ordered.',
  values: {
    GALLERY: { description: 'By product id, then position.' },
    ID: { description: 'By image id, lowest first.' },
    UPDATED: { description: 'By last change, latest first.' },
  } satisfies Record<ImageOrder, object>,
});

const ProductImageFilter = builder.inputType('ProductImageFilter', {
  description: 'Which images a list or a count is about: those that match all that is given.',
  fields: t => ({
    productIds: t.idList({ description: 'On one of these products; at most 1,000.' }),
    types: t.field({ type: [ProductImageType], description: 'Of one of these types.' }),
    states: t.field({ type: [ProductImageState], description: 'In one of these states.' }),
    deleted: t.boolean({
      description: 'True: only images that are deleted and can still be restored.',
      defaultValue: false,
    }),
  }),
});

builder.queryFields(t => ({
  productImage: t.field({
    authScopes: { 'images:read': true },
    description:
      'One image; null when there is none, when it is deleted, or when it is not on `productId` where that is given.',
    type: ProductImage,
    nullable: true,
    args: {
      id: t.arg.id({ required: true, description: "The image's id." }),
      productId: t.arg.id({ description: 'The product that it must be on; left out, any.' }),
    },
    resolve: async (_root, { id, productId }, { loaders }) => {
      if (productId != null) readId(productId, 'productId');
      const image = await loaders.imageById.load(readId(id, 'id'));
      return productId == null || image?.productId === productId ? image : null;
    },
  }),
  productImages: t.field({
    authScopes: { 'images:read': true },
    description:
      'Images in gallery order, product by product. `first` or `last`: 50 unless given, 1 to 250; outside that an error, never a silent cut.',
    type: ProductImageConnection,
    args: {
      ...pageArguments(t),
      filter: t.arg({ type: ProductImageFilter, description: 'Left out: all images.' }),
      orderBy: t.arg({
        type: ProductImageOrder,
        defaultValue: 'GALLERY',
        description: 'A cursor is good in the order only that it came from.',
      }),
    },
    resolve: async (_root, { filter, orderBy, ...page }, context) => {
      const { limits, loaders } = context;
      const order = orderBy ?? 'GALLERY';
      const matching = readFilter(filter, context);
      const request = readPage(page, limits, (text, name) => parseCursor(text, name, order));
      return {
        page: await loaders.imagePage(order, matching, request),
        order,
        count: () => loaders.imageCount(matching),
      };
    },
  }),
  imageCount: t.int({
    authScopes: { 'images:read': true },
    description: 'How many images match, exactly; without a filter, in the whole store.',
    args: { filter: t.arg({ type: ProductImageFilter, description: 'Left out: all images.' }) },
    resolve: (_root, { filter }, context) => context.loaders.imageCount(readFilter(filter, context)),
  }),
  productImagesByIds: t.field({
    authScopes: { 'images:read': true },
    description:
      'For gateways: same length and order as `ids`, at most 1,000; null where there is no such image.',
    extensions: { stitching: { merge: { keyField: 'id' } } },
    type: [ProductImage],
    nullable: { list: false, items: true },
    args: { ids: t.arg.idList({ required: true, description: "The images' ids." }) },
    resolve: (_root, { ids }, { loaders, limits }) =>
      limitIds(ids, 'ids', limits).map(id => loaders.imageById.load(id)),
  }),
}));

function readFilter(
  filter: ImageFilter | null | undefined,
  { limits, visibility }: Pick<Context, 'limits' | 'visibility'>,
): ImageFilter {
  if (filter?.productIds) readIds(filter.productIds, 'productIds', limits);
  return narrowToVisible(filter ?? {}, visibility);
}

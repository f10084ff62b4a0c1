import type { ProductKind as Kind } from '../data/tables.ts';
import { limitIds, readForeignId, readId, readPage } from './arguments.ts';
import { builder } from './builder.ts';
import { ProductImageConnection, pageArguments } from './connection.ts';
import type { Context } from './context.ts';
import { parseGalleryCursor } from './cursors.ts';
import { ProductImage } from './product-image.ts';

/** Any id is a product; what is kept of it is loaded when a field asks. */
export interface ProductReference {
  id: string;
}

export const ProductKind = builder.enumType('ProductKind', {
  description:
    'What a product id stands for: a simple product, a head product with variations, one of its variations, or a service.',
  values: {
    PRODUCT: { description: 'A simple product; what a product is unless told otherwise.' },
    SKU: { description: 'A head product with variations.' },
    OFFER: { description: 'A variation of a head product.' },
    SERVICE: { description: 'A service.' },
  } satisfies Record<Kind, object>,
});

export const Product = builder.objectRef<ProductReference>('Product');

const group = 'GALLERY' as const;

Product.implement({
  description: 'A product as this service knows it: its images.',
  extensions: { federation: { key: { fields: 'id' } } },
  fields: t => ({
    id: t.exposeID('id', { description: "The catalogue's id: a 64-bit integer in decimal." }),
    kind: t.field({
      description: 'What the id stands for.',
      type: ProductKind,
      resolve: async ({ id }, _arguments, { loaders }) =>
        (await loaders.productById.load(id))?.kind ?? 'PRODUCT',
    }),
    parent: t.field({
      description: 'The product that a variation belongs to.',
      type: Product,
      nullable: true,
      resolve: async ({ id }, _arguments, { loaders }) => {
        const parentId = (await loaders.productById.load(id))?.parentId;
        return parentId ? { id: parentId } : null;
      },
    }),
    images: t.field({
      description: "The gallery in order. A variation (OFFER) without images of its own shows its parent's.",
      type: ProductImageConnection,
      args: pageArguments(t),
      resolve: ({ id }, asked, { loaders, limits }) => {
        const request = { productId: id, group, ...readPage(asked, limits, parseGalleryCursor) };
        const count = async () => (await loaders.galleryCountByProductId.load(id)) ?? 0;
        return loaders.galleryPage.load(request).then(page => ({ page, order: group, count }));
      },
    }),
    images360: t.field({
      description: 'The frames of the 360° view, in order.',
      type: [ProductImage],
      resolve: async ({ id }, _arguments, { loaders }) => (await loadFrames(id, loaders)).rows,
    }),
    thumbnail: t.field({
      description: 'The image flagged `isThumbnail`, else the first of the gallery.',
      type: ProductImage,
      nullable: true,
      resolve: ({ id }, _arguments, { loaders }) => loaders.thumbnailByProductId.load(id),
    }),
    marketingColor: t.string({
      description: "A colour's name, as marketplaces show it, e.g. GREEN.",
      nullable: true,
      resolve: async ({ id }, _arguments, { loaders }) =>
        (await loaders.productById.load(id))?.marketingColor ?? null,
    }),
    imageCount: t.int({
      description: 'How many images the product itself has: gallery, 360° frames and swatches.',
      resolve: async ({ id }, _arguments, { loaders }) => (await loaders.imageCountByProductId.load(id)) ?? 0,
    }),
    imagesVersion: t.int({
      description:
        "Grows by one with every change to the product's images; give it back as `expectedVersion`.",
      resolve: async ({ id }, _arguments, { loaders }) =>
        (await loaders.productById.load(id))?.imagesVersion ?? 0,
    }),
  }),
});

function loadFrames(productId: string, loaders: Context['loaders']) {
  const all = { limit: null, backward: false, after: null, before: null };
  return loaders.galleryPage.load({ productId, group: 'SPIN_360', ...all });
}

builder.queryFields(t => ({
  product: t.field({
    authScopes: { 'images:read': true },
    description:
      'A product as this service knows it: its images. Any id answers; a product without images has an empty gallery.',
    type: Product,
    args: { id: t.arg.id({ required: true, description: "The product's id." }) },
    resolve: (_root, { id }) => ({ id: readId(id, 'id') }),
  }),
  productsByIds: t.field({
    authScopes: { 'images:read': true },
    description: 'For gateways: same length and order as `ids`, at most 1,000.',
    extensions: { stitching: { merge: { keyField: 'id' } } },
    type: [Product],
    args: { ids: t.arg.idList({ required: true, description: "The products' ids; any id answers." }) },
    resolve: (_root, { ids }, { limits }) =>
      limitIds(ids, 'ids', limits).map((id, index) => ({ id: readForeignId(id, `ids[${index}]`) })),
  }),
}));

import { createServer } from 'node:http';
import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import { createYoga } from 'graphql-yoga';
import { openDrizzleStore } from './drizzle-store.ts';
import { loadGalleries, type Page } from './schema.ts';
import { formatCursor, type Image } from './store.ts';
import { tellParent } from './tell-parent.ts';

const [databaseUrl = ''] = process.argv.slice(2);
const store = openDrizzleStore(databaseUrl);

const builder = new SchemaBuilder<{ Scalars: { DateTime: { Input: Date; Output: Date } } }>({
  plugins: [DataloaderPlugin],
});
builder.scalarType('DateTime', { serialize: value => value.toISOString() });

const ProductImageType = builder.enumType('ProductImageType', {
  values: ['MORE_PHOTO', 'PREVIEW_PICTURE', 'DETAIL_PICTURE', 'SPIN_360', 'COLOR_SWATCH'] as const,
});

const ProductImage = builder.objectRef<Omit<Image, 'type'> & { type: string }>('ProductImage').implement({
  fields: t => ({
    id: t.exposeID('id'),
    productId: t.exposeID('productId'),
    name: t.exposeString('name'),
    type: t.field({ type: ProductImageType, resolve: image => image.type as 'MORE_PHOTO' }),
    position: t.exposeInt('position'),
    altText: t.exposeString('altText', { nullable: true }),
    description: t.exposeString('description', { nullable: true }),
    width: t.exposeInt('width', { nullable: true }),
    height: t.exposeInt('height', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const PageInfo = builder.objectRef<Page>('PageInfo').implement({
  fields: t => ({
    hasNextPage: t.boolean({ nullable: true, resolve: ({ hasNextPage }) => hasNextPage }),
    endCursor: t.string({
      nullable: true,
      resolve: ({ nodes }) => {
        const last = nodes.at(-1);
        return last && formatCursor(last);
      },
    }),
  }),
});

const ProductImageConnection = builder.objectRef<Page>('ProductImageConnection').implement({
  fields: t => ({
    nodes: t.field({ type: [ProductImage], resolve: ({ nodes }) => nodes }),
    pageInfo: t.field({ type: PageInfo, resolve: page => page }),
  }),
});

const Product = builder.objectRef<{ id: string }>('Product').implement({
  fields: t => ({
    id: t.exposeID('id'),
    images: t.loadable({
      type: ProductImageConnection,
      args: { first: t.arg.int({ required: true }) },
      load: (keys: { productId: string; first: number }[]) => loadGalleries(store, keys),
      loaderOptions: { cacheKeyFn: ({ productId, first }) => `${productId} ${first}` },
      resolve: ({ id }, { first }) => ({ productId: id, first }),
    }),
  }),
});

builder.queryType({
  fields: t => ({
    productImage: t.field({
      type: ProductImage,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }) => store.findImage(String(id)),
    }),
    productImages: t.field({
      type: ProductImageConnection,
      args: { first: t.arg.int({ required: true }), after: t.arg.string({ required: true }) },
      resolve: async (_root, { first, after }) => {
        const images = await store.listImages(first, after);
        return { nodes: images.slice(0, first), hasNextPage: images.length > first };
      },
    }),
    productsByIds: t.field({
      type: [Product],
      args: { ids: t.arg.idList({ required: true }) },
      resolve: (_root, { ids }) => ids.map(id => ({ id: String(id) })),
    }),
  }),
});

const yoga = createYoga({ schema: builder.toSchema(), graphiql: false });
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => tellParent(server));

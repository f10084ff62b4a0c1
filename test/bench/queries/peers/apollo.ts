import { ApolloServer } from '@apollo/server';
import fastifyApollo, { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import DataLoader from 'dataloader';
import Fastify from 'fastify';
import { GraphQLScalarType } from 'graphql';
import { createResolvers, dateTime, loadGalleries, type Page, typeDefs } from './schema.ts';
import { openStore } from './store.ts';
import { tellParent } from './tell-parent.ts';

interface GalleryKey {
  productId: string;
  first: number;
}

interface Context {
  galleries: DataLoader<GalleryKey, Page, string>;
}

const [databaseUrl = ''] = process.argv.slice(2);
const store = openStore(databaseUrl);

/** For each request, as DataLoader wants it. */
function createContext(): Context {
  return {
    galleries: new DataLoader(async keys => loadGalleries(store, keys), {
      cacheKeyFn: ({ productId, first }) => `${productId} ${first}`,
    }),
  };
}

const app = Fastify();
const apollo = new ApolloServer<Context>({
  typeDefs,
  resolvers: {
    ...createResolvers(store),
    DateTime: new GraphQLScalarType(dateTime),
    Product: {
      images: ({ id }: { id: string }, { first }: { first: number }, { galleries }: Context) =>
        galleries.load({ productId: id, first }),
    },
  },
  plugins: [fastifyApolloDrainPlugin(app)],
});
await apollo.start();
await app.register(fastifyApollo(apollo), { context: async () => createContext() });
await app.listen({ host: '127.0.0.1', port: 0 });
tellParent(app.server);

import Fastify from 'fastify';
import { GraphQLScalarType } from 'graphql';
import mercurius from 'mercurius';
import { createResolvers, dateTime, loadGalleries, typeDefs } from './schema.ts';
import { openStore } from './store.ts';
import { tellParent } from './tell-parent.ts';

const [databaseUrl = ''] = process.argv.slice(2);
const store = openStore(databaseUrl);

const app = Fastify();
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: { ...createResolvers(store), DateTime: new GraphQLScalarType(dateTime) },
  loaders: {
    Product: {
      images: {
        loader: (queries: { obj: { id: string }; params: { first: number } }[]) =>
          loadGalleries(
            store,
            queries.map(({ obj, params }) => ({ productId: obj.id, first: params.first })),
          ),
        // Its documentation: that avoids the serialisation of keys.
        opts: { cache: false },
      },
    },
  },
  jit: 1,
});
await app.listen({ host: '127.0.0.1', port: 0 });
tellParent(app.server);

import { buildSubgraphSchema } from '@apollo/subgraph';
import { GraphQLError, parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { openLoopbackServer, type Server } from './loopback-server.ts';

interface Product {
  id: string;
  name: string;
}

/** The directives differ between the two kinds of gateway. */
function types({ key = '', shareable = '', merge = '' }): string {
  return `
    type Query {
      product(id: ID!): Product
      products: [Product]!
      productPage(first: Int!): ProductConnection!
      cataloguedProducts(ids: [ID!]!): [Product]! ${merge}
      node(id: ID!): Node
      _sdl: String!
    }
    type Mutation { updateProduct(id: ID!, input: UpdateProductInput!): ProductPayload! }
    input UpdateProductInput { name: String! }
    type ProductPayload { product: Product }

    interface Node { id: ID! }
    type Product implements Node ${key} { id: ID! name: String! }
    type ProductConnection { edges: [ProductEdge!]! pageInfo: PageInfo! }
    type ProductEdge { cursor: String! node: Product! }
    type PageInfo ${shareable} {
      hasNextPage: Boolean!
      hasPreviousPage: Boolean!
      startCursor: String
      endCursor: String
    }
  `;
}

const stitchingSdl = `
  directive @merge(keyField: String) on FIELD_DEFINITION
  ${types({ merge: '@merge(keyField: "id")' })}`;

const federationSdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  ${types({ key: '@key(fields: "id")', shareable: '@shareable' })}`;

/**
 * A shop's catalogue, as another team may have it: with Relay's connections and Node, and fields of its own that bear
 * the names of some here. It knows what a product is called, and nothing of its images.
 * Products in `broken` fail when they are asked for their name.
 */
export async function openCatalogue(ids: readonly string[], broken: readonly string[] = []): Promise<Server> {
  const products = new Map(ids.map(id => [id, { id, name: `Product ${id}` }]));
  const find = ({ id }: { id: string }) => products.get(id) ?? null;
  const resolvers = {
    Query: {
      product: (_root: unknown, key: { id: string }) => find(key),
      products: () => [...products.values()],
      productPage: (_root: unknown, { first }: { first: number }) => pageOf([...products.values()], first),
      cataloguedProducts: (_root: unknown, keys: { ids: string[] }) => keys.ids.map(id => find({ id })),
      node: (_root: unknown, key: { id: string }) => find(key),
      _sdl: () => stitchingSdl,
    },
    Mutation: {
      updateProduct: (_root: unknown, { id, input }: { id: string; input: { name: string } }) => {
        products.set(id, { id, name: input.name });
        return { product: find({ id }) };
      },
    },
    Node: { __resolveType: () => 'Product' },
    Product: {
      __resolveReference: find,
      name: ({ id, name }: Product) => {
        if (broken.includes(id)) throw new GraphQLError(`The name of ${id} is lost`);
        return name;
      },
    },
  };
  const schema = buildSubgraphSchema([{ typeDefs: parse(federationSdl), resolvers }]);
  return openLoopbackServer(createYoga({ schema, logging: false }));
}

function pageOf(products: readonly Product[], first: number) {
  return {
    edges: products.slice(0, first).map(node => ({ node, cursor: node.id })),
    pageInfo: { hasNextPage: products.length > first, hasPreviousPage: false },
  };
}

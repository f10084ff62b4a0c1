import { formatCursor, type Image, type Store } from './store.ts';

/** As much of the service's schema as the operations use. */
export const typeDefs = `
  scalar DateTime

  enum ProductImageType { MORE_PHOTO PREVIEW_PICTURE DETAIL_PICTURE SPIN_360 COLOR_SWATCH }

  type Query {
    productImage(id: ID!): ProductImage
    productImages(first: Int!, after: String!): ProductImageConnection!
    productsByIds(ids: [ID!]!): [Product!]!
  }

  type Product {
    id: ID!
    images(first: Int!): ProductImageConnection!
  }

  type ProductImageConnection {
    nodes: [ProductImage!]!
    pageInfo: PageInfo!
  }

  type PageInfo {
    hasNextPage: Boolean
    endCursor: String
  }

  type ProductImage {
    id: ID!
    productId: ID!
    name: String!
    type: ProductImageType!
    position: Int!
    altText: String
    description: String
    width: Int
    height: Int
    createdAt: DateTime!
  }
`;

export interface Page {
  nodes: Image[];
  hasNextPage?: boolean;
}

/** What resolvers are the same in every server; loading galleries together is each server's own. */
export function createResolvers(store: Store) {
  return {
    Query: {
      productImage: (_root: unknown, { id }: { id: string }) => store.findImage(id),
      productImages: async (_root: unknown, { first, after }: { first: number; after: string }) =>
        createPage(await store.listImages(first, after), first),
      productsByIds: (_root: unknown, { ids }: { ids: string[] }) => ids.map(id => ({ id })),
    },
    ProductImageConnection: {
      pageInfo: ({ nodes, hasNextPage }: Page) => {
        const last = nodes.at(-1);
        return { hasNextPage, endCursor: last && formatCursor(last) };
      },
    },
  };
}

function createPage(images: Image[], first: number): Page {
  return { nodes: images.slice(0, first), hasNextPage: images.length > first };
}

export const dateTime = {
  name: 'DateTime',
  serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value),
};

/** Requests for galleries that come together ask for equally many of each; where not, one statement for each number. */
export async function loadGalleries(
  store: Store,
  asked: readonly { productId: string; first: number }[],
): Promise<Page[]> {
  const pages: Page[] = asked.map(() => ({ nodes: [] }));
  for (const first of new Set(asked.map(each => each.first))) {
    const places = [...asked.keys()].filter(place => asked[place]?.first === first);
    const found = await store.findGalleries(
      places.map(place => asked[place]?.productId ?? ''),
      first,
    );
    found.forEach((nodes, index) => {
      pages[places[index] ?? -1] = { nodes };
    });
  }
  return pages;
}

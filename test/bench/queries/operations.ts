/** What is asked of every server, each time with other ids. */
export const operationNames = ['image', 'page', 'galleries'] as const;
export type OperationName = (typeof operationNames)[number];

export const operationTitles: Record<OperationName, string> = {
  image: 'One image by its id',
  page: 'A page of 10 images',
  galleries: '100 products with 5 images each',
};

export const imagesOnPage = 10;
export const productsInGalleries = 100;
export const imagesInGallery = 5;

/** `cursors` finds the places that pages begin at; it is not measured. */
type RequestName = OperationName | 'cursors';

/** How a server is asked, and how its answer is read. */
export interface Dialect {
  path: (name: RequestName) => string;
  documents: Record<RequestName, string>;
  /** As the service itself would answer. */
  rename: (data: Answer) => Answer;
}

export interface Answer {
  productImage?: Image;
  productImages?: { nodes: Image[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
  productsByIds?: { id: string; images: { nodes: Image[]; pageInfo?: { endCursor: string } } }[];
}

export type Image = Record<string, unknown>;

const fields = 'id productId name type position altText description width height createdAt';

/** The service's own, which the servers by hand speak, too. */
export const ownDialect = createOwnDialect(fields);

/** Likewise, with fields that take computing: a signed address, and what is shown before the picture is there. */
export const ownDialectWithAddresses = createOwnDialect(
  `${fields} url(transform: { width: 386 }) thumbhash`,
  ({ url, thumbhash, ...image }) => {
    if (typeof url !== 'string' || !url.startsWith('http')) throw new Error(`url is ${url}`);
    if (typeof thumbhash !== 'string') throw new Error(`thumbhash is ${thumbhash}`);
    return image;
  },
);

/** Likewise, with what a signed address is made from, as it is kept. */
export const ownDialectWithParts = createOwnDialect(
  `${fields} contentHash mimeType thumbhash`,
  ({ contentHash, mimeType, thumbhash, ...image }) => {
    for (const part of [contentHash, mimeType, thumbhash]) {
      if (typeof part !== 'string') throw new Error(`A part of an address is ${part}`);
    }
    return image;
  },
);

function createOwnDialect(imageFields: string, renameImage = (image: Image) => image): Dialect {
  return {
    path: () => '/graphql',
    documents: {
      image: `query Image($id: ID!) { productImage(id: $id) { ${imageFields} } }`,
      page: `query Page($after: String!) {
        productImages(first: ${imagesOnPage}, after: $after) {
          nodes { ${imageFields} }
          pageInfo { hasNextPage endCursor }
        }
      }`,
      galleries: `query Galleries($ids: [ID!]!) {
        productsByIds(ids: $ids) { id images(first: ${imagesInGallery}) { nodes { ${imageFields} } } }
      }`,
      cursors: `query Cursors($ids: [ID!]!) {
        productsByIds(ids: $ids) { images(first: 1) { pageInfo { endCursor } } }
      }`,
    },
    rename: data => renameImages(data, renameImage),
  };
}

/** No GraphQL: a path for each operation says what is asked. */
export const pathDialect: Dialect = { ...ownDialect, path: name => `/${name}` };

const postgraphileFields = `
  id: rowId productId name type position altText description width height createdAt`;

/**
 * By aliases almost the service's own. Its pages are in the order of ids, which is that of galleries in this catalogue:
 * in the order of three columns it would not use their index.
 */
export const postgraphileDialect: Dialect = {
  path: () => '/graphql',
  documents: {
    image: `query Image($id: BigInt!) { productImage: imageByRowId(rowId: $id) { ${postgraphileFields} } }`,
    page: `query Page($after: Cursor!) {
      productImages: allImages(first: ${imagesOnPage}, after: $after, condition: { deletedAt: null }) {
        nodes { ${postgraphileFields} }
        pageInfo { hasNextPage endCursor }
      }
    }`,
    galleries: createPostgraphileGalleries('Galleries', imagesInGallery, `nodes { ${postgraphileFields} }`),
    cursors: createPostgraphileGalleries('Cursors', 1, 'pageInfo { endCursor }'),
  },
  rename: ({ productsByIds, ...data }) => {
    const nodes = (productsByIds as { nodes?: Answer['productsByIds'] } | undefined)?.nodes;
    return renameImages({ ...data, ...(nodes && { productsByIds: nodes }) }, ({ createdAt, ...image }) => ({
      ...image,
      createdAt: new Date(String(createdAt)).toISOString(),
    }));
  },
};

function createPostgraphileGalleries(name: string, first: number, selection: string): string {
  return `query ${name}($ids: [BigInt]!) {
    productsByIds: postgraphileProductsByIds(ids: $ids) {
      nodes {
        id: rowId
        images: imagesByProductId(first: ${first}, condition: { imageGroup: GALLERY, deletedAt: null }) { ${selection} }
      }
    }
  }`;
}

function renameImages(data: Answer, rename: (image: Image) => Image): Answer {
  const { productImage, productImages, productsByIds } = data;
  return {
    ...(productImage && { productImage: rename(productImage) }),
    ...(productImages && { productImages: { ...productImages, nodes: productImages.nodes.map(rename) } }),
    ...(productsByIds && {
      productsByIds: productsByIds.map(({ images, ...product }) => ({
        ...product,
        images: images.nodes ? { nodes: images.nodes.map(rename) } : images,
      })),
    }),
  };
}

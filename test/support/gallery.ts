import type { TestService } from './service.ts';

export interface Image {
  id: string;
  name: string;
  position: number;
  type: string;
  sourceUrl: string | null;
  altText: string | null;
  updatedAt: string;
}

/** With what a test of texts, roles and deletion looks at. */
export interface DetailedImage extends Image {
  productId: string;
  state: string;
  url: string | null;
  description: string | null;
  altTexts: { locale: string; text: string }[];
  isThumbnail: boolean;
  isPrimary: boolean;
  focalPoint: { x: number; y: number } | null;
  deletedAt: string | null;
}

export interface Problem {
  code: string;
  path: string[];
  message: string;
}

const imageFields = 'id name position type sourceUrl altText updatedAt';

export interface Replaced {
  product: { imagesVersion: number } | null;
  images: Image[];
  added: Image[];
  kept: Image[];
  removed: Image[];
  userErrors: Problem[];
}

/** An entry of a replacement from https://example.com/NAME. */
export function fromUrl(name: string): { source: { url: string } } {
  return { source: { url: `https://example.com/${name}` } };
}

export async function replace(service: TestService, input: object): Promise<Replaced> {
  const data = await service.query<{ replaceProductImages: Replaced }>(
    `mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) {
      product { imagesVersion }
      images { ${imageFields} } added { ${imageFields} } kept { ${imageFields} } removed { ${imageFields} }
      userErrors { code path message }
    } }`,
    { input },
  );
  return data.replaceProductImages;
}

/** Makes a product's gallery come from these names, in this order. */
export async function fill(service: TestService, productId: string, names: string[]): Promise<Image[]> {
  const { images, userErrors } = await replace(service, { productId, images: names.map(fromUrl) });
  if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
  return images;
}

export interface Gallery {
  imagesVersion: number;
  imageCount: number;
  marketingColor: string | null;
  images: { nodes: Image[] };
  images360: Image[];
}

export async function readGallery(service: TestService, productId: string): Promise<Gallery> {
  const { product } = await service.query<{ product: Gallery }>(
    `query ($id: ID!) { product(id: $id) {
      imagesVersion imageCount marketingColor
      images(first: 250) { nodes { ${imageFields} } } images360 { ${imageFields} }
    } }`,
    { id: productId },
  );
  return product;
}

export async function countAll(service: TestService, filter?: object): Promise<number> {
  const data = await service.query<{ imageCount: number }>(
    'query ($filter: ProductImageFilter) { imageCount(filter: $filter) }',
    { filter },
  );
  return data.imageCount;
}

const detailFields = `${imageFields} productId state url description altTexts { locale text } isThumbnail isPrimary focalPoint { x y } deletedAt`;
const problemFields = 'userErrors { code path message }';

const documents = {
  createProductImage: `mutation ($input: CreateProductImageInput!) {
    createProductImage(input: $input) { image { ${detailFields} } ${problemFields} } }`,
  updateProductImage: `mutation ($id: ID!, $input: UpdateProductImageInput!) {
    updateProductImage(id: $id, input: $input) { image { ${detailFields} } ${problemFields} } }`,
  reorderProductImages: `mutation ($productId: ID!, $imageIds: [ID!]!, $expectedVersion: Int) {
    reorderProductImages(productId: $productId, imageIds: $imageIds, expectedVersion: $expectedVersion) {
      product { id imagesVersion } images { ${detailFields} } ${problemFields} } }`,
  restoreProductImages: `mutation ($ids: [ID!]!) {
    restoreProductImages(ids: $ids) { product { id imagesVersion } images { ${detailFields} } ${problemFields} } }`,
  deleteProductImages: `mutation ($ids: [ID!]!, $permanent: Boolean, $dryRun: Boolean) {
    deleteProductImages(ids: $ids, permanent: $permanent, dryRun: $dryRun) {
      deletedCount deletedIds deletedImages { ${detailFields} } ${problemFields} } }`,
  deleteAllProductImages: `mutation ($productId: ID!, $permanent: Boolean, $dryRun: Boolean) {
    deleteAllProductImages(productId: $productId, permanent: $permanent, dryRun: $dryRun) {
      deletedCount deletedIds deletedImages { ${detailFields} } ${problemFields} } }`,
  updateProduct: `mutation ($id: ID!, $input: UpdateProductInput!) {
    updateProduct(id: $id, input: $input) {
      product { id kind parent { id } marketingColor imagesVersion } ${problemFields} } }`,
};

export interface Changed {
  image: DetailedImage | null;
  images: DetailedImage[];
  deletedCount: number;
  deletedIds: string[];
  deletedImages: DetailedImage[];
  product: {
    id: string;
    imagesVersion: number;
    kind: string;
    parent: { id: string } | null;
    marketingColor: string | null;
  } | null;
  userErrors: Problem[];
}

/** Sends a mutation and answers its payload, of which each has a part of `Changed`. */
export async function mutate(
  service: TestService,
  name: keyof typeof documents,
  variables: object,
): Promise<Changed> {
  const data = await service.query<Record<string, Changed>>(documents[name], variables);
  const payload = data[name];
  if (!payload) throw new Error(`${name} answered nothing`);
  return payload;
}

/** As `mutate`, and fails on user errors. */
export async function mutateWell(
  service: TestService,
  name: keyof typeof documents,
  variables: object,
): Promise<Changed> {
  const payload = await mutate(service, name, variables);
  if (payload.userErrors.length > 0) throw new Error(JSON.stringify(payload.userErrors));
  return payload;
}

/** Each problem as one line: code, path, message. */
export function linesOf(problems: Problem[]): string[] {
  return problems.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`);
}

/** The names of a product's gallery, in order. */
export async function galleryNames(service: TestService, productId: string): Promise<string[]> {
  const { images } = await readGallery(service, productId);
  return images.nodes.map(image => image.name);
}

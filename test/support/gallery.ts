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

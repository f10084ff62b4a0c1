import { type Answer, type Call, failWith, type ImageView, nothing, sortById } from './calls.ts';
import type { Client } from './client.ts';
import { happen } from './happenings.ts';
import type { Inspected } from './invariants.ts';
import type { Moment } from './rows.ts';
import {
  liveImages,
  type ModelProduct,
  productOf,
  type State,
  shownProduct,
  view,
  viewLive,
} from './state.ts';

const imageFields = `id productId name type state sourceUrl altText altTexts { locale text } description
  focalPoint { x y } position isThumbnail isPrimary deletedAt contentHash updatedAt`;
const images = `images { ${imageFields} }`;
const deleted = `deletedCount deletedIds deletedImages { ${imageFields} }`;
const errors = 'userErrors { code path message }';

/** Variables of each mutation with their types, and what is asked of its payload. */
const mutations = {
  createProductImage: [{ input: 'CreateProductImageInput!' }, `image { ${imageFields} }`],
  updateProductImage: [{ id: 'ID!', input: 'UpdateProductImageInput!' }, `image { ${imageFields} }`],
  reorderProductImages: [{ productId: 'ID!', imageIds: '[ID!]!', expectedVersion: 'Int' }, images],
  replaceProductImages: [
    { input: 'ReplaceProductImagesInput!' },
    `${images} added { ${imageFields} } kept { ${imageFields} } removed { ${imageFields} }`,
  ],
  deleteProductImage: [{ id: 'ID!', productId: 'ID', permanent: 'Boolean' }, deleted],
  deleteProductImages: [{ ids: '[ID!]!', permanent: 'Boolean', dryRun: 'Boolean' }, deleted],
  deleteAllProductImages: [{ productId: 'ID!', permanent: 'Boolean', dryRun: 'Boolean' }, deleted],
  restoreProductImages: [{ ids: '[ID!]!' }, images],
  retryProductImages: [{ ids: '[ID!]!' }, images],
  updateProduct: [{ id: 'ID!', input: 'UpdateProductInput!' }, 'product { id }'],
} satisfies Partial<Record<Call['name'], [Record<string, string>, string]>>;

const documents = new Map(
  Object.entries(mutations).map(([name, [variables, fields]]) => {
    const declared = Object.entries(variables).map(([variable, type]) => `$${variable}: ${type}`);
    const passed = Object.keys(variables).map(variable => `${variable}: $${variable}`);
    return [name, `mutation (${declared}) { payload: ${name}(${passed}) { ${fields} ${errors} } }`];
  }),
);

interface SeenImage extends Omit<ImageView, 'altTexts' | 'isDeleted'> {
  altTexts: { locale: string; text: string }[];
  deletedAt: string | null;
  updatedAt: string;
}

interface Payload {
  image?: SeenImage | null;
  images?: SeenImage[];
  added?: SeenImage[];
  kept?: SeenImage[];
  removed?: SeenImage[];
  deletedImages?: SeenImage[];
  deletedIds?: string[];
  deletedCount?: number;
  userErrors: { code: string; path: string[]; message: string }[];
}

/** Sends documents over HTTP and reads through the API. */
export function createHttpClient(service: Inspected): Client {
  return {
    run: async call => {
      if (call.name === 'readGallery') return readGallery(service, call.productId);
      const document = documents.get(call.name);
      if (!document) return happen(service, call);
      const { payload } = await service.query<{ payload: Payload }>(document, call);
      return readPayload(payload);
    },
    read: ids => readShown(service, ids),
    expect: expectShown,
  };
}

function readPayload(payload: Payload): Answer {
  const { deletedIds = [], deletedImages = [], deletedCount = 0 } = payload;
  if (deletedIds.join() !== deletedImages.map(({ id }) => id).join() || deletedCount !== deletedIds.length) {
    throw new Error(`deletedIds and deletedCount do not fit deletedImages: ${JSON.stringify(payload)}`);
  }
  return {
    errors: failWith(payload.userErrors.map(({ code, path }) => `${code} ${path.join('.')}`)).errors,
    images: [...(payload.images ?? []), ...(payload.image ? [payload.image] : [])].map(viewSeen),
    added: (payload.added ?? []).map(viewSeen),
    kept: sortById((payload.kept ?? []).map(viewSeen)),
    removed: sortById((payload.removed ?? []).map(viewSeen)),
    deleted: sortById(deletedImages.map(viewSeen)),
  };
}

function viewSeen({ altTexts, deletedAt, updatedAt: _, ...image }: SeenImage): ImageView {
  const byLocale = altTexts.map(({ locale, text }) => [locale, text]);
  return { ...image, altTexts: Object.fromEntries(byLocale), isDeleted: deletedAt !== null };
}

async function readGallery(service: Inspected, productId: string): Promise<Answer> {
  const { product } = await service.query<{ product: { images: { nodes: SeenImage[] } } }>(
    `query ($id: ID!) { product(id: $id) { images(first: 250) { nodes { ${imageFields} } } } }`,
    { id: productId },
  );
  return { ...nothing, images: product.images.nodes.map(viewSeen) };
}

interface Shown {
  id: string;
  kind: string;
  parent: { id: string } | null;
  marketingColor: string | null;
  imageCount: number;
  imagesVersion: number;
  thumbnail: { id: string } | null;
  images: { totalCount: number; nodes: SeenImage[] };
  images360: SeenImage[];
}

interface ShownProduct extends Omit<Shown, 'images' | 'images360'> {
  galleryCount: number;
  gallery: ImageView[];
  frames: ImageView[];
}

interface Reading {
  products: ShownProduct[];
  /** The first by order, the second by id; both from lists over all products. */
  swatches: ImageView[];
  restorable: ImageView[];
}

const reading = `query ($ids: [ID!]!) {
  productsByIds(ids: $ids) {
    id kind parent { id } marketingColor imageCount imagesVersion thumbnail { id }
    images(first: 250) { totalCount nodes { ${imageFields} } } images360 { ${imageFields} }
  }
  swatches: productImages(first: 250, filter: { productIds: $ids, types: [COLOR_SWATCH] }) { nodes { ${imageFields} } }
  restorable: productImages(first: 250, filter: { productIds: $ids, deleted: true }) { nodes { ${imageFields} } }
}`;

async function readShown(service: Inspected, ids: readonly string[]): Promise<Moment<Reading>> {
  const { productsByIds, swatches, restorable } = await service.query<{
    productsByIds: Shown[];
    swatches: { nodes: SeenImage[] };
    restorable: { nodes: SeenImage[] };
  }>(reading, { ids });
  const products = productsByIds.map(({ images: { totalCount, nodes }, images360, ...product }) => ({
    ...product,
    galleryCount: totalCount,
    gallery: nodes.map(viewSeen),
    frames: images360.map(viewSeen),
  }));
  const lists = productsByIds.flatMap(({ images, images360 }) => [...images.nodes, ...images360]);
  const all = [...lists, ...swatches.nodes];
  return {
    seen: {
      products,
      swatches: swatches.nodes.map(viewSeen),
      restorable: sortById(restorable.nodes.map(viewSeen)),
    },
    updatedAt: new Map(all.map(({ id, updatedAt }) => [id, updatedAt])),
  };
}

function expectShown(state: State, ids: readonly string[]): Reading {
  const products = ids.map(id => productOf(state, id));
  return {
    products: products.map(product => {
      const { id, kind, parentId, marketingColor, version } = product;
      const gallery = viewLive(shownProduct(state, product), 'GALLERY');
      const parent = parentId === null ? null : { id: parentId };
      return {
        ...{
          id,
          kind,
          parent,
          marketingColor,
          imagesVersion: version,
          gallery,
          galleryCount: gallery.length,
        },
        imageCount: liveImages(product).length,
        thumbnail: thumbnailOf(state, product),
        frames: viewLive(product, 'SPIN_360'),
      };
    }),
    swatches: products.flatMap(product => viewLive(product, 'SWATCH')),
    restorable: sortById(
      products.flatMap(product => {
        const restorable = product.deleted.filter(({ isExpired }) => !isExpired);
        return restorable.map(one => view({ product, image: one.image, deleted: one }));
      }),
    ),
  };
}

/** The flagged image, else the first of the gallery; a variation that shows its parent's gallery shows its choice. */
function thumbnailOf(state: State, product: ModelProduct): { id: string } | null {
  const shown = shownProduct(state, product);
  const thumbnail = liveImages(shown).find(image => image.isThumbnail) ?? shown.live.GALLERY[0];
  return thumbnail ? { id: thumbnail.id } : null;
}

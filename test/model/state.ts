import type { ImageGroup, ImageType, ProductKind } from '../../src/data/tables.ts';
import { groupOf, type ImageView } from './calls.ts';
import { pictureOf } from './vocabulary.ts';

// What the documents say that a store holds, in plain arrays. Nothing here is ever changed in place: what a call
// did not touch is the same object afterwards.

/** Stands for having been put somewhere; a new one whenever the image may have moved against its neighbours. */
export type Place = number;

let lastPlace = 0;
export function newPlace(): Place {
  lastPlace += 1;
  return lastPlace;
}

export interface ModelImage {
  id: string;
  productId: string;
  type: ImageType;
  state: 'IMPORTED' | 'UPLOADED' | 'FAILED';
  sourceUrl: string;
  contentHash: string | null;
  altText: string | null;
  altTexts: Record<string, string>;
  description: string | null;
  focalPoint: { x: number; y: number } | null;
  isThumbnail: boolean;
  place: Place;
  /** The replacement that added it for want of one with its source; until then it may be one that it removed. */
  replacement: object | null;
}

export interface DeletedImage {
  image: ModelImage;
  position: number;
  /** What stood in front of it and behind it. */
  before: ReadonlySet<Place>;
  after: ReadonlySet<Place>;
  isExpired: boolean;
  /** The replacement that removed it. */
  replacement: object | null;
}

export type Groups = Record<ImageGroup, readonly ModelImage[]>;

export interface ModelProduct {
  id: string;
  kind: ProductKind;
  parentId: string | null;
  marketingColor: string | null;
  version: number;
  live: Groups;
  deleted: readonly DeletedImage[];
  /** Where an image was put while another of its group was away, and the places of those that were away. */
  contested: ReadonlySet<Place>;
}

export interface State {
  /** Those that the service has seen. */
  products: ReadonlyMap<string, ModelProduct>;
  /** By idempotency key; gone with the image. */
  keys: ReadonlyMap<string, { input: string; imageId: string }>;
  purgedIds: readonly string[];
  /** Those of them that the job took. */
  overdueIds: readonly string[];
}

export const emptyState: State = { products: new Map(), keys: new Map(), purgedIds: [], overdueIds: [] };

export const groups: readonly ImageGroup[] = ['GALLERY', 'SPIN_360', 'SWATCH'];

export function productOf(state: State, id: string): ModelProduct {
  const live = { GALLERY: [], SPIN_360: [], SWATCH: [] };
  const unseen = { id, kind: 'PRODUCT' as const, parentId: null, marketingColor: null, version: 0 };
  return state.products.get(id) ?? { ...unseen, live, deleted: [], contested: new Set() };
}

export function withProduct(state: State, product: ModelProduct): State {
  const contested = findContested(productOf(state, product.id), product);
  return { ...state, products: new Map(state.products).set(product.id, { ...product, contested }) };
}

/** Whoever was put somewhere may stand just where one that is away remembers to have stood. */
function findContested(before: ModelProduct, after: ModelProduct): ReadonlySet<Place> {
  const known = new Set(
    [...liveImages(before), ...before.deleted.map(({ image }) => image)].map(({ place }) => place),
  );
  const contested = groups.flatMap(group => {
    const fresh = after.live[group].filter(({ place }) => !known.has(place));
    const away = before.deleted.filter(
      one => after.deleted.includes(one) && groupOf(one.image.type) === group,
    );
    const places = [...fresh, ...away.map(({ image }) => image)].map(({ place }) => place);
    return fresh.length > 0 && away.length > 0 ? places : [];
  });
  return contested.length > 0 ? new Set([...before.contested, ...contested]) : before.contested;
}

/** The product after a change of its set. */
export function raise(product: ModelProduct): ModelProduct {
  return { ...product, version: product.version + 1 };
}

export function liveImages(product: ModelProduct): ModelImage[] {
  return groups.flatMap(group => product.live[group]);
}

export function mapGroups(
  live: Groups,
  change: (list: readonly ModelImage[], group: ImageGroup) => readonly ModelImage[],
): Groups {
  return {
    GALLERY: change(live.GALLERY, 'GALLERY'),
    SPIN_360: change(live.SPIN_360, 'SPIN_360'),
    SWATCH: change(live.SWATCH, 'SWATCH'),
  };
}

export function mapLive(product: ModelProduct, change: (image: ModelImage) => ModelImage): ModelProduct {
  return { ...product, live: mapGroups(product.live, list => list.map(change)) };
}

/** Takes the flag from all but one. */
export function unflagOthers(product: ModelProduct, id: string): ModelProduct {
  return mapLive(product, image =>
    image.isThumbnail && image.id !== id ? { ...image, isThumbnail: false } : image,
  );
}

export interface Found {
  product: ModelProduct;
  image: ModelImage;
  /** Null while it is live. */
  deleted: DeletedImage | null;
}

/** An image that is not purged. */
export function findImage(state: State, id: string): Found | null {
  for (const product of state.products.values()) {
    const image = liveImages(product).find(candidate => candidate.id === id);
    if (image) return { product, image, deleted: null };
    const deleted = product.deleted.find(candidate => candidate.image.id === id);
    if (deleted) return { product, image: deleted.image, deleted };
  }
  return null;
}

export function findLive(state: State, id: string): Found | null {
  const found = findImage(state, id);
  return found?.deleted ? null : found;
}

export function view({ product, image, deleted }: Found): ImageView {
  const { place: _, replacement: __, ...told } = image;
  const group = groupOf(image.type);
  const position = deleted?.position ?? product.live[group].indexOf(image);
  return {
    ...told,
    name: `${pictureOf(image.sourceUrl)}.jpg`,
    position,
    isThumbnail: image.isThumbnail && !deleted,
    isPrimary: group === 'GALLERY' && position === 0 && !deleted,
    isDeleted: deleted !== null,
  };
}

export function viewById(state: State, id: string): ImageView[] {
  const found = findImage(state, id);
  return found ? [view(found)] : [];
}

export function viewLive(product: ModelProduct, group: ImageGroup): ImageView[] {
  return product.live[group].map(image => view({ product, image, deleted: null }));
}

/** The product whose gallery it shows: a variation without one shows its parent's. */
export function shownProduct(state: State, product: ModelProduct): ModelProduct {
  const isBare = product.kind === 'OFFER' && product.live.GALLERY.length === 0;
  return isBare && product.parentId !== null ? productOf(state, product.parentId) : product;
}

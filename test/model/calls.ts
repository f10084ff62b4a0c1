import type { ImageGroup, ImageType, ProductKind } from '../../src/data/tables.ts';

export interface Texts {
  altText?: string | null | undefined;
  altTexts?: { locale: string; text: string }[] | null | undefined;
  description?: string | null | undefined;
}

export interface Details extends Texts {
  isThumbnail?: boolean | null | undefined;
  focalPoint?: { x: number; y: number } | null | undefined;
  type?: ImageType | undefined;
  position?: number | undefined;
}

export interface CreateInput extends Details {
  productId: string;
  source: { url: string };
  idempotencyKey?: string | undefined;
}

/** As GraphQL hands it on. */
export function withDefaults(input: CreateInput): CreateInput {
  return { type: 'MORE_PHOTO', isThumbnail: false, ...input };
}

export interface UpdateInput extends Details {
  source?: { url: string } | undefined;
}

export interface EntryInput extends Texts {
  id?: string | undefined;
  source?: { url: string } | undefined;
  type?: ImageType | undefined;
}

export interface ReplaceInput {
  productId: string;
  images: EntryInput[];
  images360?: EntryInput[] | undefined;
  marketingColor?: string | null | undefined;
  expectedVersion?: number | undefined;
  dryRun?: boolean | undefined;
}

export interface ProductInput {
  kind?: ProductKind | null | undefined;
  parentId?: string | null | undefined;
  marketingColor?: string | null | undefined;
}

/** A mutation with its variables, or what happens to a gallery beside the API. */
export type Call =
  | { name: 'createProductImage'; input: CreateInput }
  | { name: 'updateProductImage'; id: string; input: UpdateInput }
  | {
      name: 'reorderProductImages';
      productId: string;
      imageIds: string[];
      expectedVersion?: number | undefined;
    }
  | { name: 'replaceProductImages'; input: ReplaceInput }
  | { name: 'deleteProductImage'; id: string; productId?: string | undefined; permanent: boolean }
  | { name: 'deleteProductImages'; ids: string[]; permanent: boolean; dryRun: boolean }
  | { name: 'deleteAllProductImages'; productId: string; permanent: boolean; dryRun: boolean }
  | { name: 'restoreProductImages'; ids: string[] }
  | { name: 'retryProductImages'; ids: string[] }
  | { name: 'updateProduct'; id: string; input: ProductInput }
  | { name: 'readGallery'; productId: string }
  /** The time in which deleted images can be restored passes. */
  | { name: 'expire'; ids: string[] }
  /** The job that purges; `ids` are those that it took, where that is known. */
  | { name: 'purge'; ids?: string[] }
  /** The bytes of an image arrive; null: they do not, and it is given up. */
  | { name: 'import'; id: string; contentHash: string | null };

export type CallOf<Name extends Call['name']> = Extract<Call, { name: Name }>;

/** All that an answer tells of an image, but for times and what follows from the file. */
export interface ImageView {
  id: string;
  productId: string;
  name: string;
  type: ImageType;
  state: string;
  sourceUrl: string | null;
  altText: string | null;
  altTexts: Record<string, string>;
  description: string | null;
  focalPoint: { x: number; y: number } | null;
  position: number;
  isThumbnail: boolean;
  isPrimary: boolean;
  isDeleted: boolean;
  contentHash: string | null;
}

/** What any call answers; the lists that a call does not have are empty, as all are where there are errors. */
export interface Answer {
  /** Code and path of each user error, sorted. */
  errors: string[];
  /** In order; of a creation or an update, the one image. */
  images: ImageView[];
  /** In order. */
  added: ImageView[];
  /** By id, as are those removed and deleted. */
  kept: ImageView[];
  removed: ImageView[];
  deleted: ImageView[];
}

export const nothing: Answer = { errors: [], images: [], added: [], kept: [], removed: [], deleted: [] };

export function failWith(errors: readonly string[]): Answer {
  return { ...nothing, errors: errors.toSorted() };
}

export function sortById(views: readonly ImageView[]): ImageView[] {
  return views.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

export function groupOf(type: ImageType): ImageGroup {
  if (type === 'SPIN_360') return 'SPIN_360';
  return type === 'COLOR_SWATCH' ? 'SWATCH' : 'GALLERY';
}

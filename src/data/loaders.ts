import DataLoader from 'dataloader';
import { countImages, countImagesByProductIds } from './counts.ts';
import type { Database } from './database.ts';
import { countGalleries, findGalleryPages, findThumbnails, type GalleryRequest } from './galleries.ts';
import { isId } from './ids.ts';
import { type ColumnSet, everyColumn } from './image-columns.ts';
import type { ImageFilter } from './image-filter.ts';
import { type ImageCursor, type ImageOrder, listImages } from './image-list.ts';
import { findImagesByIds, type ImageRow } from './images.ts';
import type { Page, PageRequest } from './page.ts';
import { findProductsByIds } from './products.ts';
import type { ProductRow } from './tables.ts';
import { isUnavailability } from './unavailable.ts';
import type { Visibility } from './visibility.ts';

/** Reads of one request, gathered: whatever asks for the same kind of thing at once is one statement. */
export class Loaders {
  /** What of images is read; to be chosen before the first is. */
  columns: ColumnSet = everyColumn;
  readonly #db: Database;
  readonly #visibility: Visibility;
  #unavailability: unknown;
  #imageById: Loader<ImageRow> | undefined;
  #productById: Loader<ProductRow> | undefined;
  #thumbnailByProductId: Loader<ImageRow> | undefined;
  #imageCountByProductId: Loader<number> | undefined;
  #galleryCountByProductId: Loader<number> | undefined;
  #galleryPage: DataLoader<GalleryRequest, Page<ImageRow>, string> | undefined;

  constructor(db: Database, visibility: Visibility) {
    this.#db = db;
    this.#visibility = visibility;
  }

  imagePage(
    order: ImageOrder,
    filter: ImageFilter,
    request: PageRequest<ImageCursor>,
  ): Promise<Page<ImageRow>> {
    return this.#read(() => listImages(this.#db, order, filter, request, this.columns));
  }

  imageCount(filter: ImageFilter): Promise<number> {
    return this.#read(() => countImages(this.#db, filter));
  }

  get imageById(): Loader<ImageRow> {
    this.#imageById ??= this.#byKey(async ids => {
      const rows = await findImagesByIds(this.#db, ids, this.#visibility, this.columns);
      return new Map(rows.map(row => [row.id, row]));
    });
    return this.#imageById;
  }

  get productById(): Loader<ProductRow> {
    this.#productById ??= this.#byKey(async ids => {
      const rows = await findProductsByIds(this.#db, ids);
      return new Map(rows.map(row => [row.id, row]));
    });
    return this.#productById;
  }

  get thumbnailByProductId(): Loader<ImageRow> {
    this.#thumbnailByProductId ??= this.#byKey(ids =>
      findThumbnails(this.#db, this.#visibility, ids, this.columns),
    );
    return this.#thumbnailByProductId;
  }

  get imageCountByProductId(): Loader<number> {
    this.#imageCountByProductId ??= this.#byKey(ids =>
      countImagesByProductIds(this.#db, this.#visibility, ids),
    );
    return this.#imageCountByProductId;
  }

  get galleryCountByProductId(): Loader<number> {
    this.#galleryCountByProductId ??= this.#byKey(ids => countGalleries(this.#db, this.#visibility, ids));
    return this.#galleryCountByProductId;
  }

  get galleryPage(): DataLoader<GalleryRequest, Page<ImageRow>, string> {
    this.#galleryPage ??= new DataLoader(requests => this.#findPages(requests), {
      cacheKeyFn: ({ productId, group, limit, backward, after, before }) =>
        `${productId} ${group} ${limit} ${backward} ${after ?? ''} ${before ?? ''}`,
    });
    return this.#galleryPage;
  }

  /** Null for what is not found. Gateways bring ids of other services; what is no id here is not found. */
  #byKey<Value>(find: (ids: readonly string[]) => Promise<Map<string, Value>>): Loader<Value> {
    return new DataLoader<string, Value | null>(async keys => {
      const found = await this.#read(() => find(keys.filter(isId)));
      return keys.map(key => found.get(key) ?? null);
    });
  }

  /** A request that was told once that the database cannot answer does not wait for it again. */
  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#unavailability) throw this.#unavailability;
    try {
      return await read();
    } catch (error) {
      if (isUnavailability(error)) this.#unavailability = error;
      throw error;
    }
  }

  /** Of what is no id an empty page. */
  async #findPages(requests: readonly GalleryRequest[]): Promise<Page<ImageRow>[]> {
    const known = requests.filter(({ productId }) => isId(productId));
    const pages = await this.#read(() => findGalleryPages(this.#db, this.#visibility, known, this.columns));
    const found = new Map(known.map((request, index) => [request, pages[index]]));
    return requests.map(request => found.get(request) ?? emptyPage);
  }
}

export function createLoaders(db: Database, visibility: Visibility): Loaders {
  return new Loaders(db, visibility);
}

type Loader<Value> = DataLoader<string, Value | null>;

const emptyPage: Page<ImageRow> = { rows: [], hasNext: false, hasPrevious: false };

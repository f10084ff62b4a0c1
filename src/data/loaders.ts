import DataLoader from 'dataloader';
import { countImages, countImagesByProductIds } from './counts.ts';
import type { Database } from './database.ts';
import { countGalleries, findGalleryPages, findThumbnails, type GalleryRequest } from './galleries.ts';
import { isId } from './ids.ts';
import { type ColumnSet, everyColumn } from './image-columns.ts';
import type { ImageFilter } from './image-filter.ts';
import { type ImageCursor, type ImageOrder, listImages } from './image-list.ts';
import { type ImageRow, viewImagesByIds } from './images.ts';
import type { Page, PageRequest } from './page.ts';
import { findProductsByIds } from './products.ts';
import { type Read, shareRead } from './shared-reads.ts';
import type { ProductRow } from './tables.ts';
import { isUnavailability } from './unavailable.ts';
import type { Visibility } from './visibility.ts';

/**
 * Reads of one request, gathered: whatever asks for the same kind of thing at once is one statement, which requests
 * that come at the same time share. Each remembers what it read.
 */
export class Loaders {
  /** What of images is read; to be chosen before the first is. */
  columns: ColumnSet = everyColumn;
  /** Whether pages say that there are more, which takes a row beyond each; likewise. */
  looksAhead = true;
  /**
   * Whether what is read of a product's set is read after the product, so that `imagesVersion` is never newer than images
   * that are shown with it: who gives such a version back would change a set unseen. Likewise.
   */
  versionsFirst = true;
  readonly #db: Database;
  readonly #reads: ReturnType<typeof createReads>;
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
    this.#reads = readsOf(db);
    this.#visibility = visibility;
  }

  imagePage(
    order: ImageOrder,
    filter: ImageFilter,
    request: PageRequest<ImageCursor>,
  ): Promise<Page<ImageRow>> {
    return this.#once(async () => {
      await this.#readProducts(filter.productIds ?? []);
      const list: ListShape = { order, filter, columns: this.columns, looksAhead: this.looksAhead };
      const read = this.#reads.imagePage(list, request);
      const [page] = await read([request]);
      return page ?? emptyPage;
    });
  }

  imageCount(filter: ImageFilter): Promise<number> {
    return this.#once(async () => {
      await this.#readProducts(filter.productIds ?? []);
      return countImages(this.#db, filter);
    });
  }

  get imageById(): Loader<ImageRow> {
    this.#imageById ??= this.#byKey(this.#reads.imageById(this.#visibility, this.columns));
    return this.#imageById;
  }

  get productById(): Loader<ProductRow> {
    this.#productById ??= this.#byKey(this.#reads.productById);
    return this.#productById;
  }

  get thumbnailByProductId(): Loader<ImageRow> {
    const read = this.#reads.thumbnail(this.#visibility, this.columns);
    this.#thumbnailByProductId ??= this.#byKey(this.#afterProducts(read));
    return this.#thumbnailByProductId;
  }

  get imageCountByProductId(): Loader<number> {
    const read = this.#reads.imageCount(this.#visibility);
    this.#imageCountByProductId ??= this.#byKey(this.#afterProducts(read));
    return this.#imageCountByProductId;
  }

  get galleryCountByProductId(): Loader<number> {
    const read = this.#reads.galleryCount(this.#visibility);
    this.#galleryCountByProductId ??= this.#byKey(this.#afterProducts(read));
    return this.#galleryCountByProductId;
  }

  get galleryPage(): DataLoader<GalleryRequest, Page<ImageRow>, string> {
    this.#galleryPage ??= this.#createGalleryPage();
    return this.#galleryPage;
  }

  #createGalleryPage(): DataLoader<GalleryRequest, Page<ImageRow>, string> {
    const pages = this.looksAhead ? this.#reads.galleryPage : this.#reads.galleryPageAlone;
    const read = this.#afterProducts(pages(this.#visibility, this.columns), ({ productId }) => productId);
    return new DataLoader(requests => this.#once(() => findPages(read, requests)), {
      cacheKeyFn: ({ productId, group, limit, backward, after, before }) =>
        `${productId} ${group} ${limit} ${backward} ${after ?? ''} ${before ?? ''}`,
    });
  }

  #afterProducts<Key, Value>(read: Read<Key, Value>, idOf: (key: Key) => string = String): Read<Key, Value> {
    if (!this.versionsFirst) return read;
    return async keys => {
      await this.#readProducts(keys.map(idOf));
      return read(keys);
    };
  }

  /** With those whose images a variation shows. */
  async #readProducts(ids: readonly string[]): Promise<void> {
    if (!this.versionsFirst || ids.length === 0) return;
    const products = await this.productById.loadMany([...new Set(ids)]);
    const parentIds = products.flatMap(row => (row instanceof Error ? [] : (row?.parentId ?? [])));
    if (parentIds.length > 0) await this.productById.loadMany([...new Set(parentIds)]);
  }

  /** Null for what is not found. Gateways bring ids of other services; what is no id here is not found. */
  #byKey<Value>(read: Read<string, Value | null>): Loader<Value> {
    return new DataLoader(async keys => {
      if (keys.every(isId)) return this.#once(() => read(keys));
      const known = keys.filter(isId);
      const values = await this.#once(() => read(known));
      const found = new Map(known.map((key, index) => [key, values[index]]));
      return keys.map(key => found.get(key) ?? null);
    });
  }

  /** A request that was told once that the database cannot answer does not wait for it again. */
  async #once<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#unavailability) throw this.#unavailability;
    try {
      return await read();
    } catch (error) {
      if (isUnavailability(error)) this.#unavailability = error;
      throw error;
    }
  }
}

export function createLoaders(db: Database, visibility: Visibility): Loaders {
  return new Loaders(db, visibility);
}

const reads = new WeakMap<Database, ReturnType<typeof createReads>>();

function readsOf(db: Database): ReturnType<typeof createReads> {
  const known = reads.get(db) ?? createReads(db);
  reads.set(db, known);
  return known;
}

/** What all requests share. */
function createReads(db: Database) {
  return {
    imageById: ofImages((visibility, columns) =>
      shareById(async ids => mapById(await viewImagesByIds(db, ids, visibility, columns))),
    ),
    productById: shareById(async ids => mapById(await findProductsByIds(db, ids))),
    thumbnail: ofImages((visibility, columns) =>
      shareById(ids => findThumbnails(db, visibility, ids, columns)),
    ),
    imageCount: ofImages(visibility => shareById(ids => countImagesByProductIds(db, visibility, ids))),
    galleryCount: ofImages(visibility => shareById(ids => countGalleries(db, visibility, ids))),
    imagePage: shareImagePages(db),
    galleryPage: shareGalleryPages(db, true),
    galleryPageAlone: shareGalleryPages(db, false),
  };
}

interface ListShape {
  order: ImageOrder;
  filter: ImageFilter;
  columns: ColumnSet;
  looksAhead: boolean;
}

type PageRead = Read<PageRequest<ImageCursor>, Page<ImageRow>>;

/** Of a longer page the rows cost more than the statement: it goes by itself, and nobody waits for it. */
const maxSharedPage = 25;

/** Small pages of lists that many see, whole or as strangers do, share statements where they are alike. */
function shareImagePages(db: Database): (list: ListShape, request: PageRequest<ImageCursor>) => PageRead {
  const shared = new Map<string, PageRead>();
  return (list, request) => {
    const { order, filter, columns, looksAhead } = list;
    const read: PageRead = async requests => listImages(db, order, filter, requests, columns, looksAhead);
    const key = keyOfAlike(list, request);
    if (key === null || request.limit > maxSharedPage) return read;
    const known = shared.get(key) ?? shareRead(read);
    shared.set(key, known);
    return known;
  };
}

/** There are few; null for lists by what somebody asks for. */
function keyOfAlike(
  { order, filter, columns, looksAhead }: ListShape,
  { backward, after, before }: PageRequest<ImageCursor>,
): string | null {
  const { productIds, types, states, deleted } = filter;
  const isOfStrangers = states?.length === 1 && states[0] === 'UPLOADED';
  if (productIds || types || deleted || (states && !isOfStrangers)) return null;
  return [order, isOfStrangers, columns.key, looksAhead, backward, after !== null, before !== null].join();
}

function shareGalleryPages(db: Database, looksAhead: boolean) {
  return ofImages((visibility, columns) =>
    shareRead((requests: readonly GalleryRequest[]) =>
      findGalleryPages(db, visibility, requests, columns, looksAhead),
    ),
  );
}

/** One for each visibility and set of columns: what differs in either is never in one statement. */
function ofImages<Shared>(create: (visibility: Visibility, columns: ColumnSet) => Shared) {
  const ofVisibility: Record<Visibility, Map<ColumnSet, Shared>> = { LIVE: new Map(), READY: new Map() };
  return (visibility: Visibility, columns = everyColumn): Shared => {
    const known = ofVisibility[visibility].get(columns) ?? create(visibility, columns);
    ofVisibility[visibility].set(columns, known);
    return known;
  };
}

function shareById<Value>(
  find: (ids: readonly string[]) => Promise<Map<string, Value>>,
): Read<string, Value | null> {
  return shareRead(async ids => {
    const found = await find(ids);
    return ids.map(id => found.get(id) ?? null);
  });
}

const mapById = <Row extends { id: string }>(rows: readonly Row[]) => new Map(rows.map(row => [row.id, row]));

type Loader<Value> = DataLoader<string, Value | null>;

/** Of what is no id, an empty page. */
async function findPages(
  read: Read<GalleryRequest, Page<ImageRow>>,
  requests: readonly GalleryRequest[],
): Promise<readonly Page<ImageRow>[]> {
  const known = requests.filter(({ productId }) => isId(productId));
  const pages = await read(known);
  if (known.length === requests.length) return pages;
  const found = new Map(known.map((request, index) => [request, pages[index]]));
  return requests.map(request => found.get(request) ?? emptyPage);
}

const emptyPage: Page<ImageRow> = { rows: [], hasNext: false, hasPrevious: false };

import DataLoader from 'dataloader';
import { countImagesByProductIds } from './counts.ts';
import type { Database } from './database.ts';
import { countGalleries, findGalleryPages, findThumbnails, type GalleryRequest } from './galleries.ts';
import { isId } from './ids.ts';
import { findImagesByIds, type ImageRow } from './images.ts';
import type { Page } from './page.ts';
import { findProductsByIds } from './products.ts';
import type { Visibility } from './visibility.ts';

export type Loaders = ReturnType<typeof createLoaders>;

/** Reads of one request, gathered: whatever asks for the same kind of thing at once is one statement. */
export function createLoaders(db: Database, visibility: Visibility) {
  return {
    imageById: byKey(async (ids: readonly string[]) => {
      const rows = await findImagesByIds(db, ids);
      const visible = visibility === 'LIVE' ? rows : rows.filter(({ state }) => state === 'UPLOADED');
      return new Map(visible.map(row => [row.id, row]));
    }),
    productById: byKey(async (ids: readonly string[]) => {
      const rows = await findProductsByIds(db, ids);
      return new Map(rows.map(row => [row.id, row]));
    }),
    thumbnailByProductId: byKey((ids: readonly string[]) => findThumbnails(db, visibility, ids)),
    imageCountByProductId: byKey((ids: readonly string[]) => countImagesByProductIds(db, visibility, ids)),
    galleryCountByProductId: byKey((ids: readonly string[]) => countGalleries(db, visibility, ids)),
    galleryPage: new DataLoader(
      (requests: readonly GalleryRequest[]) => findPages(db, visibility, requests),
      {
        cacheKeyFn: request => Object.values(request).join(),
      },
    ),
  };
}

/** Null for what is not found. Gateways bring ids of other services; what is no id here is not found. */
function byKey<Value>(find: (ids: readonly string[]) => Promise<Map<string, Value>>) {
  return new DataLoader<string, Value | null>(async keys => {
    const found = await find(keys.filter(isId));
    return keys.map(key => found.get(key) ?? null);
  });
}

/** Likewise an empty page. */
async function findPages(
  db: Database,
  visibility: Visibility,
  requests: readonly GalleryRequest[],
): Promise<Page<ImageRow>[]> {
  const known = requests.filter(({ productId }) => isId(productId));
  const pages = await findGalleryPages(db, visibility, known);
  const found = new Map(known.map((request, index) => [request, pages[index]]));
  return requests.map(request => found.get(request) ?? emptyPage);
}

const emptyPage: Page<ImageRow> = { rows: [], hasNext: false, hasPrevious: false };

import DataLoader from 'dataloader';
import { countImagesByProductIds } from './counts.ts';
import type { Database } from './database.ts';
import { countGalleries, findGalleryPages, findThumbnails, type GalleryRequest } from './galleries.ts';
import { findImagesByIds } from './images.ts';
import { findProductsByIds } from './products.ts';

export type Loaders = ReturnType<typeof createLoaders>;

/** Reads of one request, gathered: whatever asks for the same kind of thing at once is one statement. */
export function createLoaders(db: Database) {
  return {
    imageById: byKey(async (ids: readonly string[]) => {
      const rows = await findImagesByIds(db, ids);
      return new Map(rows.map(row => [row.id, row]));
    }),
    productById: byKey(async (ids: readonly string[]) => {
      const rows = await findProductsByIds(db, ids);
      return new Map(rows.map(row => [row.id, row]));
    }),
    thumbnailByProductId: byKey((ids: readonly string[]) => findThumbnails(db, ids)),
    imageCountByProductId: byKey((ids: readonly string[]) => countImagesByProductIds(db, ids)),
    galleryCountByProductId: byKey((ids: readonly string[]) => countGalleries(db, ids)),
    galleryPage: new DataLoader((requests: readonly GalleryRequest[]) => findGalleryPages(db, requests), {
      cacheKeyFn: request => Object.values(request).join(),
    }),
  };
}

/** Null for what is not found. */
function byKey<Value>(find: (keys: readonly string[]) => Promise<Map<string, Value>>) {
  return new DataLoader<string, Value | null>(async keys => {
    const found = await find(keys);
    return keys.map(key => found.get(key) ?? null);
  });
}

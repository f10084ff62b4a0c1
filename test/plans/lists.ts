import { countImages } from '../../src/data/counts.ts';
import type { Database } from '../../src/data/database.ts';
import type { ImageFilter } from '../../src/data/image-filter.ts';
import {
  createImageCursor,
  type ImageCursor,
  type ImageOrder,
  imageOrders,
  listImages,
} from '../../src/data/image-list.ts';
import { findImagesByIds } from '../../src/data/images.ts';
import type { ImageState, ImageType } from '../../src/data/tables.ts';
import { narrowToVisible, type Visibility } from '../../src/data/visibility.ts';

/** Each kind of filter left out, and with values of all sorts, those among them that few images have. */
const choices: { [Key in keyof ImageFilter]-?: readonly ImageFilter[Key][] } = {
  productIds: [null, Array.from({ length: 1_000 }, (_, index) => String(12 * index + 1))],
  types: [null, ['COLOR_SWATCH'], ['MORE_PHOTO', 'SPIN_360']] satisfies (ImageType[] | null)[],
  states: [null, ['PENDING'], ['UPLOADED', 'FAILED']] satisfies (ImageState[] | null)[],
  deleted: [false, true],
};

function listFilters(): ImageFilter[] {
  return choices.productIds.flatMap(productIds =>
    choices.types.flatMap(types =>
      choices.states.flatMap(states =>
        choices.deleted.map(deleted => ({ productIds, types, states, deleted })),
      ),
    ),
  );
}

function visibleFilters(visibility: Visibility): ImageFilter[] {
  const narrowed = listFilters().map(filter => narrowToVisible(filter, visibility));
  return [...new Map(narrowed.map(filter => [JSON.stringify(filter), filter])).values()];
}

/** Every list with every filter, from every side, as members of staff see it and as strangers do. */
export async function readAllLists(db: Database, middleId: string): Promise<void> {
  const [middle] = await findImagesByIds(db, [middleId]);
  if (!middle) throw new Error(`There is no image ${middleId}`);
  for (const visibility of ['LIVE', 'READY'] satisfies Visibility[]) {
    for (const narrowed of visibleFilters(visibility)) {
      await countImages(db, narrowed);
      for (const order of imageOrders)
        await readFromAllSides(db, order, narrowed, createImageCursor(middle, order));
    }
  }
}

async function readFromAllSides(db: Database, order: ImageOrder, filter: ImageFilter, cursor: ImageCursor) {
  for (const backward of [false, true]) {
    for (const [after, before] of [
      [null, null],
      [cursor, null],
      [null, cursor],
      [cursor, cursor],
    ] as const) {
      const request = { limit: 50, backward, after, before };
      await listImages(db, order, filter, [request]);
      // The service itself never asks for several pages of given products at once.
      if (filter.productIds) continue;
      await listImages(db, order, filter, [request, { ...request, limit: 1 }, request]);
    }
  }
}

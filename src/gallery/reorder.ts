import type { Connection, Database } from '../data/database.ts';
import { type ColumnSet, everyColumn, type ImageColumn, widenColumnSet } from '../data/image-columns.ts';
import type { ImageRow } from '../data/images.ts';
import { changeSet } from '../data/set-changes.ts';
import { lockSet, readSet } from '../data/set-reads.ts';
import { imageGroups, type ProductRow } from '../data/tables.ts';
import { keysOf, membersOf, type Place } from './arrangement.ts';
import { Concluding, changeSetOf, type Outcome, Untouched } from './change.ts';
import { checkBatch, type GalleryLimits } from './limits.ts';
import { assignOrderKeys } from './order-keys.ts';
import { checkIds, checkImagesOnProduct, checkVersion, productNotFound } from './presence.ts';
import { Problems } from './problems.ts';

export interface ReorderInput {
  productId: string;
  imageIds: readonly string[];
  expectedVersion?: number | null | undefined;
}

const placeColumns: readonly ImageColumn[] = ['imageGroup', 'orderKey', 'position'];

/**
 * Puts the images named first, in that order, each within its group; the others follow in the order that they had.
 * Answers the images named, of which it reads what it needs and what is to be shown.
 */
export async function reorderProductImages(
  db: Database,
  input: ReorderInput,
  limits: GalleryLimits,
  shown: ColumnSet = everyColumn,
): Promise<ImageRow[]> {
  const problems = new Problems();
  // A whole set may be named: nobody who moves one picture of three hundred should have to think of batches.
  const most = Object.values(limits.maxImages).reduce((sum, size) => sum + size);
  checkBatch(input.imageIds, ['imageIds'], most, problems);
  const named = checkIds(input.imageIds, 'imageIds', problems);
  if (!problems.checkId(input.productId, ['productId'])) problems.throwIfAny();
  const columns = widenColumnSet(shown, placeColumns);
  const reorder = async (
    connection: Connection,
    product: ProductRow | null,
    rows: readonly ImageRow[],
  ): Promise<Outcome<ImageRow[]>> => {
    const found = problems.fork();
    if (!product) found.add('PRODUCT_NOT_FOUND', ['productId'], productNotFound(input.productId));
    else checkVersion(product, input.expectedVersion, ['expectedVersion'], found);
    const own = await checkImagesOnProduct(connection, input.productId, rows, named, found);
    found.throwIfAny();
    const byId = new Map(rows.map(row => [row.id, row]));
    const first = own.flatMap(({ id }) => byId.get(id) ?? []);
    const places = findPlaces(
      rows,
      first.map(row => row.id),
    );
    if (!product || places.size === 0) return new Untouched(first);
    const writing = changeSet(connection, { product, placed: [...places.values()] });
    return new Concluding(
      writing.then(({ at }) => first.map(row => asPlaced(row, places.get(row.id) ?? row, at))),
    );
  };
  const tryWithoutLock = async () => {
    const { product, isKnown, rows } = await readSet(db, input.productId, columns);
    return isKnown ? reorder(db, product, rows) : null;
  };
  return changeSetOf(db, input.productId, tryWithoutLock, async transaction => {
    const { product, rows } = await lockSet(transaction, input.productId, columns);
    return reorder(transaction, product, rows);
  });
}

type PlacedImage = Place & Pick<ImageRow, 'id'>;

/** What gets another place, by its id: as few other order keys as the new order allows. */
function findPlaces(current: readonly ImageRow[], firstIds: readonly string[]): Map<string, PlacedImage> {
  const ranks = new Map(firstIds.map((id, rank) => [id, rank]));
  const rankOf = (row: ImageRow) => ranks.get(row.id) ?? firstIds.length;
  const places = new Map<string, PlacedImage>();
  for (const group of imageGroups) {
    const members = membersOf(current, group);
    const ordered = members.toSorted((one, other) => rankOf(one) - rankOf(other));
    const assigned = assignOrderKeys(
      ordered.map(row => row.orderKey),
      keysOf(members),
    );
    for (const [position, row] of ordered.entries()) {
      const orderKey = assigned[position] ?? row.orderKey;
      if (orderKey === row.orderKey && position === row.position) continue;
      places.set(row.id, { id: row.id, orderKey, position });
    }
  }
  return places;
}

/** Where only neighbours moved, the image itself was not changed. */
function asPlaced(row: ImageRow, { orderKey, position }: Place, at: Date): ImageRow {
  return { ...row, orderKey, position, updatedAt: orderKey === row.orderKey ? row.updatedAt : at };
}

import type { Connection } from '../data/database.ts';
import { findImagesEvenDeleted } from '../data/images.ts';
import { SetOvertaken } from '../data/set-changes.ts';
import type { ProductRow } from '../data/tables.ts';
import type { Path, Problems } from './problems.ts';

/** An id that a caller gave, and where. */
export interface NamedImage {
  id: string;
  path: Path;
}

/** The ids that are well-formed, each where it stands first; the others are problems. */
export function checkIds(ids: readonly string[], field: string, problems: Problems): NamedImage[] {
  const named = ids.flatMap((id, index) => {
    const path = [field, index];
    return problems.checkId(id, path) ? [{ id, path }] : [];
  });
  return checkRepeated(named, problems);
}

/** As the REST service that this one replaces says it. */
export function imageNotFound(id: string): string {
  return `Product image not found with id: ${id}`;
}

export function productNotFound(id: string): string {
  return `Product not found with id: ${id}`;
}

/**
 * Of the images that a caller named, those that are in the product's set, each once. Unknown, foreign and
 * repeated ones are problems. At most one statement, none if all is well.
 */
export async function checkImagesOnProduct<Named extends NamedImage>(
  db: Connection,
  productId: string,
  current: readonly { id: string }[],
  named: readonly Named[],
  problems: Problems,
): Promise<Named[]> {
  const own = new Set(current.map(row => row.id));
  const once = checkRepeated(named, problems);
  const isOwn = Map.groupBy(once, ({ id }) => own.has(id));
  await tellStrangers(db, productId, isOwn.get(false) ?? [], problems);
  return isOwn.get(true) ?? [];
}

/** Each id where it stands first; the other places are problems. */
export function checkRepeated<Named extends NamedImage>(
  named: readonly Named[],
  problems: Problems,
): Named[] {
  const firsts = new Map<string, Named>();
  for (const place of named) {
    const first = firsts.get(place.id);
    if (first) {
      const message = `id ${place.id} stands at ${first.path.join('.')} already; name each image once`;
      problems.add('DUPLICATE_INPUT', place.path, message);
    } else firsts.set(place.id, place);
  }
  return [...firsts.values()];
}

async function tellStrangers(
  db: Connection,
  productId: string,
  strangers: readonly NamedImage[],
  problems: Problems,
): Promise<void> {
  const rows = await findImagesEvenDeleted(
    db,
    strangers.map(({ id }) => id),
  );
  const live = new Map(rows.filter(row => !row.deletedAt).map(row => [row.id, row]));
  for (const { id, path } of strangers) {
    const row = live.get(id);
    // Without a lock, it may have come back since the set was read.
    if (row?.productId === productId) throw new SetOvertaken(`Image ${id} came back to product ${productId}`);
    if (row) {
      const message = `image ${id} is on product ${row.productId}, not on ${productId}`;
      problems.add('IMAGE_NOT_ON_PRODUCT', path, message);
    } else problems.add('IMAGE_NOT_FOUND', path, imageNotFound(id));
  }
}

/** A caller that names a version must have seen the set as it is. */
export function checkVersion(
  product: ProductRow,
  expectedVersion: number | null | undefined,
  path: Path,
  problems: Problems,
): void {
  if (expectedVersion == null || expectedVersion === product.imagesVersion) return;
  problems.add(
    'VERSION_CONFLICT',
    path,
    `expectedVersion is ${expectedVersion}, but the images are at version ${product.imagesVersion}; read them anew and decide again`,
  );
}

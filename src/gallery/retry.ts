import type { Database } from '../data/database.ts';
import { findImagesByIds, type ImageRow } from '../data/images.ts';
import { retryImports } from '../data/import-queue.ts';
import { change } from './change.ts';
import { checkBatch, type GalleryLimits } from './limits.ts';
import { checkIds, imageNotFound } from './presence.ts';
import { Problems } from './problems.ts';

/**
 * Imports failed images anew, and waiting ones at once. An image that is stored, or accepted a moment ago, has nothing
 * to retry and stays as it is.
 */
export async function retryProductImages(
  db: Database,
  ids: readonly string[],
  limits: GalleryLimits,
): Promise<ImageRow[]> {
  const problems = new Problems();
  checkBatch(ids, ['ids'], limits.maxIdsInMutation, problems);
  const named = checkIds(ids, 'ids', problems);
  return change(db, false, async transaction => {
    const found = problems.fork();
    const wanted = named.map(({ id }) => id);
    const known = new Set((await findImagesByIds(transaction, wanted)).map(row => row.id));
    for (const { id, path } of named) {
      if (!known.has(id)) found.add('IMAGE_NOT_FOUND', path, imageNotFound(id));
    }
    found.throwIfAny();
    await retryImports(transaction, wanted);
    const rows = new Map((await findImagesByIds(transaction, wanted)).map(row => [row.id, row]));
    return wanted.flatMap(id => rows.get(id) ?? []);
  });
}

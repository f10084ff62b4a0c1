import { createHash } from 'node:crypto';
import type { Transaction } from '../../src/data/database.ts';
import { failImport, finishImport, type ImportTask } from '../../src/data/import-queue.ts';
import { lockProducts } from '../../src/data/products.ts';
import { purge } from '../../src/gallery/purge.ts';
import { keepSameBytes } from '../../src/gallery/same-bytes.ts';
import { holdStored } from '../../src/gallery/stored-files.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { type Answer, type Call, type CallOf, nothing } from './calls.ts';
import type { Inspected } from './invariants.ts';

/** Bytes that images may turn out to have; several images share a file. */
const contents = ['one', 'two', 'three'].map(text => Buffer.from(`bytes of file ${text}`));
const contentsByHash = new Map(
  contents.map(bytes => [createHash('sha256').update(bytes).digest('hex'), bytes]),
);
export const contentHashes = [...contentsByHash.keys()];

/** What changes a gallery and is no call of the API. */
export async function happen(service: Inspected, call: Call): Promise<Answer> {
  switch (call.name) {
    case 'expire':
      await service.db.execute(
        `update images set restorable_until = now() - interval '1 second'
         where deleted_at is not null and id = any('{${call.ids.join()}}')`,
      );
      return nothing;
    case 'purge':
      await purge(service.db, service.storage);
      return nothing;
    case 'import':
      await service.db.transaction(transaction => importBytes(transaction, service, call));
      return nothing;
    default:
      throw new Error(`${call.name} does not happen by itself`);
  }
}

/** The end of an import, as the worker does it; what comes before is another test's. */
async function importBytes(
  transaction: Transaction,
  { storage }: Inspected,
  { id, contentHash }: CallOf<'import'>,
): Promise<void> {
  const task = await claim(transaction, id);
  if (contentHash === null) {
    const failure = {
      code: 'SOURCE_NOT_FOUND' as const,
      message: 'gone',
      attempts: task.attempts,
      retryInMs: null,
    };
    return failImport(transaction, task, failure);
  }
  const bytes = contentsByHash.get(contentHash);
  if (!bytes) throw new Error(`There is no file ${contentHash}`);
  const looks = { width: 4, height: 3, thumbhash: 'AAAA', dominantColor: '#123456', hasAlpha: false };
  const file = { hash: contentHash, mimeType: 'image/png', byteSize: bytes.length, ...looks };
  await lockProducts(transaction, [task.productId]);
  await holdStored(transaction, [
    { file, ensureStored: () => storage.write(originalKey(contentHash, 'png'), bytes) },
  ]);
  if (!(await finishImport(transaction, task, contentHash)))
    throw new Error(`Image ${id} is not to be imported`);
  await keepSameBytes(transaction, id);
}

async function claim(transaction: Transaction, id: string): Promise<ImportTask> {
  const [row] = await transaction.execute<{ productId: string; claim: string }>(
    `update images set import_claim = gen_random_uuid(), import_due_at = now() + interval '1 minute'
     where id = ${id} and deleted_at is null returning product_id as "productId", import_claim as claim`,
  );
  if (!row) throw new Error(`There is no image ${id} to import`);
  return { ...row, id, sourceUrl: null, sourcePath: null, attempts: 1, mayReplace: true };
}

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mutateWell } from '../support/gallery.ts';
import { deleteAll } from '../support/mutations.ts';
import type { TestService } from '../support/service.ts';

/** An image as a document's example has it. */
export interface DocumentImage {
  id: string;
  /** When its document says that it was created. */
  createdAt?: string;
  input: { productId: string; source: object; isThumbnail?: boolean; description?: string | null };
}

/**
 * Gives products exactly the images of a document's examples, in that order and with their ids and times, whatever
 * tests made of them before.
 */
export async function setUpExamples(service: TestService, examples: readonly DocumentImage[]): Promise<void> {
  for (const productId of new Set(examples.map(({ input }) => input.productId))) {
    await deleteAll(service, productId, { permanent: true });
  }
  for (const example of examples) await createExample(service, example);
}

/** The service numbers and dates images itself, and takes neither from a client: so its database is told. */
async function createExample(service: TestService, { id, createdAt, input }: DocumentImage): Promise<void> {
  await service.db.execute(`select setval('image_ids', ${id}, false)`);
  const { image } = await mutateWell(service, 'createProductImage', { input });
  await service.db.execute(`select setval('image_ids', (select max(id) from images))`);
  if (image?.id !== id) throw new Error(`The image of the example got id ${image?.id} instead of ${id}`);
  if (createdAt) await service.db.execute(`update images set created_at = '${createdAt}' where id = ${id}`);
}

/** A folder that holds these files by their paths, for IMPORT_DIR. */
export async function openImportDirectory(
  files: Record<string, Buffer>,
): Promise<{ path: string; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'packshot-import-'));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), bytes);
  }
  return { path: directory, close: () => rm(directory, { recursive: true, force: true }) };
}

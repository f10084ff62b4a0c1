import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Database, Transaction } from '../data/database.ts';
import { insertFiles } from '../data/files.ts';
import { insertImages, renumberPositions } from '../data/image-writes.ts';
import { hasProducts, insertProducts, raiseImagesVersions } from '../data/products.ts';
import { newImage } from '../gallery/image-values.ts';
import { assignOrderKeys } from '../gallery/order-keys.ts';
import { type MeasuredImage, measureImage } from '../importing/measure-image.ts';
import { describeFile } from '../importing/store-original.ts';
import type { Logger } from '../log.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { createSampleCatalogue, type SamplePicture, type SampleProduct } from './catalogue.ts';

interface StoredPicture {
  picture: SamplePicture;
  measured: MeasuredImage;
}

/** Draws, stores and enters the sample catalogue, all of it or nothing; does nothing where there is any product. */
export async function loadSample(
  db: Database,
  storage: Storage,
  log: Logger,
  stop?: AbortSignal,
): Promise<void> {
  if (await hasProducts(db)) return;
  log.info('Drawing the sample catalogue; this happens once and takes some seconds');
  const catalogue = createSampleCatalogue();
  const stored = await storePictures(catalogue, storage, stop);
  await db.transaction(async transaction => {
    await insertProducts(transaction, catalogue);
    await insertFiles(
      transaction,
      stored.map(({ measured }) => describeFile(measured)),
    );
    for (const product of catalogue) await enterPictures(transaction, product, stored);
  });
}

async function storePictures(
  catalogue: readonly SampleProduct[],
  storage: Storage,
  stop: AbortSignal | undefined,
): Promise<StoredPicture[]> {
  const pictures = catalogue.flatMap(product => product.pictures);
  const stored: StoredPicture[] = [];
  for await (const bytes of encodePictures(pictures.length)) {
    stop?.throwIfAborted();
    const picture = pictures[stored.length];
    if (!picture) break;
    const measured = await measureImage(bytes);
    await storage.write(originalKey(measured.contentHash, measured.extension), bytes);
    stored.push({ picture, measured });
  }
  return stored;
}

async function* encodePictures(count: number): AsyncGenerator<Buffer> {
  const encoder = fork(fileURLToPath(new URL('./encode-process.ts', import.meta.url)), {
    serialization: 'advanced',
    // Ctrl-C in a terminal is for the service alone, which ends this one.
    detached: true,
  });
  const failed = new AbortController();
  const exited = once(encoder, 'exit').then(([code]) => {
    if (code !== 0) failed.abort(new Error(`The sample catalogue could not be drawn (exit code ${code})`));
  });
  try {
    let received = 0;
    for await (const [bytes] of on(encoder, 'message', { signal: failed.signal })) {
      yield Buffer.from(bytes);
      if (++received === count) break;
    }
    await exited;
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    encoder.kill();
  }
}

async function enterPictures(
  transaction: Transaction,
  { id, pictures }: SampleProduct,
  stored: readonly StoredPicture[],
): Promise<void> {
  if (pictures.length === 0) return;
  const orderKeys = assignOrderKeys(
    pictures.map(() => null),
    new Set(),
  );
  const hashes = new Map(stored.map(({ picture, measured }) => [picture.name, measured.contentHash]));
  const rows = pictures.map(({ svg: _, ...described }, position) => ({
    ...newImage(),
    ...described,
    position,
    orderKey: orderKeys[position] ?? '',
    state: 'UPLOADED' as const,
    fileHash: hashes.get(described.name) ?? null,
  }));
  await insertImages(transaction, id, rows);
  await renumberPositions(transaction, [id]);
  await raiseImagesVersions(transaction, [id]);
}

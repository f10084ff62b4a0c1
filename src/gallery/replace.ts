import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../data/database.ts';
import {
  insertImages,
  markImagesDeleted,
  renumberPositions,
  updateImageSources,
  updateImages,
} from '../data/image-writes.ts';
import { findImagesEvenDeleted, findImagesOfProduct, type ImageRow } from '../data/images.ts';
import { lockOrCreateProduct, raiseImagesVersions, updateProductRow } from '../data/products.ts';
import type { ProductRow } from '../data/tables.ts';
import { change } from './change.ts';
import { checkEntries, type Entry, type EntryInput } from './entries.ts';
import type { GalleryLimits } from './limits.ts';
import { checkImagesOnProduct, checkVersion } from './presence.ts';
import { Problems } from './problems.ts';
import { planReplacement, type Replacement } from './replacement.ts';
import { holdStored } from './stored-files.ts';
import { checkText } from './texts.ts';

export interface ReplaceInput {
  productId: string;
  images: readonly EntryInput[];
  images360?: readonly EntryInput[] | null | undefined;
  marketingColor?: string | null | undefined;
  expectedVersion?: number | null | undefined;
  dryRun?: boolean | null | undefined;
}

export interface ReplaceResult {
  /** The set as it now stands: the gallery, the 360° frames, the swatches. */
  images: ImageRow[];
  added: ImageRow[];
  kept: ImageRow[];
  removed: ImageRow[];
}

/**
 * Makes a product's images exactly those given, in one transaction of a fixed number of statements.
 * Throws UserErrors, with all that is wrong, and changes nothing then.
 */
export async function replaceProductImages(
  db: Database,
  input: ReplaceInput,
  limits: GalleryLimits,
): Promise<ReplaceResult> {
  const problems = new Problems();
  const marketingColor = input.marketingColor || null;
  checkText(marketingColor, ['input', 'marketingColor'], limits.maxTextLength, problems);
  const entries = [
    ...checkEntries(input.images, 'images', limits, problems),
    ...checkEntries(input.images360 ?? [], 'images360', limits, problems),
  ];
  if (!problems.checkId(input.productId, ['input', 'productId'])) problems.throwIfAny();
  return change(db, Boolean(input.dryRun), async transaction => {
    const product = await lockOrCreateProduct(transaction, input.productId);
    const current = await findImagesOfProduct(transaction, product.id);
    const found = problems.fork();
    checkVersion(product, input.expectedVersion, ['input', 'expectedVersion'], found);
    const present = await checkEntryIds(transaction, product, current, entries, found);
    const plan = planReplacement(current, present, limits, found);
    found.throwIfAny();
    await holdStored(
      transaction,
      present.flatMap(({ source }) => source?.stored ?? []),
    );
    const addedIds = await writeReplacement(transaction, product, plan, marketingColor, limits);
    return readResult(transaction, product.id, plan, addedIds);
  });
}

/** The entries whose id, if they name one, is of an image of the product; each image once. */
async function checkEntryIds(
  transaction: Transaction,
  product: ProductRow,
  current: readonly ImageRow[],
  entries: readonly Entry[],
  problems: Problems,
): Promise<Entry[]> {
  const named = entries.flatMap(entry =>
    entry.id === null ? [] : [{ entry, id: entry.id, path: [...entry.path, 'id'] }],
  );
  const present = await checkImagesOnProduct(transaction, product.id, current, named, problems);
  const isPresent = new Set(present.map(({ entry }) => entry));
  return entries.filter(entry => entry.id === null || isPresent.has(entry));
}

async function writeReplacement(
  transaction: Transaction,
  product: ProductRow,
  plan: Replacement,
  marketingColor: string | null,
  limits: GalleryLimits,
): Promise<string[]> {
  const isRecoloured = product.marketingColor !== marketingColor;
  const isChanged = plan.added.length + plan.updated.length + plan.removed.length > 0;
  if (!isChanged && !isRecoloured) return [];
  if (isRecoloured) await updateProductRow(transaction, product.id, { marketingColor });
  const replacementId = randomUUID();
  await markImagesDeleted(
    transaction,
    plan.removed.map(row => row.id),
    limits.retentionDays,
    replacementId,
  );
  await updateImages(transaction, plan.updated);
  await updateImageSources(transaction, plan.resourced);
  const added = plan.added.map(values => ({ ...values, replacementId }));
  const addedIds = await insertImages(transaction, product.id, added);
  if (isChanged) await renumberPositions(transaction, [product.id]);
  await raiseImagesVersions(transaction, [product.id]);
  return addedIds;
}

async function readResult(
  transaction: Transaction,
  productId: string,
  plan: Replacement,
  addedIds: readonly string[],
): Promise<ReplaceResult> {
  const images = await findImagesOfProduct(transaction, productId);
  const removed = await findImagesEvenDeleted(
    transaction,
    plan.removed.map(row => row.id),
  );
  const isAdded = new Set(addedIds);
  const places = new Map(plan.removed.map((row, place) => [row.id, place]));
  return {
    images,
    added: images.filter(row => isAdded.has(row.id)),
    kept: images.filter(row => !isAdded.has(row.id)),
    removed: removed.sort((one, other) => (places.get(one.id) ?? 0) - (places.get(other.id) ?? 0)),
  };
}

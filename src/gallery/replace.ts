import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../data/database.ts';
import { type ColumnSet, everyColumn, widenColumnSet } from '../data/image-columns.ts';
import { changeSet, type LockedProduct, lockOrCreateSet } from '../data/image-sets.ts';
import { findImagesOfProduct, type ImageRow } from '../data/images.ts';
import { updateProductRow } from '../data/products.ts';
import { imageGroups, type ProductRow } from '../data/tables.ts';
import { Concluding, change, Untouched } from './change.ts';
import { checkEntries, type Entry, type EntryInput } from './entries.ts';
import type { GalleryLimits } from './limits.ts';
import { checkImagesOnProduct, checkVersion } from './presence.ts';
import { Problems } from './problems.ts';
import { asDeleted } from './remove.ts';
import { comparedColumns, planReplacement, type Replacement } from './replacement.ts';
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
  /** As it now stands. */
  product: ProductRow;
  /** The set as it now stands: the gallery, the 360° frames, the swatches. */
  images: ImageRow[];
  added: ImageRow[];
  kept: ImageRow[];
  removed: ImageRow[];
}

/**
 * Makes a product's images exactly those given, in one transaction of a fixed number of statements. The rows it
 * answers have at least the columns that are to be shown.
 * Throws UserErrors, with all that is wrong, and changes nothing then.
 */
export async function replaceProductImages(
  db: Database,
  input: ReplaceInput,
  limits: GalleryLimits,
  shown: ColumnSet = everyColumn,
): Promise<ReplaceResult> {
  const problems = new Problems();
  const marketingColor = input.marketingColor || null;
  checkText(marketingColor, ['input', 'marketingColor'], limits.maxTextLength, problems);
  const entries = [
    ...checkEntries(input.images, 'images', limits, problems),
    ...checkEntries(input.images360 ?? [], 'images360', limits, problems),
  ];
  if (!problems.checkId(input.productId, ['input', 'productId'])) problems.throwIfAny();
  const columns = widenColumnSet(shown, comparedColumns);
  return change<ReplaceResult>(db, Boolean(input.dryRun), async transaction => {
    const {
      product,
      isNew,
      rows: current,
    } = await lockOrCreateSet(transaction, input.productId, (reading, productId) =>
      findImagesOfProduct(reading, productId, columns),
    );
    const found = problems.fork();
    checkVersion(product, input.expectedVersion, ['input', 'expectedVersion'], found);
    const present = await checkEntryIds(transaction, product, current, entries, found);
    const plan = planReplacement(current, present, limits, found);
    found.throwIfAny();
    await holdStored(
      transaction,
      present.flatMap(({ source }) => source?.stored ?? []),
    );
    const isRecoloured = product.marketingColor !== marketingColor;
    if (!isRecoloured && !isChange(plan)) {
      const unchanged = { product, ...describeSets(plan, [], []) };
      return isNew ? unchanged : new Untouched(unchanged);
    }
    if (isRecoloured) await updateProductRow(transaction, product.id, { marketingColor });
    return writeReplacement(transaction, product, plan, marketingColor, limits);
  });
}

/** The entries whose id, if they name one, is of an image of the product; each image once. */
async function checkEntryIds(
  transaction: Transaction,
  product: ProductRow,
  current: readonly ImageRow[],
  entries: readonly Entry[],
  problems: Problems,
): Promise<readonly Entry[]> {
  if (entries.every(({ id }) => id === null)) return entries;
  const named = entries.flatMap(entry =>
    entry.id === null ? [] : [{ entry, id: entry.id, path: [...entry.path, 'id'] }],
  );
  const present = await checkImagesOnProduct(transaction, product.id, current, named, problems);
  const isPresent = new Set(present.map(({ entry }) => entry));
  return entries.filter(entry => entry.id === null || isPresent.has(entry));
}

function writeReplacement(
  transaction: Transaction,
  product: LockedProduct,
  plan: Replacement,
  marketingColor: string | null,
  { retentionDays }: GalleryLimits,
): Concluding<ReplaceResult> {
  const writing = changeSet(transaction, {
    ...plan,
    product,
    replacementId: randomUUID(),
    removed: { ids: plan.removed.map(row => row.id), retentionDays },
  });
  const now = {
    ...product,
    marketingColor,
    imagesVersion: product.imagesVersion + 1,
    updatedAt: product.now,
  };
  const removed = asDeleted(plan.removed, product, retentionDays);
  return new Concluding(writing.then(written => ({ product: now, ...describeSets(plan, written, removed) })));
}

function isChange({ added, updated, resourced, removed }: Replacement): boolean {
  return added.length + updated.length + resourced.length + removed.length > 0;
}

function describeSets(
  plan: Replacement,
  written: ImageRow[],
  removed: ImageRow[],
): Omit<ReplaceResult, 'product'> {
  const rewritten = new Map(written.map(row => [row.id, row]));
  const kept = plan.kept.map(row => rewritten.get(row.id) ?? row).sort(byPlace);
  const isKept = new Set(kept);
  const added = written.filter(row => !isKept.has(row)).sort(byPlace);
  return { images: [...kept, ...added].sort(byPlace), added, kept, removed };
}

function byPlace(one: ImageRow, other: ImageRow): number {
  if (one.imageGroup === other.imageGroup) return one.position - other.position;
  return imageGroups.indexOf(one.imageGroup) - imageGroups.indexOf(other.imageGroup);
}

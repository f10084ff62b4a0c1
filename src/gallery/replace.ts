import { randomUUID } from 'node:crypto';
import type { Connection, Database, Transaction } from '../data/database.ts';
import { type ColumnSet, everyColumn, widenColumnSet } from '../data/image-columns.ts';
import type { ImageRow } from '../data/images.ts';
import { updateProductRow } from '../data/products.ts';
import { changeSet } from '../data/set-changes.ts';
import { lockOrCreateSet, readSet } from '../data/set-reads.ts';
import { imageGroups, type ProductRow } from '../data/tables.ts';
import { Concluding, changeInTurn, changeSetOf, type Outcome, Untouched } from './change.ts';
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
 * Makes a product's images exactly those given, in a fixed number of statements. The rows it answers have at least the
 * columns that are to be shown.
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
  const { productId, expectedVersion, dryRun } = input;
  if (!problems.checkId(productId, ['input', 'productId'])) problems.throwIfAny();
  const columns = widenColumnSet(shown, comparedColumns);
  const wanted: Wanted = { productId, entries, marketingColor, expectedVersion, columns, limits, problems };
  const run = (transaction: Transaction) => replaceLocked(transaction, wanted);
  if (dryRun) return changeInTurn(db, [productId], true, run);
  return changeSetOf(db, productId, () => replaceWithoutLock(db, wanted), run);
}

interface Wanted {
  productId: string;
  entries: readonly Entry[];
  marketingColor: string | null;
  expectedVersion: number | null | undefined;
  columns: ColumnSet;
  limits: GalleryLimits;
  /** Found so far. */
  problems: Problems;
}

/** Null, with nothing done, for what takes more than one statement to write. */
async function replaceWithoutLock(db: Database, wanted: Wanted): Promise<ReplaceResult | null> {
  const { productId, entries, marketingColor, expectedVersion, columns } = wanted;
  if (entries.some(({ source }) => source?.stored)) return null;
  const { product, isKnown, rows } = await readSet(db, productId, columns);
  if (product.marketingColor !== marketingColor || (!isKnown && expectedVersion != null)) return null;
  const plan = await planWanted(db, product, rows, wanted);
  if (isChange(plan)) return writeReplacement(db, product, plan, wanted, !isKnown);
  return isKnown ? { product, ...describeSets(plan, [], []) } : null;
}

async function replaceLocked(transaction: Transaction, wanted: Wanted): Promise<Outcome<ReplaceResult>> {
  const { productId, marketingColor, columns } = wanted;
  const { product, isNew, rows } = await lockOrCreateSet(transaction, productId, columns);
  const plan = await planWanted(transaction, product, rows, wanted);
  await holdStored(
    transaction,
    wanted.entries.flatMap(({ source }) => source?.stored ?? []),
  );
  const isRecoloured = product.marketingColor !== marketingColor;
  if (!isRecoloured && !isChange(plan)) {
    const unchanged = { product, ...describeSets(plan, [], []) };
    return isNew ? unchanged : new Untouched(unchanged);
  }
  if (isRecoloured) await updateProductRow(transaction, product.id, { marketingColor });
  return new Concluding(writeReplacement(transaction, product, plan, wanted));
}

/** Throws all that is wrong, with the input and with the set as it is. */
async function planWanted(
  db: Connection,
  product: ProductRow,
  current: readonly ImageRow[],
  { entries, expectedVersion, limits, problems }: Wanted,
): Promise<Replacement> {
  const found = problems.fork();
  checkVersion(product, expectedVersion, ['input', 'expectedVersion'], found);
  const present = await checkEntryIds(db, product, current, entries, found);
  const plan = planReplacement(current, present, limits, found);
  found.throwIfAny();
  return plan;
}

/** The entries whose id, if they name one, is of an image of the product; each image once. */
async function checkEntryIds(
  db: Connection,
  product: ProductRow,
  current: readonly ImageRow[],
  entries: readonly Entry[],
  problems: Problems,
): Promise<readonly Entry[]> {
  if (entries.every(({ id }) => id === null)) return entries;
  const named = entries.flatMap(entry =>
    entry.id === null ? [] : [{ entry, id: entry.id, path: [...entry.path, 'id'] }],
  );
  const present = await checkImagesOnProduct(db, product.id, current, named, problems);
  const isPresent = new Set(present.map(({ entry }) => entry));
  return entries.filter(entry => entry.id === null || isPresent.has(entry));
}

async function writeReplacement(
  db: Connection,
  product: ProductRow,
  plan: Replacement,
  { marketingColor, limits: { retentionDays } }: Wanted,
  isNew = false,
): Promise<ReplaceResult> {
  const { at, rows } = await changeSet(db, {
    ...plan,
    product,
    isNew,
    replacementId: randomUUID(),
    removed: { ids: plan.removed.map(row => row.id), retentionDays },
  });
  const now = { ...product, marketingColor, imagesVersion: product.imagesVersion + 1 };
  return { product: now, ...describeSets(plan, rows, asDeleted(plan.removed, at, retentionDays)) };
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

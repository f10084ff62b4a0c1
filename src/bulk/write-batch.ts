import {
  beginBulk,
  clearThumbnails,
  insertManyImages,
  lockOrCreateManyProducts,
  readBulkMembers,
} from '../data/bulk-images.ts';
import { advanceBulkProgress, type BulkProgress } from '../data/bulk-progress.ts';
import type { Database, Transaction } from '../data/database.ts';
import { noteReleasedFile } from '../data/files.ts';
import { renumberPositions, writeOrderKeys } from '../data/image-writes.ts';
import { raiseImagesVersions } from '../data/products.ts';
import { change } from '../gallery/change.ts';
import type { GalleryLimits } from '../gallery/limits.ts';
import type { SourceInput } from '../gallery/source.ts';
import { holdStored } from '../gallery/stored-files.ts';
import type { Batch } from './batches.ts';
import { checkEntry, isUrl, type Wanted } from './check-entry.ts';
import { BatchPlan, type Plan, type Refusal } from './plan-batch.ts';
import type { RefusalReport } from './refusal-report.ts';

/** Takes in a file of the import directory; what cannot be taken is told, never thrown. */
export type TakePath = (path: string) => Promise<SourceInput>;

export interface WriteOptions {
  db: Database;
  limits: GalleryLimits;
  takePath: TakePath;
  report: RefusalReport;
  fileKey: string;
}

const lockTimeoutMs = 30_000;
const takenAtOnce = 4;

/** A batch whose lines are checked: what can be known of them without the database. */
export interface CheckedBatch extends Pick<Batch, 'next' | 'carry'> {
  wanted: Wanted[];
  refused: Refusal[];
}

export async function checkBatch(
  batch: Batch,
  { takePath, limits }: Pick<WriteOptions, 'takePath' | 'limits'>,
): Promise<CheckedBatch> {
  const taken = await takePaths(batch, takePath);
  return { next: batch.next, carry: batch.carry, ...checkLines(batch, taken, limits) };
}

/**
 * Writes a batch and how far the file has come in one transaction, so that a killed import repeats and leaves out
 * nothing. Answers the progress.
 */
export async function writeBatch(
  { next, carry, wanted, refused }: CheckedBatch,
  progress: BulkProgress,
  { db, limits, report, fileKey }: WriteOptions,
): Promise<BulkProgress> {
  return change(db, false, async transaction => {
    await beginBulk(transaction, lockTimeoutMs);
    const plan = await addImages(transaction, wanted, limits);
    const all = [...refused, ...plan.refused].sort((one, other) => one.line - other.line);
    const advanced: BulkProgress = {
      ...next,
      added: progress.added + plan.added.length,
      alreadyThere: progress.alreadyThere + plan.alreadyThere,
      refused: progress.refused + all.length,
      reportBytes: await report.append(all, progress.reportBytes),
      carry,
    };
    const isOurs = await advanceBulkProgress(transaction, fileKey, progress, advanced);
    if (!isOurs) throw new Error('Another process imports this file too; this one stops');
    return advanced;
  });
}

async function takePaths({ lines }: Batch, takePath: TakePath): Promise<Map<string, SourceInput>> {
  const sources = lines.flatMap(({ entries }) => entries.map(({ source }) => source));
  const waiting = [...new Set(sources.filter(source => source !== '' && !isUrl(source)))];
  const taken = new Map<string, SourceInput>();
  const take = async () => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      taken.set(path, await takePath(path));
    }
  };
  await Promise.all(Array.from({ length: takenAtOnce }, take));
  return taken;
}

function checkLines(
  { lines }: Batch,
  taken: ReadonlyMap<string, SourceInput>,
  limits: GalleryLimits,
): { wanted: Wanted[]; refused: Refusal[] } {
  const wanted: Wanted[] = [];
  const refused: Refusal[] = [];
  for (const { line, raw, entries, problems } of lines) {
    if (problems.length > 0) refused.push({ line, raw, problems });
    for (const entry of entries) {
      const checked = checkEntry(entry, { line, raw, taken: taken.get(entry.source) ?? null }, limits);
      if (checked.wanted) wanted.push(checked.wanted);
      else refused.push({ line, raw, problems: checked.problems });
    }
  }
  return { wanted, refused };
}

async function addImages(
  transaction: Transaction,
  wanted: readonly Wanted[],
  limits: GalleryLimits,
): Promise<Plan> {
  const productIds = [...new Set(wanted.map(({ productId }) => productId))];
  const known = await lockOrCreateManyProducts(transaction, productIds);
  const gathered = new BatchPlan(wanted);
  for await (const member of readBulkMembers(transaction, [...known])) gathered.addMember(member);
  const plan = gathered.decide(limits);
  await holdFiles(transaction, wanted, plan);
  await clearThumbnails(
    transaction,
    [...plan.thumbnailProductIds].filter(id => known.has(id)),
  );
  await writeOrderKeys(transaction, plan.rekeyed);
  await insertManyImages(transaction, plan.rows);
  await renumberPositions(transaction, [...plan.shiftedProductIds]);
  await raiseImagesVersions(transaction, [...new Set(plan.rows.map(row => row.productId))]);
  return plan;
}

/** Bytes that were taken in for nothing are let go of again. */
async function holdFiles(transaction: Transaction, wanted: readonly Wanted[], plan: Plan): Promise<void> {
  const stored = wanted.flatMap(image => image.stored ?? []);
  if (stored.length === 0) return;
  await holdStored(transaction, stored);
  const used = new Set(plan.added.map(({ values }) => values.fileHash));
  for (const hash of new Set(stored.map(({ file }) => file.hash))) {
    if (!used.has(hash)) await noteReleasedFile(transaction, hash);
  }
}

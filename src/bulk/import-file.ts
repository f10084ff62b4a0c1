import type { BulkProgress } from '../data/bulk-progress.ts';
import { findBulkProgress, removeBulkProgress } from '../data/bulk-progress.ts';
import type { Database } from '../data/database.ts';
import type { GalleryLimits } from '../gallery/limits.ts';
import { readBatches } from './batches.ts';
import { type BulkFile, inspectBulkFile } from './bulk-file.ts';
import type { LayoutOptions } from './entry.ts';
import { openProgressDisplay, type Terminal } from './progress-display.ts';
import { openRefusalReport } from './refusal-report.ts';
import { checkBatch, type TakePath, writeBatch } from './write-batch.ts';

export interface ImportFileOptions extends LayoutOptions {
  db: Database;
  limits: GalleryLimits;
  takePath: TakePath;
  path: string;
  /** Where refused lines are told. What is there from earlier goes, unless it is this file's. */
  reportPath: string;
  /** Forgets how far an import of the file that broke off had come. */
  restart: boolean;
  /** Where people are told how it goes, usually standard error. */
  terminal: Terminal;
  /** Ends after the batch under way; the same call goes on from there. */
  stop: AbortSignal;
  batchSize?: number;
}

/** What became of a file, earlier runs that broke off included. */
export interface ImportSummary {
  added: number;
  alreadyThere: number;
  refused: number;
  /** False where it was stopped. */
  isDone: boolean;
}

/** Fewer cost more each; more hold the locks of their products for longer than a request waits. */
const defaultBatchSize = 4_000;

/**
 * Adds the images of a CSV or NDJSON file to their products; bytes are fetched later, in the background. Memory does
 * not grow with the file. An import that broke off, even by kill -9, goes on where it stopped when called again; one
 * that is through begins anew and finds all its images there.
 */
export async function importFile(options: ImportFileOptions): Promise<ImportSummary> {
  const { db, terminal, stop, reportPath, batchSize = defaultBatchSize } = options;
  const file = await inspectBulkFile(options.path, options);
  if (options.restart) await removeBulkProgress(db, file.key);
  let progress = (await findBulkProgress(db, file.key)) ?? notBegun;
  const report = await openRefusalReport(reportPath, progress.reportBytes);
  announce(file, progress, terminal);
  using display = openProgressDisplay(terminal, file.byteSize, progress);
  const tellIgnored = (key: string) =>
    display.say(`The key ${JSON.stringify(key)} says nothing that is imported`);
  const writeOptions = { ...options, report, fileKey: file.key };
  // While the database writes one batch, the next one is read and checked.
  let writing = Promise.resolve(progress);
  const batches = readBatches(file, progress, progress.carry, { batchSize, tellIgnored });
  for await (const batch of batches) {
    const checked = await checkBatch(batch, writeOptions);
    progress = await writing;
    display.show(progress);
    if (stop.aborted) return { ...countsOf(progress), isDone: false };
    writing = writeBatch(checked, progress, writeOptions);
    // It is awaited with the next batch; reading that may fail first.
    writing.catch(() => {});
  }
  progress = await writing;
  display.show(progress);
  await removeBulkProgress(db, file.key);
  return { ...countsOf(progress), isDone: true };
}

const notBegun: BulkProgress = {
  byteOffset: 0,
  line: 1,
  added: 0,
  alreadyThere: 0,
  refused: 0,
  reportBytes: 0,
  carry: {},
};

function countsOf({ added, alreadyThere, refused }: BulkProgress) {
  return { added, alreadyThere, refused };
}

function announce({ csv }: BulkFile, { line, byteOffset }: BulkProgress, terminal: Terminal): void {
  if (csv && csv.layout.name !== 'own')
    terminal.write(`The columns are those of a ${csv.layout.name} export\n`);
  const ignored = csv?.layout.ignoredColumns ?? [];
  if (ignored.length > 0)
    terminal.write(`Columns that say nothing that is imported: ${ignored.join(', ')}\n`);
  if (byteOffset > 0) terminal.write(`Going on at line ${line}, where the import stopped\n`);
}

/** The summary in a sentence or two. */
export function formatSummary(summary: ImportSummary, reportPath: string): string {
  const { added, alreadyThere, refused, isDone } = summary;
  const number = (count: number) => count.toLocaleString('en');
  const parts = [`added ${number(added)} images`, `${number(alreadyThere)} were there already`];
  const told = refused > 0 ? `, ${number(refused)} were refused; see ${reportPath}` : '';
  const text = `${isDone ? 'Done' : 'Stopped'}: ${parts.join(', ')}${told}`;
  return isDone ? text : `${text}\nThe same command goes on from here`;
}

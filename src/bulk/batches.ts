import type { BulkFile, BulkLine, Position } from './bulk-file.ts';
import { isUrl } from './check-entry.ts';
import { readCsvLines } from './csv-lines.ts';
import type { Carry } from './entry.ts';
import { readNdjsonLines } from './ndjson-lines.ts';

/** Lines that are written together. */
export interface Batch {
  lines: BulkLine[];
  /** Where the next batch begins. */
  next: Position;
  carry: Carry;
}

export interface BatchOptions {
  /** Images in a batch, about: those of one product that stand together stay together. */
  batchSize: number;
  tellIgnored(column: string): void;
}

/** The bytes of what comes from the import directory are in memory until their batch is written. */
const maxPathsInBatch = 16;

/**
 * Parts a file into batches. Where they part depends on the file and the position alone. Products that stand together
 * are parted only when they are far longer than a batch.
 */
export async function* readBatches(
  file: BulkFile,
  from: Position,
  carried: Carry,
  { batchSize, tellIgnored }: BatchOptions,
): AsyncGenerator<Batch> {
  const carry = { ...carried };
  let carryBefore = { ...carry };
  let next = from;
  let batch = newFilling();
  const take = (): Batch => {
    const { lines } = batch;
    batch = newFilling();
    return { lines, next, carry: carryBefore };
  };
  const lines = file.csv ? readCsvLines(file, from, carry) : readNdjsonLines(file, from, tellIgnored);
  for await (const line of lines) {
    if (isFull(batch, line, batchSize)) yield take();
    addLine(batch, line);
    next = line.next;
    carryBefore = { ...carry };
  }
  if (batch.lines.length > 0) yield take();
}

interface Filling {
  lines: BulkLine[];
  images: number;
  paths: number;
  lastProductId: string | undefined;
}

function newFilling(): Filling {
  return { lines: [], images: 0, paths: 0, lastProductId: undefined };
}

function addLine(filling: Filling, line: BulkLine): void {
  filling.lines.push(line);
  filling.images += line.entries.length;
  filling.paths += line.entries.filter(({ source }) => !isUrl(source)).length;
  filling.lastProductId = line.entries.at(-1)?.productId ?? filling.lastProductId;
}

function isFull(
  { lines, images, paths, lastProductId }: Filling,
  next: BulkLine,
  batchSize: number,
): boolean {
  if (paths >= maxPathsInBatch || lines.length >= 10 * batchSize) return true;
  const isSameProduct = next.entries[0]?.productId === lastProductId;
  return images >= (isSameProduct ? 2 * batchSize : batchSize);
}

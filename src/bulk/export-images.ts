import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify/sync';
import { type ExportRow, findAltTextLocales, readAllImages, withSnapshot } from '../data/bulk-export.ts';
import type { Database } from '../data/database.ts';

export type ExportFormat = 'csv' | 'ndjson';

export interface ExportOptions {
  db: Database;
  format: ExportFormat;
  output: Writable;
  /** Where the service has the bytes of an image that came as an upload. */
  addressOf(hash: string, mimeType: string): string;
  /** Ends after the page under way. */
  stop: AbortSignal;
}

export interface ExportSummary {
  exported: number;
  /** False where it was stopped, so that others are missing. */
  isDone: boolean;
}

const pageSize = 2_000;

/**
 * Writes every live image, by product and in order, in the form that `importFile` reads. All of it shows the
 * store as it was at one moment. Memory does not grow with the store. `output` stays open.
 */
export async function exportImages(options: ExportOptions): Promise<ExportSummary> {
  const { db, output, stop } = options;
  return withSnapshot(db, async snapshot => {
    const summary = { exported: 0, isDone: false };
    const locales = options.format === 'csv' ? await findAltTextLocales(snapshot) : [];
    const formatPage =
      options.format === 'csv' ? createCsvFormat(options, locales) : createNdjsonFormat(options);
    async function* write() {
      yield formatPage.head;
      for await (const rows of readAllImages(snapshot, pageSize)) {
        if (stop.aborted) return;
        summary.exported += rows.length;
        yield formatPage.rows(rows);
      }
      summary.isDone = true;
    }
    await pipeline(Readable.from(write()), output, { end: false });
    return summary;
  });
}

interface PageFormat {
  head: string;
  rows(rows: readonly ExportRow[]): string;
}

function createCsvFormat({ addressOf }: ExportOptions, locales: readonly string[]): PageFormat {
  const headers = [
    ...['id', 'product_id', 'source', 'type', 'position', 'is_thumbnail', 'alt_text'],
    ...locales.map(locale => `alt_text_${locale}`),
    ...['description', 'focal_x', 'focal_y'],
  ];
  const toCells = (row: ExportRow) => [
    ...[row.id, row.productId, sourceOf(row, addressOf), row.type, row.position],
    ...[row.isThumbnail ? 'true' : 'false', row.altText],
    ...locales.map(locale => row.altTexts?.[locale]),
    ...[row.description, row.focalX, row.focalY],
  ];
  // RFC 4180 ends lines with both.
  const format = (rows: readonly unknown[][]) => stringify([...rows], { record_delimiter: '\r\n' });
  return { head: format([headers]), rows: rows => format(rows.map(toCells)) };
}

function createNdjsonFormat({ addressOf }: ExportOptions): PageFormat {
  const toObject = (row: ExportRow) => ({
    id: row.id,
    productId: row.productId,
    source: sourceOf(row, addressOf),
    type: row.type,
    position: row.position,
    isThumbnail: row.isThumbnail,
    altText: row.altText ?? undefined,
    altTexts: row.altTexts ?? undefined,
    description: row.description ?? undefined,
    focalPoint: row.focalX === null ? undefined : { x: row.focalX, y: row.focalY },
  });
  return { head: '', rows: rows => rows.map(row => `${JSON.stringify(toObject(row))}\n`).join('') };
}

/** Where another store can get the image: where it came from, or else from this one. */
function sourceOf(row: ExportRow, addressOf: ExportOptions['addressOf']): string {
  if (row.sourceUrl) return row.sourceUrl;
  if (row.sourcePath) return row.sourcePath;
  return row.fileHash && row.mimeType ? addressOf(row.fileHash, row.mimeType) : '';
}

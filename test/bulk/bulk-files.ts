import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type ExportFormat, exportImages } from '../../src/bulk/export-images.ts';
import { type ImportFileOptions, type ImportSummary, importFile } from '../../src/bulk/import-file.ts';
import type { TestService } from '../support/service.ts';
import { testLimits } from './test-limits.ts';

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-bulk-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A file of its own, which goes with the test. */
export async function writeBulkFile(text: string | Buffer, name = 'images.csv'): Promise<string> {
  const path = join(await makeFolder(), name);
  await writeFile(path, text);
  return path;
}

interface Refused {
  line: number;
  problems: { code: string; field: string; message: string }[];
  raw: string;
}

export interface Imported extends ImportSummary {
  report: Refused[];
  /** What people were told. */
  told: string;
}

/** Imports a file as a terminal that is none shows it. */
export async function importPath(
  service: TestService,
  path: string,
  options: Partial<ImportFileOptions> = {},
): Promise<Imported> {
  let told = '';
  const reportPath = `${path}.refused.ndjson`;
  const summary = await importFile({
    db: service.db,
    limits: testLimits,
    takePath: async taken => ({
      problem: { code: 'SOURCE_NOT_FOUND', path: ['path'], message: `no file has the path ${taken}` },
    }),
    path,
    reportPath,
    restart: false,
    productIdColumn: null,
    productIds: null,
    stop: new AbortController().signal,
    ...options,
    terminal: {
      write: text => {
        told += text;
      },
    },
  });
  return { ...summary, report: await readReport(reportPath), told };
}

export async function importText(
  service: TestService,
  text: string,
  options: Partial<ImportFileOptions> & { name?: string } = {},
): Promise<Imported> {
  return importPath(service, await writeBulkFile(text, options.name), options);
}

export async function readReport(path: string): Promise<Refused[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
}

/** Everything that a service exports, as one text. */
export async function exportText(service: TestService, format: ExportFormat): Promise<string> {
  const chunks: string[] = [];
  const output = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  await exportImages({
    db: service.db,
    format,
    output,
    addressOf: (hash, mimeType) => `https://shop.example/${hash}?${mimeType}`,
    stop: new AbortController().signal,
  });
  return chunks.join('');
}

/** What is wrong with the sets of a store: nothing, unless an import broke a rule. */
export async function findBrokenSets(service: TestService): Promise<object[]> {
  return service.db.execute<Record<string, unknown>>(`
    select product_id, image_group, array_agg(position order by order_key) as positions
    from images where deleted_at is null group by 1, 2
    having max(position) <> count(*) - 1 or count(distinct position) <> count(*)
      or array_agg(position order by order_key) <> array_agg(position order by position)`);
}

/** Each live image as `product/name`, in order. */
export async function listImages(service: TestService, where = 'true'): Promise<string[]> {
  const rows = await service.db.execute<{ shown: string }>(
    `select product_id || '/' || name as shown from images where deleted_at is null and ${where}
     order by product_id, image_group, order_key`,
  );
  return rows.map(row => row.shown);
}

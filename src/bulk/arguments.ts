import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { normalizeHeader } from './entry.ts';
import type { ExportFormat } from './export-images.ts';
import type { ImportFileOptions } from './import-file.ts';

export const importUsage = `npm run import -- FILE [options]

  --report FILE               where refused lines are told; else FILE.refused.ndjson
  --product-ids FILE          for a Shopify export: a CSV with the columns handle and product_id
  --product-id-column NAME    the column that holds the product ids
  --restart                   begin anew where an import of the file broke off
`;

export const exportUsage = `npm run export -- [options]

  --format csv|ndjson         else by the name of the output file, else csv
  --output FILE               else standard output (npm run --silent export > FILE)
`;

type ImportArguments = Pick<
  ImportFileOptions,
  'path' | 'reportPath' | 'restart' | 'productIdColumn' | 'productIds'
>;

/** Throws with the usage where the arguments are none of it. */
export async function parseImportArguments(args: readonly string[]): Promise<ImportArguments> {
  const { values, positionals } = orUsage(importUsage, () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        report: { type: 'string' },
        'product-ids': { type: 'string' },
        'product-id-column': { type: 'string' },
        restart: { type: 'boolean', default: false },
      },
    }),
  );
  const [path, surplus] = positionals;
  if (!path || surplus)
    throw new Error(`${path ? 'One FILE at a time' : 'A FILE is needed'}\n\n${importUsage}`);
  const list = values['product-ids'];
  return {
    path,
    reportPath: values.report ?? `${path}.refused.ndjson`,
    restart: values.restart,
    productIdColumn: values['product-id-column'] ?? null,
    productIds: list ? await readProductIds(list) : null,
  };
}

/** Product ids by handle; all of them are held in memory. */
async function readProductIds(path: string): Promise<Map<string, string>> {
  const rows: string[][] = parse(await readFile(path), { bom: true, delimiter: [',', ';', '\t'] });
  const headers = (rows[0] ?? []).map(normalizeHeader);
  const handle = headers.findIndex(header => header === 'handle' || header === 'urlhandle');
  const productId = headers.findIndex(header => header === 'productid' || header === 'id');
  if (handle < 0 || productId < 0) throw new Error(`${path} needs the columns handle and product_id`);
  return new Map(rows.slice(1).map(row => [(row[handle] ?? '').trim(), (row[productId] ?? '').trim()]));
}

/** `outputPath` is null for standard output. */
export function parseExportArguments(args: readonly string[]): {
  format: ExportFormat;
  outputPath: string | null;
} {
  const { values } = orUsage(exportUsage, () =>
    parseArgs({ args: [...args], options: { format: { type: 'string' }, output: { type: 'string' } } }),
  );
  const byName = /\.(ndjson|jsonl)$/i.test(values.output ?? '') ? 'ndjson' : 'csv';
  const format = values.format ?? byName;
  if (format !== 'csv' && format !== 'ndjson') {
    throw new Error(`--format is ${JSON.stringify(format)}; it must be csv or ndjson`);
  }
  return { format, outputPath: values.output ?? null };
}

function orUsage<Parsed>(usage: string, parseAll: () => Parsed): Parsed {
  try {
    return parseAll();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

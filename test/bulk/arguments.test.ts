import { describe, expect, test } from 'vitest';
import { parseExportArguments, parseImportArguments } from '../../src/bulk/arguments.ts';
import { writeBulkFile } from './bulk-files.ts';

describe('import', () => {
  test('takes a file, whose refused lines are told beside it', async () => {
    expect(await parseImportArguments(['shop/images.csv'])).toEqual({
      path: 'shop/images.csv',
      reportPath: 'shop/images.csv.refused.ndjson',
      restart: false,
      productIdColumn: null,
      productIds: null,
    });
  });

  test('takes options, and a list of product ids by handle', async () => {
    const list = await writeBulkFile('\uFEFFHandle;Product ID\nmug;7\n"hat";8\n', 'ids.csv');
    const args = [
      'a.csv',
      '--report',
      'b',
      '--restart',
      '--product-id-column',
      'Shop ID',
      '--product-ids',
      list,
    ];
    expect(await parseImportArguments(args)).toEqual({
      path: 'a.csv',
      reportPath: 'b',
      restart: true,
      productIdColumn: 'Shop ID',
      productIds: new Map([
        ['mug', '7'],
        ['hat', '8'],
      ]),
    });
  });

  test.each([
    [[], 'A FILE is needed'],
    [['a', 'b'], 'One FILE at a time'],
    [['a', '--fast'], "Unknown option '--fast'"],
  ])('given %j tells what is wrong, and how it is used', async (args, reason) => {
    await expect(parseImportArguments(args)).rejects.toThrow(reason);
    await expect(parseImportArguments(args)).rejects.toThrow('npm run import -- FILE');
  });
});

describe('export', () => {
  test.each([
    [[], { format: 'csv', outputPath: null }],
    [['--output', 'all.ndjson'], { format: 'ndjson', outputPath: 'all.ndjson' }],
    [['--output', 'all.txt', '--format', 'ndjson'], { format: 'ndjson', outputPath: 'all.txt' }],
  ])('given %j knows its format and where it goes', (args, expected) => {
    expect(parseExportArguments(args)).toEqual(expected);
  });

  test('refuses a format that it does not know', () => {
    expect(() => parseExportArguments(['--format', 'xlsx'])).toThrow(
      '--format is "xlsx"; it must be csv or ndjson',
    );
  });
});

import { describe, expect, test } from 'vitest';
import { type BulkLine, inspectBulkFile } from '../../src/bulk/bulk-file.ts';
import { readCsvLines } from '../../src/bulk/csv-lines.ts';
import { readNdjsonLines } from '../../src/bulk/ndjson-lines.ts';
import { writeBulkFile } from './bulk-files.ts';

const plain = { productIdColumn: null, productIds: null };

async function read(text: string | Buffer, name?: string): Promise<BulkLine[]> {
  const file = await inspectBulkFile(await writeBulkFile(text, name), plain);
  const start = { byteOffset: 0, line: 1 };
  return Array.fromAsync(file.csv ? readCsvLines(file, start, {}) : readNdjsonLines(file, start, () => {}));
}

const show = (lines: BulkLine[]) =>
  lines.map(({ line, entries, problems }) =>
    problems.length > 0
      ? `${line} ${problems[0]?.message}`
      : `${line} ${entries[0]?.productId} ${entries[0]?.source} ${entries[0]?.altText}`,
  );

const rows = (delimiter: string, end: string) =>
  [
    ['product_id', 'source', 'alt_text'],
    ['1', 'a', '"é, ; ""x"""'],
    ['2', 'b', `"two${end}lines"`],
    ['3', 'c', ''],
  ]
    .map(values => values.join(delimiter) + end)
    .join('');

describe('a CSV file', () => {
  test.each([
    ['commas', ',', '\n'],
    ['semicolons', ';', '\r\n'],
    ['tabs', '\t', '\r\n'],
  ])('with %s is read, quotes and line breaks within them kept', async (_, delimiter, end) => {
    expect(show(await read(rows(delimiter, end)))).toEqual([
      '2 1 a é, ; "x"',
      `3 2 b two${end}lines`,
      '5 3 c null',
    ]);
  });

  test('may begin with a byte order mark, and end without a line break', async () => {
    expect(show(await read('\uFEFFproduct_id,source,alt_text\n1,a,x\n\n2,b,y'))).toEqual([
      '2 1 a x',
      '4 2 b y',
    ]);
  });

  test('goes on at the end of any of its lines', async () => {
    const text = `${rows(',', '\r\n')}"4",d,"z"\r\n\r\n5,e,"q"\r\n`;
    const file = await inspectBulkFile(await writeBulkFile(text), plain);
    const all = await Array.fromAsync(readCsvLines(file, { byteOffset: 0, line: 1 }, {}));
    for (const [index, { next }] of all.entries()) {
      const rest = await Array.fromAsync(readCsvLines(file, next, {}));
      expect(show(rest)).toEqual(show(all.slice(index + 1)));
    }
    expect(all.at(-1)?.next.byteOffset).toBe(Buffer.byteLength(text));
  });

  test('loses no other line to one that is no CSV', async () => {
    const text =
      'product_id,source,alt_text\n1,a,x\n2,b,mid"dle"\n3,c,"open\n4,d,y\n5,e,"x" z\n6,f\n7,g,h,i\n8,j,z\n';
    const lines = await read(text);
    expect(show(lines)).toEqual([
      '2 1 a x',
      expect.stringMatching(/^3 line has a quote in the middle of a value/),
      expect.stringMatching(/^4 line has a quote/),
      '5 4 d y',
      expect.stringMatching(/^6 line has a quote in the middle/),
      '7 line has 2 values; the file has 3 columns',
      '8 line has 4 values; the file has 3 columns',
      '9 8 j z',
    ]);
    expect(lines.map(({ raw }) => raw)).toEqual(text.trimEnd().split('\n').slice(1));
  });

  test.each(['\n', '\r\n', '\r'])(
    'loses nothing to lines that are too long, and takes nothing of them for another (%j)',
    async end => {
      const inside = '6,p.jpg,never a line of the file';
      const long = (length: number) => `12,p,${'x'.repeat(length - 5 - inside.length)}${inside}`;
      for (const length of [1_000_100, 1_000_000 + 131_072, 1_000_000 + 131_071, 4_000_000]) {
        const text = ['product_id,source,alt_text', '1,a,x', long(length), '2,b,y', long(length), ''];
        const lines = await read(text.join(end));
        expect(show(lines)).toEqual([
          '2 1 a x',
          '3 line has more than 1000000 bytes',
          '4 2 b y',
          '5 line has more than 1000000 bytes',
        ]);
        expect(lines.at(-1)?.next).toEqual({ byteOffset: text.join(end).length, line: 6 });
      }
    },
  );

  test('tells lines that are not UTF-8', async () => {
    const text = Buffer.concat([
      Buffer.from(`product_id,source,alt_text\n${'1,a,x\n'.repeat(200_000)}2,b,`),
      Buffer.from([0xfc, 10]),
      Buffer.from('3,c,z\n'),
    ]);
    const [broken, last] = (await read(text)).slice(-2);
    expect(show([broken, last].flatMap(line => line ?? []))).toEqual([
      '200002 line holds bytes that are not UTF-8; save the file as UTF-8',
      '200003 3 c z',
    ]);
  });

  test.each([
    ['in another encoding', Buffer.from([0xff, 0xfe, 0x61, 0]), /is not UTF-8 text/],
    ['without anything', '', /The file is empty/],
    [
      'without the needed columns',
      'a,b\n1,2\n',
      /The columns are "a", "b"; product_id and source are needed/,
    ],
    ['with a column twice', 'product_id,source,Source\n', /The column "Source" stands twice/],
  ])('%s is refused as a whole', async (_, text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
  });
});

describe('an NDJSON file', () => {
  const lines = [
    '{"productId": "9007199254740993", "source": "a", "altText": "x"}',
    '',
    '{"product_id": 2, "image_file": "b", "sort_order": 3, "is_thumbnail": true}',
    '{"productId": 9007199254740993, "source": "c"}',
    '[1]',
    '{"productId": "3", "source": "d", "altTexts": [{"locale": "de", "text": "t"}], "alt_text_fr": "u"}',
  ];

  test.each(['images.ndjson', 'images.txt'])('named %s is read line by line', async name => {
    const found = await read(lines.join('\n'), name);
    expect(found.map(({ line }) => line)).toEqual([1, 3, 4, 5, 6]);
    expect(found[1]?.entries[0]).toMatchObject({
      productId: '2',
      source: 'b',
      position: '3',
      isThumbnail: 'true',
    });
    expect(found[2]?.entries[0]?.problems[0]?.message).toMatch(/beyond 2\^53/);
    expect(found[3]?.problems[0]?.message).toMatch(/^line is no JSON object/);
    expect(found[4]?.entries[0]?.altTexts).toEqual([
      { locale: 'de', text: 't' },
      { locale: 'fr', text: 'u' },
    ]);
  });

  test('goes on at the end of any of its lines', async () => {
    const file = await inspectBulkFile(await writeBulkFile(lines.join('\r\n'), 'a.ndjson'), plain);
    const all = await Array.fromAsync(readNdjsonLines(file, { byteOffset: 0, line: 1 }, () => {}));
    for (const [index, { next }] of all.entries()) {
      const rest = await Array.fromAsync(readNdjsonLines(file, next, () => {}));
      expect(rest).toEqual(all.slice(index + 1));
    }
  });

  test('refuses a line that is longer than any can be, without keeping it', async () => {
    const found = await read(
      `{"a": "${'x'.repeat(3_000_000)}"}\n{"productId": "1", "source": "b"}\n`,
      'a.ndjson',
    );
    expect(show(found)).toEqual(['1 line has more than 1000000 bytes', '2 1 b null']);
    expect(found[0]?.raw.length).toBeLessThan(1_200_000);
  });
});

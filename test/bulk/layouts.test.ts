import { describe, expect, test } from 'vitest';
import type { LayoutOptions } from '../../src/bulk/entry.ts';
import { chooseLayout } from '../../src/bulk/layouts.ts';

const plain: LayoutOptions = { productIdColumn: null, productIds: null };

/** Each image that the rows tell of: product, source, and what is said of it besides. */
function read(headers: string[], rows: string[][], options = plain) {
  const layout = chooseLayout(headers, options);
  const carry = {};
  return rows.flatMap(row =>
    layout
      .readEntries(row, carry)
      .map(({ productId, source, position, isThumbnail, description, altText }) =>
        [productId, source, position, isThumbnail, description ?? altText].join('|'),
      ),
  );
}

describe('BigCommerce', () => {
  test('numbered columns are one image each, an address before a file', () => {
    const parts = ['ID', 'File', 'URL', 'Description', 'Is Thumbnail', 'Sort'];
    const headers = [
      'Item Type',
      'Product ID',
      ...[1, 2].flatMap(n => parts.map(part => `Product Image ${part} - ${n}`)),
    ];
    const rows = [
      [
        'Product',
        '7',
        '91',
        'd/4/a.jpg',
        'https://x/a.jpg',
        'front',
        'Y',
        '0',
        '92',
        'd/4/b.jpg',
        '',
        '',
        'N',
        '1',
      ],
      ['SKU', '7', ...Array(12).fill('')],
    ];
    expect(read(headers, rows)).toEqual(['7|https://x/a.jpg|0|Y|front', '7|d/4/b.jpg|1|N|']);
    expect(chooseLayout(headers, plain).ignoredColumns).toEqual(['Item Type']);
  });

  test('columns without numbers are one image a line', () => {
    const headers = ['Product ID', 'Product Image File', 'Product Image Sort'];
    expect(read(headers, [['7', 'a.jpg', '2']])).toEqual(['7|a.jpg|2||']);
  });

  test('lines of images belong to the product above them', () => {
    const headers = [
      'Item',
      'ID',
      'Internal Image URL (Export)',
      'Image URL (Import)',
      'Image Description',
      'Image is Thumbnail',
      'Image Sort Order',
    ];
    const rows = [
      ['Product', '7', '', '', '', '', ''],
      ['Image', '91', 'https://x/a.jpg', '', 'front', 'TRUE', '0'],
      ['Variant', '55', '', '', '', '', ''],
      ['Image', '92', '', 'https://x/b.jpg', '', 'FALSE', '1'],
      ['Product', '8', '', '', '', '', ''],
      ['Image', '93', 'https://x/c.jpg', '', '', '', '0'],
    ];
    expect(read(headers, rows)).toEqual([
      '7|https://x/a.jpg|0|TRUE|front',
      '7|https://x/b.jpg|1|FALSE|',
      '8|https://x/c.jpg|0||',
    ]);
  });

  test("the API's names are known too", () => {
    const headers = [
      'id',
      'product_id',
      'image_file',
      'is_thumbnail',
      'sort_order',
      'description',
      'date_created',
    ];
    expect(read(headers, [['247', '32', 'a.jpg', 'true', '1', 'front', 'x']])).toEqual([
      '32|a.jpg|1|true|front',
    ]);
    expect(chooseLayout(headers, plain).ignoredColumns).toEqual(['date_created']);
  });
});

describe('Shopify', () => {
  const headers = ['Handle', 'Title', 'Image Src', 'Image Position', 'Image Alt Text', 'Variant Image'];
  const rows = [
    ['mug', 'Mug', 'https://x/a.jpg', '1', 'front', 'https://x/b.jpg'],
    ['mug', '', 'https://x/b.jpg', '2', '', ''],
    ['mug', '', '', '', '', ''],
    ['hat', 'Hat', 'https://x/c.jpg', '1', '', ''],
  ];

  test('products come from a list of handles, and one that is not in it is told', () => {
    const options = { ...plain, productIds: new Map([['mug', '7']]) };
    expect(read(headers, rows, options)).toEqual([
      '7|https://x/a.jpg|1||front',
      '7|https://x/b.jpg|2||',
      '|https://x/c.jpg|1||',
    ]);
    const [entry] = chooseLayout(headers, options).readEntries(rows[3] ?? [], {});
    expect(entry?.problems[0]).toMatchObject({
      code: 'PRODUCT_NOT_FOUND',
      message: expect.stringContaining('"hat"'),
    });
  });

  test('or from a column, which only the first line of a product need fill', () => {
    const ids = ['7', '', '', '8'];
    const withIds = rows.map((row, index) => [...row, ids[index] ?? '']);
    const options = { ...plain, productIdColumn: 'Shop id' };
    expect(read([...headers, 'Shop ID'], withIds, options).map(line => line.split('|')[0])).toEqual([
      '7',
      '7',
      '8',
    ]);
  });

  test('without either, how to give them is told', () => {
    expect(() => chooseLayout(headers, plain)).toThrow('--product-ids');
  });

  test('its newer column names are known', () => {
    const names = ['URL handle', 'Product image URL', 'Image position', 'Image alt text'];
    const options = { ...plain, productIds: new Map([['mug', '7']]) };
    expect(read(names, [['mug', 'https://x/a.jpg', '1', 'front']], options)).toEqual([
      '7|https://x/a.jpg|1||front',
    ]);
  });
});

describe('WooCommerce', () => {
  const headers = ['ID', 'Type', 'Name', 'Images', 'Parent'];

  test('a cell holds the images of a product, the main one first', () => {
    const rows = [
      ['7', 'variable', 'Mug', 'https://x/a.jpg, https://x/b\\,c.jpg', ''],
      ['8', 'variation', 'Mug, blue', 'https://x/d.jpg', 'id:7'],
      ['9', 'simple', 'Hat', '', ''],
    ];
    expect(read(headers, rows)).toEqual([
      '7|https://x/a.jpg||1|',
      '7|https://x/b,c.jpg|||',
      '8|https://x/d.jpg||1|',
    ]);
  });

  test('columns that say nothing of images are told', () => {
    expect(chooseLayout(headers, plain).ignoredColumns).toEqual(['Type', 'Name', 'Parent']);
  });
});

test('a column that is named and not there is told, with those that are', () => {
  expect(() => chooseLayout(['ID', 'Images'], { ...plain, productIdColumn: 'Shop ID' })).toThrow(
    'The file has no column "Shop ID"; it has "ID", "Images"',
  );
});

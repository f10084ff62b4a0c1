import { type Columns, type Layout, type LayoutOptions, newEntry } from './entry.ts';

export function isWooCommerce(columns: Columns): boolean {
  return columns.has('id') && columns.has('images') && !columns.has('product_id');
}

/** One product or variation a line, its images in one cell, the main one first. */
export function createWooCommerceLayout(columns: Columns, { productIdColumn }: LayoutOptions): Layout {
  const productId = columns.take(productIdColumn ?? 'id');
  const images = columns.take('images');
  return {
    name: 'WooCommerce',
    ignoredColumns: columns.unused,
    readEntries: values =>
      splitImages(images(values)).map((source, index) => ({
        ...newEntry(productId(values).trim(), source),
        isThumbnail: index === 0 ? '1' : '',
      })),
  };
}

/** Parted by commas; one that belongs to an address has a backslash before it. */
function splitImages(cell: string): string[] {
  const parts = cell.split(/(?<!\\),/);
  return parts.map(part => part.replaceAll('\\,', ',').trim()).filter(part => part !== '');
}

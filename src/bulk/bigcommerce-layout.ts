import { type Columns, type Entry, type Layout, type LayoutOptions, newEntry } from './entry.ts';

/** One product a line, its images in numbered columns: what the older export of BigCommerce writes. */
export function isBigCommerceProducts(columns: Columns): boolean {
  return columns.headers.some(header => imageColumn.test(header)) && columns.has('product id');
}

const imageColumn = /^product image (file|url|description|is thumbnail|sort|id)(?:\s*-\s*(\d+))?$/i;

export function createBigCommerceProductsLayout(
  columns: Columns,
  { productIdColumn }: LayoutOptions,
): Layout {
  const productId = columns.take(productIdColumn ?? 'product id');
  const slots = takeSlots(columns);
  return {
    name: 'BigCommerce',
    ignoredColumns: columns.unused,
    readEntries: values =>
      slots.flatMap(slot => {
        const source = (slot.url?.(values) || slot.file?.(values) || '').trim();
        if (source === '') return [];
        return [
          {
            ...newEntry(productId(values).trim(), source),
            description: slot.description?.(values) || null,
            position: slot.sort?.(values) ?? '',
            isThumbnail: slot['is thumbnail']?.(values) ?? '',
          },
        ];
      }),
  };
}

type Slot = Partial<Record<string, (values: readonly string[]) => string>>;

/** The columns of each image by its number; columns without a number are one image a line. */
function takeSlots(columns: Columns): Slot[] {
  const slots = new Map<number, Slot>();
  columns.headers.forEach((header, index) => {
    const [, part, number] = imageColumn.exec(header) ?? [];
    if (!part) return;
    const slot = slots.get(Number(number ?? 0)) ?? {};
    // Some exports name a column twice; the first counts.
    slots.set(Number(number ?? 0), { [part.toLowerCase()]: columns.takeAt(index), ...slot });
  });
  return [...slots].sort(([one], [other]) => one - other).map(([, slot]) => slot);
}

/** A line for each image below the line of its product: what the newer export of BigCommerce writes. */
export function isBigCommerceItems(columns: Columns): boolean {
  return columns.has('item') && columns.has('internal image url (export)', 'image url (import)');
}

export function createBigCommerceItemsLayout(columns: Columns, { productIdColumn }: LayoutOptions): Layout {
  const ownId = productIdColumn ? columns.take(productIdColumn) : () => '';
  const item = columns.take('item');
  const id = columns.take('id');
  const imported = columns.take('image url (import)');
  const exported = columns.take('internal image url (export)');
  const description = columns.take('image description');
  const isThumbnail = columns.take('image is thumbnail');
  const position = columns.take('image sort order');
  const readImage = (values: readonly string[], productId: string): Entry => ({
    ...newEntry(productId, (exported(values) || imported(values)).trim()),
    description: description(values) || null,
    position: position(values),
    isThumbnail: isThumbnail(values),
  });
  return {
    name: 'BigCommerce',
    ignoredColumns: columns.unused,
    readEntries(values, carry) {
      const kind = item(values).trim().toLowerCase();
      if (kind === 'product') carry.productId = id(values).trim();
      const productId = ownId(values).trim() || carry.productId || '';
      return kind === 'image' ? [readImage(values, productId)] : [];
    },
  };
}

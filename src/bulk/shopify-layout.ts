import {
  type Carry,
  type Columns,
  type Entry,
  type Layout,
  type LayoutOptions,
  newEntry,
  problemWith,
} from './entry.ts';

const handleNames = ['handle', 'url handle'];
const imageNames = ['image src', 'product image url'];

export function isShopify(columns: Columns): boolean {
  return columns.has(...handleNames) && columns.has(...imageNames);
}

/**
 * Shopify's export names products by handle, so that their ids come from a list of both, or from a column that
 * somebody added; in that column only the first line of a product need have it.
 */
export function createShopifyLayout(columns: Columns, options: LayoutOptions): Layout {
  const { productIdColumn, productIds } = options;
  if (!productIdColumn && !productIds) {
    throw new Error(
      'A Shopify export names products by handle, not by id; give --product-ids FILE, a CSV with the columns handle and product_id, or --product-id-column NAME',
    );
  }
  const handle = columns.take(...handleNames);
  const image = columns.take(...imageNames);
  const position = columns.take('image position');
  const altText = columns.take('image alt text');
  const ownId = productIdColumn ? columns.take(productIdColumn) : () => '';
  const findId = (values: readonly string[], carry: Carry) => {
    const name = handle(values).trim();
    const carried = carry.handle === name ? carry.productId : undefined;
    const productId = ownId(values).trim() || carried || productIds?.get(name) || '';
    Object.assign(carry, { handle: name, productId });
    return productId;
  };
  return {
    name: 'Shopify',
    // A variant's image is one of its product's, which has a line of its own.
    ignoredColumns: columns.unused,
    readEntries(values, carry) {
      const productId = findId(values, carry);
      const source = image(values).trim();
      if (source === '') return [];
      const entry: Entry = {
        ...newEntry(productId, source),
        altText: altText(values) || null,
        position: position(values),
        firstPosition: 1,
      };
      return [productId ? entry : { ...entry, problems: [unknownHandle(handle(values).trim(), options)] }];
    },
  };
}

function unknownHandle(handle: string, { productIdColumn }: LayoutOptions) {
  const right = productIdColumn
    ? `give its id in the column ${productIdColumn}`
    : 'add it to the list of product ids';
  return problemWith(
    'handle',
    'PRODUCT_NOT_FOUND',
    `handle is ${JSON.stringify(handle)}, whose product id is not known; ${right}`,
  );
}

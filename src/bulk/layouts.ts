import {
  createBigCommerceItemsLayout,
  createBigCommerceProductsLayout,
  isBigCommerceItems,
  isBigCommerceProducts,
} from './bigcommerce-layout.ts';
import { Columns, type Layout, type LayoutOptions, normalizeHeader } from './entry.ts';
import { createOwnLayout, sourceNames } from './own-layout.ts';
import { createShopifyLayout, isShopify } from './shopify-layout.ts';
import { createWooCommerceLayout, isWooCommerce } from './woocommerce-layout.ts';

/** Each system's columns; the first that recognizes the headers reads the file. */
const layouts: {
  recognizes(columns: Columns): boolean;
  create(columns: Columns, options: LayoutOptions): Layout;
}[] = [
  { recognizes: isBigCommerceItems, create: createBigCommerceItemsLayout },
  { recognizes: isBigCommerceProducts, create: createBigCommerceProductsLayout },
  { recognizes: isShopify, create: createShopifyLayout },
  { recognizes: isWooCommerce, create: createWooCommerceLayout },
  { recognizes: columns => columns.has(...sourceNames), create: createOwnLayout },
];

/** How to read a file with these headers. Throws where they say nothing of images or products. */
export function chooseLayout(headers: readonly string[], options: LayoutOptions): Layout {
  const columns = new Columns(headers);
  checkRepeated(columns);
  const { productIdColumn } = options;
  if (productIdColumn && !columns.has(productIdColumn)) {
    throw new Error(
      `The file has no column ${JSON.stringify(productIdColumn)}; it has ${listHeaders(columns)}`,
    );
  }
  const layout = layouts.find(candidate => candidate.recognizes(columns));
  const isKnown =
    layout && (layout.create !== createOwnLayout || productIdColumn || columns.has('product_id'));
  if (isKnown) return layout.create(columns, options);
  throw new Error(
    `The columns are ${listHeaders(columns)}; product_id and source are needed, or those of a BigCommerce, Shopify or WooCommerce export`,
  );
}

function listHeaders({ headers }: Columns): string {
  return headers.map(header => JSON.stringify(header)).join(', ');
}

const meaningful = /^(productid|source|type|alttext.*|description|position|isthumbnail)$/;

/** Of two columns with one name nobody can tell which is meant. Those that are not read may repeat. */
function checkRepeated({ headers }: Columns): void {
  const names = headers.map(normalizeHeader);
  const repeated = headers.find(
    (_, index) => meaningful.test(names[index] ?? '') && names.indexOf(names[index] ?? '') !== index,
  );
  if (repeated !== undefined) {
    throw new Error(`The column ${JSON.stringify(repeated)} stands twice; leave one`);
  }
}

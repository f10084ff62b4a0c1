import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Connection, Transaction } from './database.ts';
import { type ColumnSet, columnsOfSet } from './image-columns.ts';
import { findImagesOfProduct, type ImageRow } from './images.ts';
import { createProduct, newProduct, productColumns } from './products.ts';
import { statement, statementByShape } from './statement.ts';
import { images, type ProductRow, products } from './tables.ts';

// A change of one product's set is two round trips, whatever the number of images: one that reads, and locks where that
// is needed, and one that writes all (set-changes.ts), unless somebody else did meanwhile.

const lockedProduct = statement(db =>
  db
    .select(productColumns)
    .from(products)
    .where(eq(products.id, sql.placeholder('id')))
    .for('update')
    .prepare('locked_product'),
);

/**
 * Locks a product until the transaction ends, and reads its live set in order; the product is null where it is not there.
 * Both are sent at once: the second statement begins when the first has its lock, and sees what was committed by then.
 */
export async function lockSet(
  db: Transaction,
  productId: string,
  columns: ColumnSet,
): Promise<{ product: ProductRow | null; rows: ImageRow[] }> {
  const [[product], rows] = await Promise.all([
    lockedProduct(db, { id: productId }),
    findImagesOfProduct(db, productId, columns),
  ]);
  return { product: product ?? null, rows };
}

/** As `lockSet`, for a product that comes into being with its first change. */
export async function lockOrCreateSet(
  db: Transaction,
  productId: string,
  columns: ColumnSet,
): Promise<{ product: ProductRow; isNew: boolean; rows: ImageRow[] }> {
  const found = await lockSet(db, productId, columns);
  if (found.product) return { ...found, product: found.product, isNew: false };
  await createProduct(db, productId);
  const { product, rows } = await lockSet(db, productId, columns);
  if (!product) throw new Error(`Product ${productId} vanished while it was created`);
  return { product, isNew: true, rows };
}

const setOfProduct = statementByShape((db, { columns }: { columns: number }) => {
  const { id, ...ofProduct } = productColumns;
  return db
    .select({ ...columnsOfSet(columns), ...ofProduct })
    .from(products)
    .innerJoin(images, eq(images.productId, products.id))
    .where(and(eq(id, sql.placeholder('productId')), isNull(images.deletedAt)))
    .orderBy(images.imageGroup, images.orderKey)
    .prepare('set_of_product');
});

/**
 * A product and its live set in order, at one moment, which may be over when they are answered: `changeSet` sees to that.
 * A product without images is not known to be there, and told as if it were new.
 */
export async function readSet(
  db: Connection,
  productId: string,
  { key: columns }: ColumnSet,
): Promise<{ product: ProductRow; isKnown: boolean; rows: ImageRow[] }> {
  const rows = await setOfProduct(db, { columns }, { productId });
  const [first] = rows;
  const { kind, parentId, marketingColor, imagesVersion } = first ?? newProduct;
  const product = { id: productId, kind, parentId, marketingColor, imagesVersion };
  return { product, isKnown: first !== undefined, rows };
}

import { eq, getTableColumns, sql } from 'drizzle-orm';
import { type Connection, formatArray, type Transaction } from './database.ts';
import { statement } from './statement.ts';
import { images, type ProductRow, products } from './tables.ts';

const { createdAt: _created, updatedAt: _updated, ...known } = getTableColumns(products);
/** What a `ProductRow` has. */
export const productColumns = known;

/** As it comes into being. */
export const newProduct: Omit<ProductRow, 'id'> = {
  kind: 'PRODUCT',
  parentId: null,
  marketingColor: null,
  imagesVersion: 0,
};

const productsById = statement(db =>
  db
    .select(productColumns)
    .from(products)
    .where(sql`${products.id} = any(${sql.placeholder('ids')}::bigint[])`)
    .prepare('products_by_id'),
);

/** In no order; never-seen ones are left out. */
export async function findProductsByIds(db: Connection, ids: readonly string[]): Promise<ProductRow[]> {
  return ids.length === 0 ? [] : productsById(db, { ids: formatArray(ids) });
}

/**
 * Locks the products that exist until the transaction ends, always lowest id first, so that two transactions
 * cannot hold what the other waits for. Whoever changes a product's images holds its lock.
 */
export async function lockProducts(db: Transaction, ids: readonly string[]): Promise<ProductRow[]> {
  if (ids.length === 0) return [];
  return db
    .select()
    .from(products)
    .where(sql`${products.id} = any(${formatArray(ids)}::bigint[])`)
    .orderBy(products.id)
    .for('update');
}

/**
 * As `lockProducts`, for the products of images, deleted or not. An image never changes its product. (With `in` instead
 * of an array Postgres may read all products.)
 */
export async function lockProductsOfImages(
  db: Transaction,
  imageIds: readonly string[],
): Promise<ProductRow[]> {
  if (imageIds.length === 0) return [];
  return db
    .select()
    .from(products)
    .where(
      sql`${products.id} = any(array(select product_id from images where id = any(${formatArray(imageIds)}::bigint[])))`,
    )
    .orderBy(products.id)
    .for('update');
}

/** As `lockProducts`; those that are not there come into being. */
export async function lockOrCreateProducts(
  db: Transaction,
  ids: readonly string[],
): Promise<Map<string, ProductRow>> {
  const known = await lockProducts(db, ids);
  if (known.length === ids.length) return new Map(known.map(row => [row.id, row]));
  const sorted = ids.toSorted((one, other) => Number(BigInt(one) - BigInt(other)));
  await db
    .insert(products)
    .values(sorted.map(id => ({ id })))
    .onConflictDoNothing();
  return new Map((await lockProducts(db, ids)).map(row => [row.id, row]));
}

/** Of images, deleted or not. */
export async function findProductsOfImages(db: Connection, imageIds: readonly string[]): Promise<string[]> {
  if (imageIds.length === 0) return [];
  const rows = await productsOfImages(db, { ids: formatArray(imageIds) });
  return rows.map(({ productId }) => productId);
}

const productsOfImages = statement(db =>
  db
    .select({ productId: images.productId })
    .from(images)
    .where(sql`${images.id} = any(${sql.placeholder('ids')}::bigint[])`)
    .prepare('products_of_images'),
);

/** Unless it is there already. */
export async function createProduct(db: Transaction, id: string): Promise<void> {
  await db.insert(products).values({ id }).onConflictDoNothing();
}

/** Call it once for each change of a product's set. */
export async function raiseImagesVersions(db: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .update(products)
    .set({ imagesVersion: sql`${products.imagesVersion} + 1`, updatedAt: sql`now()` })
    .where(sql`${products.id} = any(${formatArray(ids)}::bigint[])`);
}

export async function updateProductRow(
  db: Transaction,
  id: string,
  values: Partial<Pick<ProductRow, 'kind' | 'parentId' | 'marketingColor'>>,
): Promise<void> {
  await db
    .update(products)
    .set({ ...values, updatedAt: sql`now()` })
    .where(eq(products.id, id));
}

export async function hasVariations(db: Connection, id: string): Promise<boolean> {
  const found = await db.select({ id: products.id }).from(products).where(eq(products.parentId, id)).limit(1);
  return found.length > 0;
}

export async function hasProducts(db: Connection): Promise<boolean> {
  return (await db.select({ id: products.id }).from(products).limit(1)).length > 0;
}

/** Parents must come before their variations, or be there already. */
export async function insertProducts(
  db: Connection,
  rows: readonly Pick<ProductRow, 'id' | 'kind' | 'parentId' | 'marketingColor'>[],
): Promise<void> {
  const values = rows.map(({ id, kind, parentId, marketingColor }) => ({
    id,
    kind,
    parentId,
    marketingColor,
  }));
  if (values.length > 0) await db.insert(products).values(values);
}

import type { Database, Transaction } from '../data/database.ts';
import {
  hasVariations,
  lockOrCreateProducts,
  raiseImagesVersions,
  updateProductRow,
} from '../data/products.ts';
import type { ProductKind, ProductRow } from '../data/tables.ts';
import { changeInTurn } from './change.ts';
import type { GalleryLimits } from './limits.ts';
import { Problems } from './problems.ts';
import { checkText } from './texts.ts';

/** What is undefined stays; null clears, a kind becomes PRODUCT. */
export interface ProductInput {
  kind?: ProductKind | null | undefined;
  parentId?: string | null | undefined;
  marketingColor?: string | null | undefined;
}

type ProductValues = Partial<Pick<ProductRow, 'kind' | 'parentId' | 'marketingColor'>>;

/**
 * Takes over what the catalogue knows of a product. The product and its parent come into being where they are new
 * here. A colour is part of the set, so that changing it raises the set's version.
 */
export async function updateProduct(
  db: Database,
  id: string,
  input: ProductInput,
  limits: GalleryLimits,
): Promise<void> {
  const problems = new Problems();
  const values = checkInput(id, input, limits, problems);
  problems.throwIfAny();
  const parentId = values.parentId ?? null;
  const productIds = parentId === null ? [id] : [id, parentId];
  await changeInTurn(db, productIds, false, async transaction => {
    const rows = await lockOrCreateProducts(transaction, productIds);
    const product = rows.get(id);
    const parent = parentId === null ? undefined : rows.get(parentId);
    if (parent) await checkParent(transaction, id, parent);
    if (!product || !isChange(product, values)) return;
    await updateProductRow(transaction, id, values);
    const isRecoloured =
      values.marketingColor !== undefined && values.marketingColor !== product.marketingColor;
    if (isRecoloured) await raiseImagesVersions(transaction, [id]);
  });
}

function checkInput(
  id: string,
  { kind, parentId, marketingColor }: ProductInput,
  limits: GalleryLimits,
  problems: Problems,
): ProductValues {
  problems.checkId(id, ['id']);
  const path = ['input', 'parentId'];
  if (parentId != null && problems.checkId(parentId, path) && parentId === id) {
    problems.add(
      'INVALID',
      path,
      `parentId is ${parentId}, the product itself; name its head product, or null`,
    );
  }
  checkText(marketingColor ?? null, ['input', 'marketingColor'], limits.maxTextLength, problems);
  return {
    ...(kind !== undefined && { kind: kind ?? 'PRODUCT' }),
    ...(parentId !== undefined && { parentId }),
    ...(marketingColor !== undefined && { marketingColor: marketingColor || null }),
  };
}

/** A product has variations or is one: there is one step between them, and no circle. */
async function checkParent(transaction: Transaction, id: string, parent: ProductRow): Promise<void> {
  const path = ['input', 'parentId'];
  const problems = new Problems();
  if (parent.parentId !== null) {
    const message = `parentId is ${parent.id}, which is a variation of ${parent.parentId} itself; name a head product`;
    problems.add('INVALID', path, message);
  }
  if (await hasVariations(transaction, id)) {
    problems.add(
      'INVALID',
      path,
      `product ${id} has variations itself, so that it cannot be one of ${parent.id}`,
    );
  }
  problems.throwIfAny();
}

function isChange(product: ProductRow, values: ProductValues): boolean {
  return Object.entries(values).some(([key, value]) => product[key as keyof ProductValues] !== value);
}

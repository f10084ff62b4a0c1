import type { Database } from '../../src/data/database.ts';
import { type ImageView, sortById } from './calls.ts';
import { groups, type ModelProduct, productOf, type State, view, viewLive } from './state.ts';

/** All that is kept of a product, deleted images too. */
export interface ProductRows {
  id: string;
  kind: string;
  parentId: string | null;
  marketingColor: string | null;
  version: number;
  /** Group by group in the order of the keys; each says its position. */
  live: ImageView[];
  deleted: ImageView[];
  expiredIds: string[];
}

type Row = ImageView & { isExpired: boolean; updatedAt: string };

const imageRows = `
  select coalesce(json_agg(json_build_object(
    'id', id::text, 'productId', product_id::text, 'name', name, 'type', type, 'state', state,
    'sourceUrl', source_url, 'altText', alt_text, 'altTexts', coalesce(alt_texts, '{}'), 'description', description,
    'focalPoint', case when focal_x is not null then json_build_object('x', focal_x, 'y', focal_y) end,
    'position', position, 'isThumbnail', is_thumbnail and deleted_at is null,
    'isPrimary', image_group = 'GALLERY' and position = 0 and deleted_at is null,
    'isDeleted', deleted_at is not null, 'contentHash', encode(file_hash, 'hex'),
    'updatedAt', updated_at, 'isExpired', deleted_at is not null and restorable_until <= now()
  ) order by image_group, order_key, id), '[]')
  from images where product_id = products.id`;

export interface Moment<Seen> {
  seen: Seen;
  /** When each image was last changed, by id. */
  updatedAt: ReadonlyMap<string, string>;
}

/** In one statement, so that it is one moment. Products never seen are left out; without ids all come. */
export async function readMoment(db: Database, ids?: readonly string[]): Promise<Moment<ProductRows[]>> {
  const rows = await db.execute<{ product: string }>(`
    select json_build_object('id', id::text, 'kind', kind, 'parentId', parent_id::text,
      'marketingColor', marketing_color, 'version', images_version, 'images', (${imageRows}))::text as product
    from products ${ids ? `where id = any('{${ids.join()}}')` : ''} order by id`);
  const products = rows.map(({ product }) => JSON.parse(product) as ProductRows & { images: Row[] });
  const times = products.flatMap(({ images }) => images.map(row => [row.id, row.updatedAt] as const));
  return { seen: products.map(sortRows), updatedAt: new Map(times) };
}

export async function readProducts(db: Database, ids?: readonly string[]): Promise<ProductRows[]> {
  return (await readMoment(db, ids)).seen;
}

function sortRows({ images, ...product }: ProductRows & { images: Row[] }): ProductRows {
  const views = images.map(({ isExpired: _, updatedAt: __, ...image }) => image);
  return {
    ...product,
    live: views.filter(image => !image.isDeleted),
    deleted: sortById(views.filter(image => image.isDeleted)),
    expiredIds: images.flatMap(({ id, isExpired }) => (isExpired ? [id] : [])).sort(),
  };
}

/** The same as the model has it. */
export function expectProducts(state: State, ids?: readonly string[]): ProductRows[] {
  const seen = ids ? ids.filter(id => state.products.has(id)) : [...state.products.keys()];
  return seen
    .toSorted((one, other) => (BigInt(one) < BigInt(other) ? -1 : 1))
    .map(id => tellProduct(productOf(state, id)));
}

function tellProduct(product: ModelProduct): ProductRows {
  const { id, kind, parentId, marketingColor, version, deleted } = product;
  return {
    id,
    kind,
    parentId,
    marketingColor,
    version,
    live: groups.flatMap(group => viewLive(product, group)),
    deleted: sortById(deleted.map(one => view({ product, image: one.image, deleted: one }))),
    expiredIds: deleted.flatMap(({ image, isExpired }) => (isExpired ? [image.id] : [])).sort(),
  };
}

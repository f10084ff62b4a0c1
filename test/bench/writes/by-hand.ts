import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { assignOrderKeys } from '../../../src/gallery/order-keys.ts';
import type { Job, Operation, Variables } from './work.ts';

// What these do is written for nothing but the jobs of this benchmark: no inputs are checked, no other groups, no
// uploads, no retries. Postgres is told of statements that need not wait for each other in one go.

export interface ByHand {
  /** What the service answers as `data`, in its order. */
  run(job: Job): Promise<object>;
  close(): Promise<void>;
}

type Transaction = postgres.TransactionSql;

export function openByHand(url: string, maxConnections: number): ByHand {
  const sql = postgres(url, { max: maxConnections, fetch_types: false, connection: { TimeZone: 'UTC' } });
  return {
    run: async ({ operationName, variables }) =>
      (await sql.begin(transaction => operations[operationName](transaction, variables))) as object,
    close: () => sql.end({ timeout: 5 }),
  };
}

const operations: Record<Operation, (sql: Transaction, variables: Variables) => Promise<object>> = {
  replace,
  create,
  reorder,
  deleteAll,
};

interface Current {
  id: string;
  name: string;
  type: string;
  state: string;
  position: number;
  source_url: string;
  alt_text: string | null;
  order_key: string;
}

async function lockAndRead(sql: Transaction, productId: string): Promise<[number, Current[]]> {
  const [[product], current] = await Promise.all([
    sql<{ images_version: number }[]>`
      select images_version from products where id = ${productId} for update`,
    sql<Current[]>`
      select id, name, type, state, position, source_url, alt_text, order_key from images
      where product_id = ${productId} and deleted_at is null order by image_group, order_key`,
  ]);
  if (!product) throw new Error(`There is no product ${productId}`);
  return [product.images_version, current];
}

async function replace(sql: Transaction, { productId, images = [] }: Variables): Promise<object> {
  const urls = images.map(({ source }) => source.url);
  const [version, current] = await lockAndRead(sql, productId);
  const bySource = new Map(current.map(row => [row.source_url, row]));
  const entries = urls.map((url, position) => ({ url, position, row: bySource.get(url) }));
  const kept = entries.flatMap(({ row }) => row ?? []);
  if (kept.some(({ position }, index) => position !== index)) throw new Error('Kept images must stay first');
  const isKept = new Set(kept);
  const removed = current.filter(row => !isKept.has(row));
  const added = entries.filter(({ row }) => !row);
  const isChanged = removed.length + added.length > 0;
  const addedIds = isChanged ? await writeReplacement(sql, productId, current, kept, removed, added) : [];
  const rows = [
    ...kept.map(describe),
    ...added.map(({ url, position }, index) => describeAdded(addedIds[index]?.id ?? '', url, position)),
  ];
  const product = { id: productId, imagesVersion: version + Number(isChanged) };
  const idOnly = (list: { id: string }[]) => list.map(({ id }) => ({ id }));
  return {
    replaceProductImages: {
      product,
      images: rows,
      added: idOnly(addedIds),
      kept: idOnly(kept),
      removed: idOnly(removed),
      userErrors: [],
    },
  };
}

async function writeReplacement(
  sql: Transaction,
  productId: string,
  current: Current[],
  kept: Current[],
  removed: Current[],
  added: { url: string; position: number }[],
): Promise<{ id: string }[]> {
  const replacementId = randomUUID();
  const keys = assignOrderKeys(
    [...kept.map(row => row.order_key), ...added.map(() => null)],
    new Set(current.map(row => row.order_key)),
  ).slice(kept.length);
  const [, inserted] = await Promise.all([
    sql`
      update images set deleted_at = now(), restorable_until = now() + interval '30 days', updated_at = now(),
        replacement_id = ${replacementId}
      where id = any(${list(removed.map(row => row.id))}::bigint[])`,
    sql<{ id: string }[]>`
      insert into images (product_id, order_key, position, name, source_url, source_host, import_due_at,
        replacement_id)
      select ${productId}::bigint, order_key, position, name, source_url, source_host,
        now() - interval '1 day', ${replacementId}::uuid
      from unnest(${list(keys)}::text[], ${list(added.map(({ position }) => position))}::int[],
        ${list(added.map(({ url }) => nameOf(url)))}::text[], ${list(added.map(({ url }) => url))}::text[],
        ${list(added.map(({ url }) => new URL(url).hostname))}::text[])
        as given (order_key, position, name, source_url, source_host)
      order by position returning id`,
    raiseVersion(sql, productId),
  ]);
  return inserted;
}

async function create(sql: Transaction, { productId, url = '' }: Variables): Promise<object> {
  const [[product], [last]] = await Promise.all([
    sql`select id from products where id = ${productId} for update`,
    sql<{ count: number; order_key: string | null }[]>`
      select count(*)::int as count, max(order_key) as order_key from images
      where product_id = ${productId} and image_group = 'GALLERY' and deleted_at is null`,
  ]);
  if (!product) throw new Error(`There is no product ${productId}`);
  const position = last?.count ?? 0;
  const [, orderKey = ''] = assignOrderKeys([last?.order_key ?? null, null], new Set());
  const [[added]] = await Promise.all([
    sql<{ id: string }[]>`
      insert into images (product_id, order_key, position, name, source_url, source_host, import_due_at)
      values (${productId}, ${orderKey}, ${position}, ${nameOf(url)}, ${url}, ${new URL(url).hostname},
        now() - interval '1 day')
      returning id`,
    raiseVersion(sql, productId),
  ]);
  const image = describeAdded(added?.id ?? '', url, position);
  return { createProductImage: { image, userErrors: [] } };
}

async function reorder(sql: Transaction, { productId, imageIds = [] }: Variables): Promise<object> {
  const [version, current] = await lockAndRead(sql, productId);
  const byId = new Map(current.map(row => [row.id, row]));
  const ordered = imageIds.flatMap(id => byId.get(id) ?? []);
  const keys = assignOrderKeys(
    ordered.map(row => row.order_key),
    new Set(current.map(row => row.order_key)),
  );
  const isMoved = ordered.map((row, index) => keys[index] !== row.order_key);
  await Promise.all([
    sql`
      update images set order_key = given.order_key, position = given.position,
        updated_at = case when moved then now() else updated_at end
      from unnest(${list(imageIds)}::bigint[], ${list(keys)}::text[], ${list(keys.map((_, index) => index))}::int[],
        ${list(isMoved)}::bool[]) as given (id, order_key, position, moved)
      where images.id = given.id and (moved or images.position <> given.position)`,
    raiseVersion(sql, productId),
  ]);
  const images = ordered.map((row, position) => describe({ ...row, position }));
  const product = { id: productId, imagesVersion: version + 1 };
  return { reorderProductImages: { product, images, userErrors: [] } };
}

async function deleteAll(sql: Transaction, { productId }: Variables): Promise<object> {
  const [, deleted] = await Promise.all([
    sql`select id from products where id = ${productId} for update`,
    sql<{ id: string; order_key: string }[]>`
      update images set deleted_at = now(), restorable_until = now() + interval '30 days', updated_at = now()
      where product_id = ${productId} and deleted_at is null returning id, order_key`,
    raiseVersion(sql, productId),
  ]);
  deleted.sort((one, other) => (one.order_key < other.order_key ? -1 : 1));
  const deletedIds = deleted.map(row => row.id);
  return { deleteAllProductImages: { deletedCount: deleted.length, deletedIds, userErrors: [] } };
}

function raiseVersion(sql: Transaction, productId: string) {
  return sql`update products set images_version = images_version + 1, updated_at = now() where id = ${productId}`;
}

function describe({ id, name, type, state, position, source_url, alt_text }: Current): object {
  const isPrimary = position === 0;
  return { id, name, type, state, position, isPrimary, sourceUrl: source_url, altText: alt_text };
}

function describeAdded(id: string, url: string, position: number): object {
  const made = { type: 'MORE_PHOTO', state: 'IMPORTED', order_key: '', alt_text: null };
  return describe({ ...made, id, name: nameOf(url), position, source_url: url });
}

function nameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
}

/** An array as Postgres reads it. */
function list(values: readonly (string | number | boolean)[]): string {
  return `{${values.map(value => JSON.stringify(value)).join()}}`;
}

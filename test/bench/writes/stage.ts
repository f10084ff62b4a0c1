import { generateNKeysBetween } from 'fractional-indexing';
import postgres from 'postgres';
import { migrateDatabase } from '../../../src/data/migrate.ts';
import { firstUrls, imagesPerProduct } from './work.ts';

/** A database that is brought to the same state before each round. */
export interface Stage {
  url: string;
  /** So many products of thirty images each, and nothing else. */
  reset(products: number): Promise<void>;
  /** All that is kept, a line a row, without times and random ids. */
  dump(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openStage(serverUrl: string, name: string): Promise<Stage> {
  const server = postgres(serverUrl, { max: 1 });
  await server.unsafe(`create database ${name}`);
  await server.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrateDatabase(url.href);
  const sql = postgres(url.href, { max: 1, onnotice: () => {} });
  return {
    url: url.href,
    reset: products => reset(sql, products),
    dump: () => dump(sql),
    close: () => sql.end({ timeout: 5 }),
  };
}

async function reset(sql: postgres.Sql, products: number): Promise<void> {
  await sql`truncate images, products, image_counts, released_files`;
  await sql`insert into products (id) select generate_series(1, ${products}::int)`;
  const names = firstUrls.map(url => url.split('/').at(-1) ?? '');
  await sql`
    insert into images (id, product_id, order_key, position, name, source_url, source_host, import_due_at)
    select (product - 1) * ${imagesPerProduct}::int + place, product, order_key, place - 1, name, source_url,
      'shop.example', now()
    from generate_series(1, ${products}::int) as product,
      unnest(${generateNKeysBetween(null, null, imagesPerProduct)}::text[], ${names}::text[], ${firstUrls}::text[])
        with ordinality as given (order_key, name, source_url, place)
    order by product, place`;
  await sql`select setval('image_ids', ${products * imagesPerProduct})`;
  await sql`vacuum analyze images, products`;
}

async function dump(sql: postgres.Sql): Promise<string[]> {
  const times = [
    'created_at',
    'updated_at',
    'deleted_at',
    'restorable_until',
    'import_due_at',
    'replacement_id',
  ];
  const tables = await Promise.all([
    sql`
      select to_jsonb(images) - ${times}::text[] as image, updated_at > created_at as updated,
        restorable_until - deleted_at as restorable_for, deleted_at = updated_at as deleted_just_then,
        round(extract(epoch from created_at - import_due_at) / 60) as due_minutes_before, replacement_id is null as is_replaced
      from images order by id`,
    sql`
      select to_jsonb(products) - ${times}::text[] as product, updated_at > created_at as updated
      from products order by id`,
    sql`
      select type, state, deleted, sum(count) from image_counts group by 1, 2, 3 having sum(count) <> 0
      order by 1, 2, 3`,
    sql`select hash as released from released_files`,
  ]);
  return tables.flatMap(rows => rows.map(row => JSON.stringify(row)));
}

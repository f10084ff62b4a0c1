import { join } from 'node:path';
import postgres from 'postgres';
import { openEmbeddedPostgres } from '../../../src/data/embedded.ts';
import { migrateDatabase } from '../../../src/data/migrate.ts';
import { createLog } from '../../../src/log.ts';
import { fillCatalogue } from '../catalogue.ts';

/** The URL of a Postgres as the service has it, with that many images; what is there already is taken as it is. */
export async function openFilledDatabase(
  folder: string,
  images: number,
  opened: AsyncDisposableStack,
): Promise<string> {
  const directory = join(folder, 'postgres');
  const opening = openEmbeddedPostgres({ directory, log: createLog('warn'), durable: false });
  // Also when it has not opened yet.
  opened.defer(() =>
    opening.then(
      database => database.close(),
      () => {},
    ),
  );
  const { url } = await opening;
  await migrateDatabase(url);
  const found = await countImages(url);
  if (found === 0) await fillCatalogue(url, images);
  else if (found !== images) {
    throw new Error(`${directory} has ${found} images, not ${images}; remove it, or keep another`);
  }
  return url;
}

async function countImages(url: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(forPostgraphile);
    const [row] = await sql`select coalesce(sum(count), 0)::int as count from image_counts`;
    return row?.count;
  } finally {
    await sql.end();
  }
}

/** A function is what its documentation says where a list of ids comes in. */
const forPostgraphile = `
  create schema if not exists postgraphile;
  create or replace function postgraphile.products_by_ids(ids bigint[])
  returns setof public.products language sql stable as $$
    select products.* from unnest(ids) with ordinality as asked (id, place)
    join public.products using (id) order by place
  $$;
`;

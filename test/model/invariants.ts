import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import type { Database } from '../../src/data/database.ts';
import { imageStates, imageTypes } from '../../src/data/tables.ts';
import { collectFiles } from '../../src/gallery/purge.ts';
import { extensionOf } from '../../src/storage/formats.ts';
import { originalKey } from '../../src/storage/keys.ts';
import type { TestService } from '../support/service.ts';

/** What a service must let look at: its API, its database, its files. */
export type Inspected = Pick<TestService, 'query' | 'db' | 'storage'>;

/**
 * Fails unless all holds that must hold at any time: positions, thumbnails, counts, files and what is known of them. For a service at rest:
 * what it tells is compared with the rows of a moment later. Removes released files first.
 */
export async function checkInvariants(service: Inspected): Promise<void> {
  await checkRows(service.db);
  await checkCounts(service);
  await checkProducts(service);
  await collectFiles(service.db, service.storage);
  await checkFiles(service);
}

// One statement, so that it sees one moment, also while others write.
const violations = `
  select format('product %s has %s images at %s', product_id, image_group, positions) as violation
  from (
    select product_id, image_group, array_agg(position order by order_key) as positions, count(*)::int as size
    from images where deleted_at is null group by product_id, image_group
  ) sets where positions <> array(select generate_series(0, size - 1))
  union all
  select format('product %s has %s thumbnails', product_id, count(*))
  from images where is_thumbnail and deleted_at is null group by product_id having count(*) > 1
  union all
  select format('product %s has the order key %s twice', product_id, order_key)
  from images where deleted_at is null group by product_id, image_group, order_key having count(*) > 1
  union all
  select format('%s images of type %s in state %s, deleted: %s, are counted as %s',
    coalesce(counted.size, 0), type, state, deleted, coalesce(kept.size, 0))
  from (select type, state, deleted_at is not null as deleted, count(*) as size from images group by 1, 2, 3) counted
  full join (select type, state, deleted, sum(count) as size from image_counts group by 1, 2, 3) kept
    using (type, state, deleted)
  where coalesce(counted.size, 0) <> coalesce(kept.size, 0)
  union all
  select format('image %s has other facts than its file', images.id)
  from images left join files on files.hash = images.file_hash
  where (images.mime_type, images.byte_size, images.width, images.height, images.thumbhash, images.dominant_color,
    images.has_alpha) is distinct from (files.mime_type, files.byte_size, files.width, files.height, files.thumbhash,
    files.dominant_color, files.has_alpha)`;

/** Fails unless the rows fit each other; also while others write. */
export async function checkRows(db: Database): Promise<void> {
  const found = await db.execute<{ violation: string }>(violations);
  expect(found.map(row => row.violation)).toEqual([]);
}

interface Tally {
  productId: string;
  type: string;
  state: string;
  deleted: boolean;
  count: number;
}

/** How many images there are of each sort; those that can no longer be restored are of none. */
async function tally(db: Database): Promise<Tally[]> {
  const rows = await db.execute<Tally & Record<string, unknown>>(`
    select product_id as "productId", type, state, deleted_at is not null as deleted, count(*)::int as count
    from images where deleted_at is null or restorable_until > now() group by 1, 2, 3, 4`);
  return [...rows];
}

interface Filter {
  productIds?: string[];
  types?: string[];
  states?: string[];
  deleted?: boolean;
}

const filters: Filter[] = [
  {},
  { deleted: true },
  ...imageTypes.map(type => ({ types: [type] })),
  ...imageStates.map(state => ({ states: [state] })),
  { types: ['MORE_PHOTO', 'SPIN_360'], states: ['IMPORTED'], deleted: true },
];

async function checkCounts({ query, db }: Inspected): Promise<void> {
  const rows = await tally(db);
  const productIds = [...new Set(rows.map(row => row.productId))].slice(0, 3);
  const asked = [
    ...filters,
    { productIds },
    { productIds, deleted: true },
    { productIds: productIds.slice(1), types: ['MORE_PHOTO'] },
  ];
  const declared = asked.map((_, index) => `$f${index}: ProductImageFilter`);
  const fields = asked.map((_, index) => `f${index}: imageCount(filter: $f${index})`);
  const variables = Object.fromEntries(asked.map((filter, index) => [`f${index}`, filter]));
  const counts = await query<Record<string, number>>(`query (${declared}) { ${fields} }`, variables);
  const list = await query<{ productImages: { totalCount: number } }>(
    '{ productImages(first: 1) { totalCount } }',
  );
  expect({ ...counts, all: list.productImages.totalCount }).toEqual({
    ...Object.fromEntries(asked.map((filter, index) => [`f${index}`, sum(rows, filter)])),
    all: sum(rows, {}),
  });
}

function sum(rows: readonly Tally[], { productIds, types, states, deleted = false }: Filter): number {
  return rows
    .filter(row => row.deleted === deleted)
    .filter(row => !productIds || productIds.includes(row.productId))
    .filter(row => !types || types.includes(row.type))
    .filter(row => !states || states.includes(row.state))
    .reduce((total, row) => total + row.count, 0);
}

interface TellingImage {
  id: string;
  productId: string;
  position: number;
  isThumbnail: boolean;
  isPrimary: boolean;
}

interface TellingProduct {
  id: string;
  imageCount: number;
  images: { totalCount: number; nodes: TellingImage[] };
  images360: TellingImage[];
}

const telling = `query ($ids: [ID!]!) { productsByIds(ids: $ids) {
  id imageCount
  images(first: 250) { totalCount nodes { id productId position isThumbnail isPrimary } }
  images360 { id productId position isThumbnail isPrimary }
} }`;
const mostProducts = 200;

/** What the API tells of products: places, roles and counts fit the images beside them. */
async function checkProducts({ query, db }: Inspected): Promise<void> {
  const rows = await tally(db);
  const ids = [...new Set(rows.map(row => row.productId))].slice(0, mostProducts);
  const { productsByIds } = await query<{ productsByIds: TellingProduct[] }>(telling, { ids });
  for (const { id, imageCount, images, images360 } of productsByIds) {
    const all = [...images.nodes, ...images360];
    const most = Math.min(images.totalCount, 250);
    expect({
      imageCount,
      places: images.nodes.map(image => image.position),
      frames: images360.map(image => image.position),
      primaries: all.filter(image => image.isPrimary),
      hasThumbnails: all.filter(image => image.isThumbnail).length > 1,
    }).toEqual({
      imageCount: sum(rows, { productIds: [id] }),
      places: Array.from({ length: most }, (_, place) => place),
      frames: images360.map((_, place) => place),
      primaries: images.nodes.slice(0, 1),
      hasThumbnails: false,
    });
  }
}

/** Whatever is UPLOADED has its bytes; what is stored is what rows name, and no row is without an image. */
async function checkFiles({ db, storage }: Inspected): Promise<void> {
  const files = await db.execute<{ hash: string; mimeType: string; isNamed: boolean }>(`
    select encode(hash, 'hex') as hash, mime_type as "mimeType",
      exists (select 1 from images where file_hash = files.hash) as "isNamed"
    from files`);
  expect(files.filter(file => !file.isNamed)).toEqual([]);
  const keys = new Map(files.map(({ hash, mimeType }) => [originalKey(hash, extensionOf(mimeType)), hash]));
  const stored = await Array.fromAsync(storage.list('originals/'), ({ key }) => key);
  expect(stored.sort()).toEqual([...keys.keys()].sort());
  for (const [key, hash] of keys) {
    const object = await storage.read(key);
    const bytes = object ? await buffer(object.body) : Buffer.alloc(0);
    expect(createHash('sha256').update(bytes).digest('hex'), `the hash of ${key}`).toBe(hash);
  }
}

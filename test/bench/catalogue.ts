import postgres from 'postgres';
import { formatArray } from '../../src/data/database.ts';
import { assignOrderKeys } from '../../src/gallery/order-keys.ts';

export const imagesPerProduct = 8;

const productsPerStatement = 25_000;

/**
 * Fills a database that is migrated and empty with so many stored images, 8 a product: products and images have the
 * ids 1, 2, 3 …, the first eight images are those of the first product, in its order. The values are the same in every
 * run. Two million take a minute or two.
 */
export async function fillCatalogue(databaseUrl: string, imageCount: number): Promise<void> {
  if (imageCount < imagesPerProduct || imageCount % imagesPerProduct !== 0) {
    throw new Error(`There are to be ${imageCount} images; give a multiple of ${imagesPerProduct}`);
  }
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const productCount = imageCount / imagesPerProduct;
    for (let first = 1; first <= productCount; first += productsPerStatement) {
      const range = [first, Math.min(first + productsPerStatement - 1, productCount)];
      await sql.begin(transaction => insertions.map(text => transaction.unsafe(text, range)));
    }
    await sql`select setval('image_ids', ${imageCount})`;
    await sql`vacuum (analyze) products, files, images, image_counts`;
    await sql`checkpoint`;
  } finally {
    await sql.end();
  }
}

const views = ['front', 'back', 'left', 'right', 'from-above', 'detail', 'in-use', 'packaging'];
const orderKeys = assignOrderKeys(Array(imagesPerProduct).fill(null), new Set());

// A second after the one before, to the millisecond.
const at = `date_trunc('milliseconds', timestamptz '2024-01-01' + id * interval '1.037 seconds') at`;

const productName = `
  (array['Trail shoe', 'Wristwatch', 'Desk lamp', 'Water bottle', 'Armchair', 'Backpack', 'Headphones'])[1 + product % 7]
  || ' ' || (array['Aurora', 'Fjord', 'Kestrel', 'Lumen', 'Northway'])[1 + product % 5] || ' ' || product`;

const colours = `(array['GREEN', 'RED', 'BLUE', 'BLACK'])[1 + id / 4 % 4]`;
const type = `case place when 1 then 'PREVIEW_PICTURE' when 2 then 'DETAIL_PICTURE' else 'MORE_PHOTO' end`;

// Of the products whose ids are between the two parameters. Triggers count the images.
const insertions = [
  `insert into products (id, images_version, marketing_color, created_at, updated_at)
   select id, 1, case when id % 4 = 0 then ${colours} end, at, at
   from generate_series($1::bigint, $2::bigint) id, ${at}`,

  `insert into files (
     hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha, created_at)
   select hash, 'image/jpeg', 80000 + get_byte(hash, 25) * 7919 + get_byte(hash, 26),
     (array[1200, 1600, 2000, 2400])[1 + get_byte(hash, 27) % 4],
     (array[1200, 1500, 1800, 2000])[1 + get_byte(hash, 28) % 4],
     encode(substring(hash for 25), 'base64'), '#' || encode(substring(hash from 30 for 3), 'hex'), false, at
   from generate_series(($1::bigint - 1) * ${imagesPerProduct} + 1, $2::bigint * ${imagesPerProduct}) id,
     sha256(int8send(id)) hash, ${at}`,

  // A third has translations of its alt text, half a description.
  `insert into images (
     id, product_id, type, order_key, position, is_thumbnail, state, name, source_url, source_host,
     file_hash, alt_text, alt_texts, description, attempts, created_at, updated_at)
   select id, product, (${type})::image_type, order_key, place - 1, place = 1, 'UPLOADED', name,
     'https://media.example.com/catalogue/' || product || '/' || name, 'media.example.com',
     sha256(int8send(id)), alt_text,
     case when product % 3 = 0 then jsonb_build_object('de', 'Ansicht: ' || alt_text, 'fr', 'Vue : ' || alt_text) end,
     case when id % 2 = 0 then alt_text || '. Taken in daylight on a plain ground; colours may differ by screen.' end,
     1, at, at
   from generate_series($1::bigint, $2::bigint) product,
     unnest('${formatArray(orderKeys)}'::text[], '${formatArray(views)}'::text[])
       with ordinality as view (order_key, view, place),
     lateral (select (product - 1) * ${imagesPerProduct} + place as id) ids,
     ${at},
     lateral (
       select view || '-' || product || '.jpg' as name,
         ${productName} || ', ' || replace(view, '-', ' ') as alt_text) texts`,
];

import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as imageAddresses from '../../src/graphql/image-addresses.ts';
import { ask, askBothWays } from '../support/both-ways.ts';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

// Addresses go into answers of the short way from the columns of rows; those of the ordinary way are put together from
// strings. Both must be the same.

/** With the kinds below more than are kept in mind of a field. */
const sizes = 240;

const kinds = ['image/jpeg', 'image/png', 'image/webp', 'image/gif'].flatMap(mimeType =>
  [true, false, null].flatMap(hasAlpha =>
    [
      [2000, 1500],
      [3, 9_999],
      [1, 1],
    ].map(([width, height]) => ({ mimeType, hasAlpha, width, height })),
  ),
);

let service: TestService;
beforeAll(async () => {
  service = await openTestService({ IMAGES_URL: 'http://bücher.example/a"b\\c' });
  await fill(
    service,
    '1',
    kinds.map((_kind, at) => `${at}`),
  );
  await fill(service, '2', ['waiting', 'failed', 'left', 'right', 'half']);
  await fill(
    service,
    '3',
    Array.from({ length: sizes }, (_, at) => `size ${at}`),
  );
  for (const [at, kind] of kinds.entries()) await upload(`product_id = 1 and name = '${at}'`, kind);
  const jpeg = { mimeType: 'image/jpeg', hasAlpha: false, width: 2_000, height: 1_500 };
  for (const name of ['left', 'right', 'half']) await upload(`name = '${name}'`, jpeg);
  await service.db.execute(sql`update images set state = 'FAILED' where name = 'failed'`);
  await service.db.execute(sql`update images set focal_x = 0.1, focal_y = 0.9 where name = 'left'`);
  await service.db.execute(sql`update images set focal_x = 1, focal_y = 0 where name = 'right'`);
  await service.db.execute(sql`update images set focal_x = 0.5 where name = 'half'`);
  for (let at = 0; at < sizes; at++)
    await upload(`name = 'size ${at}'`, { ...jpeg, width: 100 + at, height: 9_000 - 7 * at });
});
afterAll(() => service.close());

async function upload(which: string, { mimeType, hasAlpha, width, height }: (typeof kinds)[number]) {
  const hash = sql`sha256(${which}::text::bytea)`;
  await service.db.execute(sql`
    insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
    values (${hash}, ${mimeType}, 1, ${width}, ${height}, 'hash', '#abcdef', ${hasAlpha})`);
  await service.db.execute(
    sql`update images set file_hash = ${hash}, state = 'UPLOADED' where ${sql.raw(which)}`,
  );
}

async function addressesOf(field: string, variables: object = {}): Promise<Record<string, unknown>[]> {
  const declared = Object.keys(variables).map(name => `$${name}: ImageTransformInput`);
  const query = `query ${declared.length > 0 ? `(${declared})` : ''} {
    productsByIds(ids: [1, 2, 3]) { images(first: 250) { nodes { name a: ${field} state b: ${field} } } } }`;
  const { data, errors } = JSON.parse(await askBothWays(service, { query, variables }));
  expect(errors).toBeUndefined();
  return data.productsByIds.flatMap((product: { images: { nodes: object[] } }) => product.images.nodes);
}

test.each([
  'url',
  'url(transform: null)',
  'url(transform: {})',
  'url(transform: { width: 386 })',
  'url(transform: { width: 386, height: 100, fit: COVER, quality: 33 })',
  'url(transform: { height: 700, dpr: 2.5, format: WEBP })',
  'url(transform: { format: ORIGINAL })',
  'url(transform: { width: 500, format: ORIGINAL })',
  'zoomUrl',
  'thumbnailUrl',
  'standardUrl',
  'tinyUrl',
  'srcset',
  'srcset(widths: [320, 2, 320, 640])',
  'srcset(widths: [200], transform: { width: 4, height: 3, fit: COVER, format: AVIF })',
])('%s', async field => {
  const images = await addressesOf(field);
  expect(images).toHaveLength(kinds.length + 5 + sizes);
  const uploaded = images.filter(({ state }) => state === 'UPLOADED');
  expect(uploaded).toHaveLength(kinds.length + 3 + sizes);
  for (const { a, b } of uploaded) {
    expect(a).toContain('http://bücher.example/a"b\\c/images/');
    expect(b).toBe(a);
  }
});

test('a transform of a variable holds for its own request', async () => {
  const askFor = (width: number) => addressesOf('url(transform: $t)', { t: { width, height: width } });
  const [[hundred], [two]] = [await askFor(100), await askFor(2)];
  expect(hundred?.a).toMatch(/100x75-auto\.jpg$/);
  expect(two?.a).toMatch(/2x2-auto\.jpg$/);
});

test('two transforms of one query keep apart', async () => {
  const images = await addressesOf('tinyUrl c: url(transform: { width: 9 })');
  expect(images[0]?.a).toMatch(/\/44x33-auto\.jpg$/);
  expect(images[0]?.c).toMatch(/\/9x7-auto\.jpg$/);
});

test('where a transform is out of bounds, both ways say so', async () => {
  const query = '{ product(id: 1) { images { nodes { url(transform: { width: 0 }) } } } }';
  expect(await askBothWays(service, { query })).toContain('width is 0; at least 1');
});

test('pictures of known kinds are not asked for one by one', async () => {
  const query = '{ product(id: 1) { images(first: 9) { nodes { standardUrl tinyUrl } } } }';
  await askBothWays(service, { query });
  const asked = vi.spyOn(imageAddresses, 'addressesOf');
  await ask(service, { query }, false);
  expect(asked).toHaveBeenCalledTimes(18);
  await ask(service, { query }, true);
  expect(asked).toHaveBeenCalledTimes(18);
});

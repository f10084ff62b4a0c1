import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EntryInput } from '../../src/gallery/entries.ts';
import { fill, fromUrl, readGallery, replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

// Of images that are changed, and of those whose address is shown, no more is read than it takes. There are few documents
// here, so that each has a set of columns of its own; where there are many, later ones read what others read already.

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
  await service.db.execute(`
    insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
    values (sha256('x'), 'image/png', 1, 20, 30, 'hash', '#abcdef', true)`);
});
afterAll(() => service.close());

/** The last statement that read images, by themselves or with their product. */
const findReading = () =>
  service.statements.findLast(text => /^select .* (from|join) "images" /s.test(text)) ?? '';

test('an address alone is the same as beside all that it could be made from', async () => {
  const names = ['imported', 'waiting', 'again', 'failed'];
  const ids = (await fill(service, '1', names)).map(({ id }) => id);
  const update = (at: number, values: string) =>
    service.db.execute(`update images set ${values} where id = ${ids[at]}`);
  await update(0, `file_hash = sha256('x'), state = 'UPLOADED'`);
  await update(2, `state = 'PENDING'`);
  await update(3, `state = 'FAILED'`);
  const ask = async (fields: string) => {
    const query = `{ productImagesByIds(ids: [${ids}]) { ${fields} } }`;
    const { productImagesByIds } = await service.query<{ productImagesByIds: { url: string | null }[] }>(
      query,
    );
    return productImagesByIds.map(({ url }) => url);
  };
  const alone = await ask('url');
  expect(findReading()).toMatch(/case when .* then "source_url" end/);
  expect(alone).toEqual([
    expect.stringContaining('/images/'),
    'https://example.com/waiting',
    'https://example.com/again',
    null,
  ]);
  expect(await ask('url state sourceUrl')).toEqual(alone);
  expect(findReading()).not.toContain('case when');
});

type Ids = readonly string[];

/** Each from a gallery of a, b, c and d, of which b has texts; `ids` are theirs. */
const replacements: [
  what: string,
  input: (ids: Ids) => { images: EntryInput[]; images360?: EntryInput[] },
][] = [
  [
    'by addresses, of which some are gone, some new and some moved',
    () => ({ images: ['d', 'e', 'a'].map(fromUrl) }),
  ],
  [
    'by other spellings of addresses',
    () => ({ images: [{ source: { url: 'HTTPS://Example.com:443/b' } }, fromUrl('a')] }),
  ],
  [
    'by ids, of which one takes its bytes from elsewhere',
    ([a, b]) => ({ images: [{ id: b, ...fromUrl('new') }, { id: a }] }),
  ],
  [
    'with other texts for some',
    ([a, b]) => ({
      images: [
        { id: b, altText: 'new' },
        { id: a, description: 'said' },
      ],
    }),
  ],
  ['with the texts that they have', ([, b]) => ({ images: [{ id: b, altText: 'told' }] })],
  [
    'with other types',
    ([a, b]) => ({
      images: [
        { id: b, type: 'DETAIL_PICTURE' },
        { id: a, type: 'COLOR_SWATCH' },
      ],
    }),
  ],
  [
    'of which some become frames',
    ([a, b, c]) => ({ images: [{ id: c }], images360: [{ id: b }, { id: a }] }),
  ],
  ['by itself', ids => ({ images: ids.map(id => ({ id })) })],
];

let lastProduct = 10;

test.each(replacements)(
  'a replacement %s does the same whether images are shown or not',
  async (_what, input) => {
    const prepare = async () => {
      const productId = String(++lastProduct);
      const images = ['a', 'b', 'c', 'd'].map(fromUrl);
      const texts = { altText: 'told', altTexts: [{ locale: 'de', text: 'Stuhl' }], description: 'words' };
      const filled = await replace(service, {
        productId,
        images: images.map((image, at) => (at === 1 ? { ...image, ...texts } : image)),
      });
      return { productId, ids: filled.images.map(({ id }) => id) };
    };
    const dump = async ({ productId, ids }: { productId: string; ids: Ids }) => {
      const rows = await service.db.execute<{ image: Record<string, unknown> }>(`
      select to_jsonb(images) - '{product_id,replacement_id,import_due_at,created_at,updated_at,deleted_at,restorable_until}'::text[]
        || jsonb_build_object('updated', updated_at > created_at, 'deleted', deleted_at is not null) as image
      from images where product_id = ${productId} order by deleted_at is null, image_group, order_key, id`);
      return rows.map(({ image }) => ({ ...image, id: ids.indexOf(String(image.id)) }));
    };
    const [shown, hidden] = [await prepare(), await prepare()];
    await replace(service, { productId: shown.productId, ...input(shown.ids) });
    const { replaceProductImages } = await service.query<{ replaceProductImages: { userErrors: [] } }>(
      `mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) { userErrors { code } } }`,
      { input: { productId: hidden.productId, ...input(hidden.ids) } },
    );
    expect(replaceProductImages).toEqual({ userErrors: [] });
    const reading = findReading();
    expect(reading).toMatch(/"source_url"/);
    expect(reading).not.toMatch(/"thumbhash"|"name"/);
    expect(await dump(hidden)).toEqual(await dump(shown));
    const gallery = await readGallery(service, hidden.productId);
    expect(gallery.imagesVersion).toBe((await readGallery(service, shown.productId)).imagesVersion);
  },
);

test('an order, and a deletion, do the same whether images are shown or not', async () => {
  const change = async (fields: string) => {
    const productId = String(++lastProduct);
    const ids = (await fill(service, productId, ['a', 'b', 'c'])).map(({ id }) => id);
    await service.query(
      `mutation { reorderProductImages(productId: "${productId}", imageIds: [${ids.toReversed()}]) { images { ${fields} } } }`,
    );
    const placed = await service.db.execute(
      `select name, order_key, position from images where product_id = ${productId} order by order_key`,
    );
    const { deleteAllProductImages } = await service.query<{
      deleteAllProductImages: { deletedIds: string[] };
    }>(
      `mutation { deleteAllProductImages(productId: "${productId}") { deletedIds deletedImages { ${fields} } } }`,
    );
    return { placed, deleted: deleteAllProductImages.deletedIds.map(id => ids.indexOf(id)) };
  };
  const hidden = await change('id');
  expect(hidden).toMatchObject({
    // The last one's key may stay.
    placed: [
      { name: 'c', position: 0, order_key: expect.stringMatching(/^Z/) },
      { name: 'b', position: 1, order_key: expect.stringMatching(/^Z/) },
      { name: 'a', position: 2, order_key: 'a0' },
    ],
    deleted: [2, 1, 0],
  });
  expect(await change('id name type state url thumbhash altText isPrimary updatedAt')).toEqual(hidden);
});

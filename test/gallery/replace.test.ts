import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countAll, fill, fromUrl, type Image, readGallery, replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

let lastProduct = 5_000_000_000;
const newProduct = () => String(++lastProduct);
const verbsOf = (statements: string[]) => statements.map(text => text.trim().replace(/\s.*/s, ''));
const namesOf = (images: Image[]) => images.map(image => image.name);
const idsOf = (images: Image[]) => images.map(image => image.id);
const entriesOf = (images: Image[]) => images.map(({ id }) => ({ id }));

describe('a replacement', () => {
  test('makes the set exactly the one given', async () => {
    const productId = newProduct();
    const [a, b, c] = await fill(service, productId, ['a', 'b', 'c']);
    const result = await replace(service, {
      productId,
      images: [{ id: c?.id }, fromUrl('d'), fromUrl('a')],
      images360: [fromUrl('s1'), fromUrl('s2')],
      marketingColor: 'GREEN',
    });
    expect(result.userErrors).toEqual([]);
    expect(namesOf(result.images)).toEqual(['c', 'd', 'a', 's1', 's2']);
    expect(result.images.map(image => image.position)).toEqual([0, 1, 2, 0, 1]);
    expect(namesOf(result.added)).toEqual(['d', 's1', 's2']);
    expect(idsOf(result.kept)).toEqual([c?.id, a?.id]);
    expect(idsOf(result.removed)).toEqual([b?.id]);
    const stored = await readGallery(service, productId);
    expect(namesOf(stored.images.nodes)).toEqual(['c', 'd', 'a']);
    expect(namesOf(stored.images360)).toEqual(['s1', 's2']);
    expect(stored).toMatchObject({ imagesVersion: 2, marketingColor: 'GREEN', imageCount: 5 });
  });

  test('keeps addresses and names whatever is in them', async () => {
    const productId = newProduct();
    const names = [
      'NULL',
      'a"b',
      'c,d',
      '{e}',
      "f'g",
      '(h)',
      '"',
      ',',
      '{}',
      ' i ',
      'größe',
      '%22%5C%7B',
      '\u{1f5bc}',
    ];
    const plain = names.map(fromUrl);
    const [first, ...others] = plain;
    for (const images of [plain, [{ ...first, altText: 'told' }, ...others]]) {
      const { images: given } = await replace(service, { productId: newProduct(), images });
      expect(given.map(image => image.sourceUrl)).toEqual(plain.map(({ source }) => source.url.trim()));
    }
    const result = await replace(service, { productId, images: plain });
    const stored = (await readGallery(service, productId)).images.nodes;
    expect(stored).toEqual(result.images);
    expect(namesOf(stored)).toEqual([
      ...['NULL', 'a"b', 'c,d', '{e}', "f'g", '(h)', '"', ',', '{}', ' i', 'größe', '"_{', '\u{1f5bc}'],
    ]);
  });

  test('removes frames and colour that are left out', async () => {
    const productId = newProduct();
    const images360 = [fromUrl('s')];
    await replace(service, { productId, images: [fromUrl('a')], images360, marketingColor: 'GREEN' });
    const { removed } = await replace(service, { productId, images: [fromUrl('a')] });
    expect(namesOf(removed)).toEqual(['s']);
    expect(await readGallery(service, productId)).toMatchObject({ images360: [], marketingColor: null });
  });

  test('of a set by itself changes nothing, ten times over', async () => {
    const productId = newProduct();
    const images = [
      {
        ...fromUrl('a'),
        altText: 'A',
        altTexts: [
          { locale: 'pt-br', text: 'um' },
          { locale: 'de', text: 'ein' },
        ],
      },
      { ...fromUrl('b'), description: 'B', type: 'DETAIL_PICTURE' },
      { ...fromUrl('c'), type: 'COLOR_SWATCH' },
    ];
    const set = { productId, images, images360: [fromUrl('a')], marketingColor: 'GREEN' };
    const first = await replace(service, set);
    const before = await readGallery(service, productId);
    const total = await countAll(service);
    for (let round = 0; round < 10; round++) {
      const again = await replace(
        service,
        round % 2
          ? set
          : { ...set, images: entriesOf(first.images.filter(({ type }) => type !== 'SPIN_360')) },
      );
      expect([again.added, again.removed]).toEqual([[], []]);
      expect(again.images).toEqual(first.images);
    }
    expect(await readGallery(service, productId)).toEqual(before);
    expect(await countAll(service)).toBe(total);
  });

  test('keeps id and texts of an image that is named by its URL in another spelling', async () => {
    const productId = newProduct();
    const [image] = (
      await replace(service, { productId, images: [{ ...fromUrl('a.jpg'), altText: 'kept' }] })
    ).images;
    const { kept, added } = await replace(service, {
      productId,
      images: [{ source: { url: 'HTTPS://EXAMPLE.com:443/a.jpg' } }],
    });
    expect(added).toEqual([]);
    expect(kept).toEqual([image]);
  });

  test('replaces texts that are given, clears those given as null, leaves the others', async () => {
    const productId = newProduct();
    const texts = { altText: 'old', altTexts: [{ locale: 'de', text: 'alt' }], description: 'old' };
    const [image] = (await replace(service, { productId, images: [{ ...fromUrl('a'), ...texts }] })).images;
    const entry = { id: image?.id, altText: 'new', description: null };
    await replace(service, { productId, images: [entry] });
    const data = await service.query(
      'query ($id: ID!) { productImage(id: $id) { altText description altTexts { locale text } } }',
      { id: image?.id },
    );
    const altTexts = [{ locale: 'de', text: 'alt' }];
    expect(data).toEqual({ productImage: { altText: 'new', description: null, altTexts } });
  });

  test('takes the bytes of an image that is named with a new source from there', async () => {
    const productId = newProduct();
    const [image] = await fill(service, productId, ['old.jpg']);
    const { images } = await replace(service, {
      productId,
      images: [{ id: image?.id, ...fromUrl('new.jpg') }],
    });
    expect(images).toMatchObject([
      { id: image?.id, name: 'new.jpg', sourceUrl: 'https://example.com/new.jpg' },
    ]);
  });

  test('moves an image between gallery and frames without losing its id', async () => {
    const productId = newProduct();
    const [a, b] = await fill(service, productId, ['a', 'b']);
    await replace(service, { productId, images: [{ id: b?.id }], images360: [{ id: a?.id }] });
    const moved = await readGallery(service, productId);
    expect(moved.images360).toMatchObject([{ id: a?.id, type: 'SPIN_360', position: 0 }]);
    expect(moved.images.nodes).toMatchObject([{ id: b?.id, position: 0 }]);
    await replace(service, { productId, images: [{ id: a?.id }, { id: b?.id }] });
    const back = await readGallery(service, productId);
    expect(back.images.nodes).toMatchObject([{ id: a?.id, type: 'MORE_PHOTO' }, { id: b?.id }]);
  });

  test('gives a picture that stands in the gallery and among the frames to each', async () => {
    const productId = newProduct();
    const set = { productId, images: [fromUrl('a')], images360: [fromUrl('a')] };
    const first = await replace(service, set);
    const again = await replace(service, { ...set, images: [fromUrl('a'), fromUrl('b')] });
    expect(again.kept.map(image => [image.id, image.type])).toEqual(
      first.images.map(image => [image.id, image.type]),
    );
  });

  test('does not touch what only moved down', async () => {
    const productId = newProduct();
    const [a] = await fill(service, productId, ['a']);
    const { images } = await replace(service, { productId, images: [fromUrl('new'), { id: a?.id }] });
    expect(images[1]).toEqual({ ...a, position: 1 });
  });

  test('of a thousand images is one statement that reads and one that writes, of less than half a second', async () => {
    const productId = newProduct();
    const names = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
    await fill(service, productId, names);
    const times: number[] = [];
    for (const order of [names.toReversed(), names, names.toReversed()]) {
      service.statements.length = 0;
      const start = performance.now();
      const images = await fill(service, productId, order);
      times.push(performance.now() - start);
      expect(namesOf(images)).toEqual(order);
      expect(verbsOf(service.statements)).toEqual(['select', 'with']);
    }
    // The best of three: what else the machine does meanwhile is not the service's.
    expect(Math.min(...times)).toBeLessThan(500);
  });

  test('that cannot do without a lock locks, then reads, then writes all at once', async () => {
    const productId = newProduct();
    await fill(service, productId, ['a', 'b', 'c']);
    service.statements.length = 0;
    // One goes, one is moved and one comes; and the colour is another table's.
    const images = ['c', 'b', 'd'].map(fromUrl);
    await replace(service, { productId, images, marketingColor: 'RED' });
    expect(verbsOf(service.statements)).toEqual([
      'select',
      'begin',
      'select',
      'select',
      'update',
      'with',
      'commit',
    ]);
    expect(service.statements[2]).toMatch(/from "products" .* for update$/);
  });

  test('whose write fails changes nothing, and lets go of the product', async () => {
    const productId = newProduct();
    await fill(service, productId, ['a']);
    const sql = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
    try {
      // Told when the transaction ends, and within it: neither must be taken for done.
      for (const timing of ['', 'deferrable initially deferred']) {
        await sql`create or replace function fail_here() returns trigger language plpgsql as
          $$ begin raise exception 'not here'; end $$`;
        await sql.unsafe(
          `create constraint trigger failing after insert on images ${timing} for each row execute function fail_here()`,
        );
        for (let time = 0; time < 3; time++) {
          const { errors } = await service.send(
            `mutation { replaceProductImages(input: { productId: "${productId}",
              images: [{ source: { url: "https://shop.example/b.jpg" } }] }) { images { id } userErrors { code } } }`,
          );
          expect(errors?.[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
        }
        await sql`drop trigger failing on images`;
      }
      expect(await readGallery(service, productId)).toMatchObject({ imagesVersion: 1, imageCount: 1 });
      const { images } = await replace(service, { productId, images: [fromUrl('b')] });
      expect(namesOf(images)).toEqual(['b']);
    } finally {
      await sql.end({ timeout: 5 });
    }
  });

  test('that makes a product, and nothing else, is not answered before it is committed', async () => {
    const productId = newProduct();
    const sql = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
    try {
      await sql`create function fail_at_commit() returns trigger language plpgsql as
        $$ begin raise exception 'not here'; end $$`;
      await sql`create constraint trigger failing after insert on products deferrable initially deferred
        for each row execute function fail_at_commit()`;
      const { errors } = await service.send(
        `mutation { replaceProductImages(input: { productId: "${productId}", images: [] }) { product { id } } }`,
      );
      expect(errors?.[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
      await sql`drop trigger failing on products`;
      const { product } = await replace(service, { productId, images: [] });
      expect(product).toEqual({ imagesVersion: 0 });
      expect(await readGallery(service, productId)).toMatchObject({ imageCount: 0 });
    } finally {
      await sql.end({ timeout: 5 });
    }
  });

  test('in a dry run answers what would happen and changes nothing', async () => {
    const productId = newProduct();
    const [a, b] = await fill(service, productId, ['a', 'b']);
    const before = await readGallery(service, productId);
    const dry = await replace(service, { productId, images: [fromUrl('c'), { id: b?.id }], dryRun: true });
    expect(namesOf(dry.images)).toEqual(['c', 'b']);
    expect(dry.images[1]?.position).toBe(1);
    expect([namesOf(dry.added), idsOf(dry.kept), idsOf(dry.removed)]).toEqual([['c'], [b?.id], [a?.id]]);
    expect(await readGallery(service, productId)).toEqual(before);
    const seen = newProduct();
    await replace(service, { productId: seen, images: [fromUrl('c')], dryRun: true });
    expect((await readGallery(service, seen)).imagesVersion).toBe(0);
  });

  test('with the version seen goes through, with another it is a conflict', async () => {
    const productId = newProduct();
    await fill(service, productId, ['a']);
    const stale = await replace(service, { productId, images: [], expectedVersion: 0 });
    expect(stale.userErrors).toEqual([
      {
        code: 'VERSION_CONFLICT',
        path: ['input', 'expectedVersion'],
        message: 'expectedVersion is 0, but the images are at version 1; read them anew and decide again',
      },
    ]);
    expect((await readGallery(service, productId)).images.nodes).toHaveLength(1);
    const fresh = await replace(service, { productId, images: [], expectedVersion: 1 });
    expect([fresh.userErrors, fresh.product?.imagesVersion]).toEqual([[], 2]);
  });

  test('lets exactly one of many with the same version through', async () => {
    const productId = newProduct();
    await fill(service, productId, ['a']);
    const attempts = Array.from({ length: 12 }, (_, index) =>
      replace(service, { productId, images: [fromUrl(`w${index}`)], expectedVersion: 1 }),
    );
    const results = await Promise.all(attempts);
    const winners = results.filter(({ userErrors }) => userErrors.length === 0);
    expect(winners).toHaveLength(1);
    const stored = await readGallery(service, productId);
    expect(namesOf(stored.images.nodes)).toEqual(namesOf(winners[0]?.images ?? []));
    expect(stored.imagesVersion).toBe(2);
  });

  test('shortens a name of 300 characters in another script and keeps its extension', async () => {
    const productId = newProduct();
    const [image] = await fill(service, productId, [encodeURIComponent(`${'я'.repeat(200)}.jpeg`)]);
    expect(image?.name).toBe(`${'я'.repeat(200)}.jpeg`);
    const [long] = await fill(service, productId, [`${'x'.repeat(300)}.jpeg`]);
    expect(long?.name).toBe(`${'x'.repeat(250)}.jpeg`);
  });
});

describe('what is wrong', () => {
  const url = (text: string) => ({ source: { url: text } });
  const long = (length: number) => 'ä'.repeat(length);

  test('is told all together, with path and value, and nothing is changed', async () => {
    const productId = newProduct();
    const [own] = await fill(service, productId, ['a']);
    const [foreign] = await fill(service, newProduct(), ['f']);
    const before = await readGallery(service, productId);
    const { userErrors, images, product } = await replace(service, {
      productId,
      expectedVersion: 9,
      marketingColor: long(513),
      images: [
        { id: own?.id },
        { id: own?.id },
        { id: foreign?.id },
        { id: '999999999' },
        { id: '9223372036854775808' },
        {},
        url(''),
        url('ftp://example.com/a.jpg'),
        url('/relative.jpg'),
        url(`https://example.com/${'x'.repeat(2_029)}`),
        { ...fromUrl('b'), altText: long(513), description: long(4_097) },
        {
          ...fromUrl('c'),
          altTexts: [
            { locale: 'de_DE', text: 'x' },
            { locale: 'fr', text: long(513) },
          ],
        },
        {
          ...fromUrl('d'),
          altTexts: [
            { locale: 'de', text: 'x' },
            { locale: 'DE', text: 'y' },
          ],
        },
        { ...fromUrl('e'), type: 'SPIN_360' },
        fromUrl('c'),
        { ...fromUrl('g'), altText: 'nul \u0000' },
      ],
      images360: [{ ...fromUrl('s'), type: 'MORE_PHOTO' }],
    });
    const rule = 'it must be an absolute http or https URL';
    expect(
      userErrors.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`).sort(),
    ).toEqual(
      [
        'VERSION_CONFLICT input.expectedVersion: expectedVersion is 9, but the images are at version 1; read them anew and decide again',
        'TEXT_TOO_LONG input.marketingColor: marketingColor has 513 characters; at most 512',
        `DUPLICATE_INPUT input.images.1.id: id ${own?.id} stands at input.images.0.id already; name each image once`,
        `IMAGE_NOT_ON_PRODUCT input.images.2.id: image ${foreign?.id} is on product ${lastProduct}, not on ${productId}`,
        'IMAGE_NOT_FOUND input.images.3.id: Product image not found with id: 999999999',
        'INVALID input.images.4.id: id is "9223372036854775808"; it must be a decimal integer from 1 to 9223372036854775807',
        'REQUIRED input.images.5: neither id nor source is given; name an image of the product, or give a source',
        `INVALID input.images.6.source.url: url is ""; ${rule}`,
        `INVALID input.images.7.source.url: url is "ftp://example.com/a.jpg"; ${rule}`,
        `INVALID input.images.8.source.url: url is "/relative.jpg"; ${rule}`,
        'INVALID input.images.9.source.url: url has 2049 characters; at most 2048',
        'TEXT_TOO_LONG input.images.10.altText: altText has 513 characters; at most 512',
        'TEXT_TOO_LONG input.images.10.description: description has 4097 characters; at most 4096',
        'INVALID input.images.11.altTexts.0.locale: locale is "de_DE"; it must be a BCP 47 language tag such as de or pt-BR',
        'TEXT_TOO_LONG input.images.11.altTexts.1.text: text has 513 characters; at most 512',
        'DUPLICATE_INPUT input.images.12.altTexts.1.locale: locale de stands twice; give one text each',
        'INVALID input.images.13.type: type is SPIN_360; put frames of the 360° view into images360',
        'DUPLICATE_INPUT input.images.14.source.url: url https://example.com/c stands twice in the set; give each picture once',
        'INVALID input.images.15.altText: altText holds a character that is no text (U+0000 or half a surrogate pair)',
        'INVALID input.images360.0.type: type is MORE_PHOTO; leave it out or give SPIN_360',
      ].sort(),
    );
    expect([images, product]).toEqual([[], { imagesVersion: 1 }]);
    expect(await readGallery(service, productId)).toEqual(before);
  });

  test('is a product id that is none', async () => {
    const { userErrors, product } = await replace(service, { productId: '0', images: [] });
    expect(product).toBeNull();
    expect(userErrors).toEqual([
      {
        code: 'INVALID',
        path: ['input', 'productId'],
        message: 'productId is "0"; it must be a decimal integer from 1 to 9223372036854775807',
      },
    ]);
  });

  test('is an image that was deleted', async () => {
    const productId = newProduct();
    const [a] = await fill(service, productId, ['a']);
    await fill(service, productId, []);
    const { userErrors } = await replace(service, { productId, images: [{ id: a?.id }] });
    expect(userErrors).toMatchObject([{ code: 'IMAGE_NOT_FOUND', path: ['input', 'images', '0', 'id'] }]);
  });

  test('is a gallery of 1,001 images or a view of 101 frames', async () => {
    const productId = newProduct();
    const many = (count: number) => Array.from({ length: count }, (_, index) => fromUrl(`m${index}`));
    const { userErrors } = await replace(service, { productId, images: many(1_001), images360: many(101) });
    expect(userErrors).toEqual([
      {
        code: 'IMAGE_LIMIT_EXCEEDED',
        path: ['input', 'images'],
        message: 'the product would have 1001 gallery images; at most 1000',
      },
      {
        code: 'IMAGE_LIMIT_EXCEEDED',
        path: ['input', 'images360'],
        message: 'the product would have 101 360° frames; at most 100',
      },
    ]);
  });

  test('is two sources or none in one, as GraphQL has it', async () => {
    const { errors } = await service.send(
      'mutation { replaceProductImages(input: { productId: "1", images: [{ source: {} }] }) { images { id } } }',
    );
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
  });
});

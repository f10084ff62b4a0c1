import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  countAll,
  fill,
  fromUrl,
  galleryNames,
  linesOf,
  mutate,
  mutateWell,
  readGallery,
} from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService({ MAX_GALLERY_IMAGES: '5', MAX_360_FRAMES: '2', MAX_SWATCHES: '1' });
});
afterAll(() => service.close());

let lastProduct = 7_000_000_000;
const newProduct = () => String(++lastProduct);

function create(productId: string, name: string, more: object = {}) {
  return mutate(service, 'createProductImage', { input: { productId, ...fromUrl(name), ...more } });
}

describe('createProductImage', () => {
  test('adds an image with all that is said of it', async () => {
    const productId = newProduct();
    const { image, userErrors } = await create(productId, 'front.jpg', {
      type: 'DETAIL_PICTURE',
      altText: 'Front',
      altTexts: [
        { locale: 'pt-br', text: 'Frente' },
        { locale: 'de', text: 'Vorne' },
      ],
      description: 'In daylight',
      isThumbnail: true,
      focalPoint: { x: 0.25, y: 1 },
    });
    expect(userErrors).toEqual([]);
    expect(image).toMatchObject({
      productId,
      name: 'front.jpg',
      type: 'DETAIL_PICTURE',
      state: 'IMPORTED',
      position: 0,
      sourceUrl: 'https://example.com/front.jpg',
      url: 'https://example.com/front.jpg',
      altText: 'Front',
      description: 'In daylight',
      isThumbnail: true,
      isPrimary: true,
      focalPoint: { x: 0.25, y: 1 },
      deletedAt: null,
    });
    expect(image?.altTexts).toEqual(
      expect.arrayContaining([
        { locale: 'pt-BR', text: 'Frente' },
        { locale: 'de', text: 'Vorne' },
      ]),
    );
    expect((await readGallery(service, productId)).imagesVersion).toBe(1);
  });

  test.for([
    [undefined, ['a', 'b', 'c', 'new'], 3],
    [null, ['a', 'b', 'c', 'new'], 3],
    [0, ['new', 'a', 'b', 'c'], 0],
    [1, ['a', 'new', 'b', 'c'], 1],
    [3, ['a', 'b', 'c', 'new'], 3],
    [99, ['a', 'b', 'c', 'new'], 3],
  ] as const)('at position %s makes %j', async ([position, names, place]) => {
    const productId = newProduct();
    await fill(service, productId, ['a', 'b', 'c']);
    const { image } = await create(productId, 'new', { position });
    expect(image?.position).toBe(place);
    expect(await galleryNames(service, productId)).toEqual(names);
    const { images } = await readGallery(service, productId);
    expect(images.nodes.map(node => node.position)).toEqual([0, 1, 2, 3]);
  });

  test('counts positions apart in gallery, frames and swatches', async () => {
    const productId = newProduct();
    await fill(service, productId, ['a', 'b']);
    const frame = await create(productId, 's', { type: 'SPIN_360' });
    const swatch = await create(productId, 'c', { type: 'COLOR_SWATCH', position: 0 });
    expect([frame.image?.position, swatch.image?.position]).toEqual([0, 0]);
    expect([frame.image?.isPrimary, swatch.image?.isPrimary]).toEqual([false, false]);
    expect(await galleryNames(service, productId)).toEqual(['a', 'b']);
  });

  test('makes the flagged image the only thumbnail', async () => {
    const productId = newProduct();
    const first = await create(productId, 'a', { isThumbnail: true });
    const second = await create(productId, 'b', { isThumbnail: true });
    const data = await service.query(
      'query ($p: ID!, $a: ID!) { product(id: $p) { thumbnail { id } } productImage(id: $a) { isThumbnail } }',
      { p: productId, a: first.image?.id },
    );
    expect(data).toEqual({
      product: { thumbnail: { id: second.image?.id } },
      productImage: { isThumbnail: false },
    });
  });

  test('may take the same picture twice', async () => {
    const productId = newProduct();
    await create(productId, 'a');
    await create(productId, 'a');
    expect(await galleryNames(service, productId)).toEqual(['a', 'a']);
  });

  test('tells all that is wrong at once', async () => {
    const { image, userErrors } = await mutate(service, 'createProductImage', {
      input: {
        productId: 'x',
        source: { url: 'file:///etc/passwd' },
        altText: 'ä'.repeat(513),
        description: 'ä'.repeat(4_097),
        altTexts: [{ locale: '', text: '' }],
        position: -1,
        focalPoint: { x: -0.1, y: 1.1 },
        idempotencyKey: '',
      },
    });
    expect(image).toBeNull();
    expect(linesOf(userErrors).sort()).toEqual([
      'INVALID input.altTexts.0.locale: locale is ""; it must be a BCP 47 language tag such as de or pt-BR',
      'INVALID input.focalPoint.x: x is -0.1; it must be from 0 to 1',
      'INVALID input.focalPoint.y: y is 1.1; it must be from 0 to 1',
      'INVALID input.idempotencyKey: idempotencyKey is ""; leave it out or give a text',
      'INVALID input.position: position is -1; it must be 0 or more',
      'INVALID input.productId: productId is "x"; it must be a decimal integer from 1 to 9223372036854775807',
      'INVALID input.source.url: url is "file:///etc/passwd"; it must be an absolute http or https URL',
      'TEXT_TOO_LONG input.altText: altText has 513 characters; at most 512',
      'TEXT_TOO_LONG input.description: description has 4097 characters; at most 4096',
    ]);
  });

  test.for(['a\nb', 'a\tb', '\r', '\0', 'a\u007fb', 'a\u0085b', 'a\u009f'])(
    'refuses a URL with a control character (%j)',
    async name => {
      const { userErrors } = await create(newProduct(), `${name}.jpg`);
      expect(linesOf(userErrors)).toEqual([
        `INVALID input.source.url: url is ${JSON.stringify(`https://example.com/${name}.jpg`)}; it must be an absolute http or https URL without control characters such as line breaks`,
      ]);
    },
  );

  test('trims a URL, and counts its characters as those of texts', async () => {
    const url = `https://example.com/${'🪑'.repeat(2_028)}`;
    const trimmed = await create(newProduct(), '', { source: { url: `\n\t ${url} \r\n` } });
    expect(trimmed).toMatchObject({ image: { sourceUrl: url }, userErrors: [] });
    const { userErrors } = await create(newProduct(), '', { source: { url: `${url}🪑` } });
    expect(linesOf(userErrors)).toEqual(['INVALID input.source.url: url has 2049 characters; at most 2048']);
  });

  test.for([
    ['MORE_PHOTO', 5, 'gallery images'],
    ['SPIN_360', 2, '360° frames'],
    ['COLOR_SWATCH', 1, 'colour swatches'],
  ] as const)('refuses a %s beyond %i', async ([type, most, name]) => {
    const productId = newProduct();
    for (let index = 0; index < most; index++) await create(productId, `n${index}`, { type });
    const { userErrors } = await create(productId, 'more', { type });
    expect(linesOf(userErrors)).toEqual([
      `IMAGE_LIMIT_EXCEEDED input.productId: the product would have ${most + 1} ${name}; at most ${most}`,
    ]);
    expect((await readGallery(service, productId)).imageCount).toBe(most);
  });
});

describe('an idempotency key', () => {
  test('makes a repeated call answer as the first time and add nothing', async () => {
    const productId = newProduct();
    const more = { altText: 'x', idempotencyKey: `k-${productId}` };
    const first = await create(productId, 'a', more);
    const again = await mutateWell(service, 'createProductImage', {
      input: { idempotencyKey: more.idempotencyKey, altText: 'x', productId, ...fromUrl('a') },
    });
    expect(again.image).toEqual(first.image);
    expect(await readGallery(service, productId)).toMatchObject({ imageCount: 1, imagesVersion: 1 });
  });

  test('answers the image as it is now, also deleted', async () => {
    const productId = newProduct();
    const more = { idempotencyKey: `k-${productId}` };
    const { image } = await create(productId, 'a', more);
    await mutateWell(service, 'deleteAllProductImages', { productId });
    const again = await create(productId, 'a', more);
    expect(again.image).toMatchObject({ id: image?.id, deletedAt: expect.any(String) });
    expect(await countAll(service, { productIds: [productId] })).toBe(0);
  });

  test('answers also where the product is full by now', async () => {
    const productId = newProduct();
    const more = { idempotencyKey: `k-${productId}`, type: 'COLOR_SWATCH' };
    const first = await create(productId, 'a', more);
    expect((await create(productId, 'a', more)).image).toEqual(first.image);
  });

  const silent = {
    altText: null,
    altTexts: null,
    description: null,
    focalPoint: null,
    position: null,
    type: null,
    isThumbnail: null,
  };
  const blank = { source: { url: ' https://example.com/a\n' } };

  test.for([
    ...Object.entries(silent).map(([name, value]) => ({ [name]: value })),
    silent,
    { type: 'MORE_PHOTO', isThumbnail: false },
    blank,
  ])('comes with the same input where %j tells nothing new', async more => {
    for (const [first, second] of [
      [{}, more],
      [more, {}],
    ]) {
      const productId = newProduct();
      const idempotencyKey = `k-${productId}`;
      const { image } = await create(productId, 'a', { idempotencyKey, ...first });
      const again = await create(productId, 'a', { idempotencyKey, ...second });
      expect(again).toMatchObject({ image: { id: image?.id }, userErrors: [] });
      expect((await readGallery(service, productId)).imageCount).toBe(1);
    }
  });

  test('is kept with the hash that it always had', async () => {
    const productId = newProduct();
    const idempotencyKey = `k-${productId}`;
    await create(productId, 'a', { idempotencyKey, position: 0, altTexts: [{ text: 'x', locale: 'de' }] });
    const hashed = `{"altTexts":[{"locale":"de","text":"x"}],"idempotencyKey":"${idempotencyKey}","isThumbnail":false,"position":0,"productId":"${productId}","source":{"url":"https://example.com/a"},"type":"MORE_PHOTO"}`;
    const rows = await service.db.execute(
      `select encode(idempotency_hash, 'hex') as hash from images where product_id = ${productId}`,
    );
    expect(rows).toMatchObject([{ hash: createHash('sha256').update(hashed).digest('hex') }]);
  });

  test.for([
    { altText: 'other' },
    { altText: '' },
    { productId: '7999999999' },
    { position: 0 },
    { type: 'DETAIL_PICTURE' },
    { isThumbnail: true },
    { focalPoint: { x: 0.5, y: 0.5 } },
    { source: { url: 'https://example.com/a%20' } },
    { source: { url: 'HTTPS://example.com/a' } },
  ])('with another input (%j) is refused', async other => {
    const productId = newProduct();
    const idempotencyKey = `k-${productId}`;
    await create(productId, 'a', { idempotencyKey });
    const { userErrors } = await create(productId, 'a', { idempotencyKey, ...other });
    expect(linesOf(userErrors)).toEqual([
      `IDEMPOTENCY_KEY_REUSED input.idempotencyKey: idempotencyKey "${idempotencyKey}" came before with another input; take a new one`,
    ]);
  });

  test('adds one image however many calls come at once', async () => {
    const productId = newProduct();
    const calls = Array.from({ length: 8 }, () =>
      create(productId, 'a', { idempotencyKey: `k-${productId}` }),
    );
    const ids = new Set((await Promise.all(calls)).map(({ image }) => image?.id));
    expect(ids.size).toBe(1);
    expect((await readGallery(service, productId)).imageCount).toBe(1);
  });

  test('goes to one of many that want it for different products', async () => {
    const idempotencyKey = `shared-${newProduct()}`;
    const calls = Array.from({ length: 8 }, () => create(newProduct(), 'a', { idempotencyKey }));
    const results = await Promise.all(calls);
    expect(results.filter(({ image }) => image)).toHaveLength(1);
    const codes = results.flatMap(({ userErrors }) => userErrors.map(({ code }) => code));
    expect(codes).toEqual(Array.from({ length: 7 }, () => 'IDEMPOTENCY_KEY_REUSED'));
  });
});

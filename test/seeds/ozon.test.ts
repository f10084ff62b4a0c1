import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { askAs, makeKey, tokenSettings } from '../support/credentials.ts';
import {
  fill,
  fromUrl,
  linesOf,
  mutateWell,
  type Problem,
  readGallery,
  replace,
} from '../support/gallery.ts';
import { deleteAll } from '../support/mutations.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture } from '../support/stored-images.ts';
import { openPictureServer } from './picture-server.ts';

// What is documented of ОбновитьИзображенияТовара (Ozon: POST /v1/product/pictures/import), in the document's order,
// done here. What it says stands above the test of it.

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

const productId = '1111588191'; // IDТовара
const picture1 = { source: { url: 'https://openintegrations.dev/test_data/picture.jpg' } }; // Картинка1
const picture2 = { source: { url: 'https://openintegrations.dev/test_data/picture2.jpg' } }; // Картинка2

beforeEach(async () => {
  await deleteAll(service, productId, { permanent: true });
  await mutateWell(service, 'updateProduct', { id: productId, input: { marketingColor: null } });
});

let lastProduct = 4_000_000_000;
const newProduct = () => String(++lastProduct);

interface Picture {
  product_id: string;
  url: string;
  state: string;
  is_primary: boolean;
  type: string;
}

interface Imported {
  product: { marketingColor: string | null } | null;
  pictures: Picture[];
  userErrors: Problem[];
}

/** The whole operation; its pictures under the names that they have at Ozon. */
async function importPictures(input: object): Promise<Imported> {
  const data = await service.query<{ replaceProductImages: Imported }>(
    `mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) {
      product { marketingColor }
      pictures: images {
        product_id: productId url: sourceUrl state is_primary: isPrimary type }
      userErrors { code path message } } }`,
    { input },
  );
  return data.replaceProductImages;
}

const colorOf = async () => (await readGallery(service, productId)).marketingColor;

describe('Обновить изображения товара', () => {
  // «Обновляет изображения и маркетинговый цвет товара»
  test('updates the images and the marketing colour of a product in one change', async () => {
    const before = await readGallery(service, productId);
    await replace(service, { productId, images: [picture1], marketingColor: 'RED' });
    const first = await readGallery(service, productId);
    expect(first).toMatchObject({ marketingColor: 'RED', imagesVersion: before.imagesVersion + 1 });
    await replace(service, { productId, images: [picture2], marketingColor: 'GREEN' });
    const second = await readGallery(service, productId);
    expect(second).toMatchObject({ marketingColor: 'GREEN', imagesVersion: before.imagesVersion + 2 });
    expect(second.images.nodes.map(image => image.name)).toEqual(['picture2.jpg']);
  });

  // IDКлиента, КлючAPI
  test('refuses a call without a credential, or with a wrong one', async () => {
    const guarded = await openTestService(tokenSettings);
    const key = await makeKey(guarded.db);
    const change = `mutation { replaceProductImages(input: {productId: 1, images: []}) { userErrors { code } } }`;
    expect(await askAs(guarded, null, change)).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('scope="images:write"'),
    });
    expect(await askAs(guarded, `${key}x`, change)).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('invalid_token'),
    });
    const writing = await makeKey(guarded.db, { scopes: ['images:write'] });
    expect(await askAs(guarded, writing, change)).toEqual({ status: 200, challenge: null });
    await guarded.close();
  });

  // IDТовара: «Строка, Число»
  test.for([1_111_588_191, '1111588191'])('takes the product id as a string or a number: %j', async id => {
    const { pictures, userErrors } = await importPictures({ productId: id, images: [picture1] });
    expect(userErrors).toEqual([]);
    expect(pictures).toMatchObject([{ product_id: '1111588191' }]);
  });

  test.for(['2147483648', '3111588191', '9007199254740993', '9223372036854775807'])(
    'keeps the product id %s to the last digit',
    async id => {
      const { pictures } = await importPictures({ productId: id, images: [picture1] });
      expect(pictures).toMatchObject([{ product_id: id }]);
      expect((await readGallery(service, id)).imageCount).toBe(1);
    },
  );

  test('takes a large product id as a number in the document', async () => {
    const data = await service.query(
      `mutation { replaceProductImages(input: { productId: 9007199254740995, images: [] }) {
        product { id } userErrors { code } } }`,
    );
    expect(data).toEqual({
      replaceProductImages: { product: { id: '9007199254740995' }, userErrors: [] },
    });
  });

  // МассивИзображений = "": «Массив URL изображений»
  test('wants to be told the images: none are an empty list', async () => {
    await fill(service, productId, ['a']);
    const { errors } = await service.send(
      `mutation { replaceProductImages(input: { productId: ${productId} }) { images { id } } }`,
    );
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining('ReplaceProductImagesInput.images'),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ]);
    expect((await readGallery(service, productId)).imageCount).toBe(1);
    await importPictures({ productId, images: [] });
    expect((await readGallery(service, productId)).imageCount).toBe(0);
  });

  test('tells of every URL that is none, and changes nothing', async () => {
    await fill(service, productId, ['a']);
    const images = [picture1, { source: { url: 'picture.jpg' } }];
    const images360 = [{ source: { url: 'ftp://openintegrations.dev/1.jpg' } }];
    const { userErrors } = await importPictures({ productId, images, images360 });
    expect(linesOf(userErrors)).toEqual([
      'INVALID input.images.1.source.url: url is "picture.jpg"; it must be an absolute http or https URL',
      'INVALID input.images360.0.source.url: url is "ftp://openintegrations.dev/1.jpg"; it must be an absolute http or https URL',
    ]);
    expect((await readGallery(service, productId)).images.nodes).toMatchObject([{ name: 'a' }]);
  });

  // Массив360 = "": «Массив изображений 360»
  test('keeps the frames of the 360° view in order, apart from the images', async () => {
    const images360 = ['frame-1.jpg', 'frame-2.jpg', 'frame-3.jpg'].map(fromUrl);
    await importPictures({ productId, images: [picture1], images360 });
    const gallery = await readGallery(service, productId);
    expect(gallery.images.nodes.map(image => image.name)).toEqual(['picture.jpg']);
    expect(gallery.images360.map(({ name, position, type }) => [name, position, type])).toEqual([
      ['frame-1.jpg', 0, 'SPIN_360'],
      ['frame-2.jpg', 1, 'SPIN_360'],
      ['frame-3.jpg', 2, 'SPIN_360'],
    ]);
  });

  // МаркетинговыйЦвет = "": «Маркетинговый цвет»
  test.for([{}, { marketingColor: null }, { marketingColor: '' }])(
    'has no marketing colour when the call says %j of it',
    async color => {
      await importPictures({ productId, images: [], marketingColor: 'GREEN' });
      const { product } = await importPictures({ productId, images: [], ...color });
      expect(product).toEqual({ marketingColor: null });
      expect(await colorOf()).toBeNull();
    },
  );
});

// «При каждом вызове метода передавайте все изображения, которые должны быть на карточке товара»
describe('tip: pass all images that the product is to have at each call', () => {
  test('removes the images that are left out, restorably', async () => {
    await importPictures({ productId, images: [picture1, picture2] });
    const { kept, removed } = await replace(service, { productId, images: [picture2] });
    expect(kept.map(image => image.name)).toEqual(['picture2.jpg']);
    expect(removed.map(image => image.name)).toEqual(['picture.jpg']);
    const ids = removed.map(image => image.id);
    await mutateWell(service, 'restoreProductImages', { ids });
    const { images } = await readGallery(service, productId);
    expect(images.nodes.map(image => image.name)).toEqual(['picture.jpg', 'picture2.jpg']);
  });

  test('removes the frames when images360 is left out', async () => {
    await importPictures({ productId, images: [picture1], images360: [fromUrl('frame-1.jpg')] });
    const { removed } = await replace(service, { productId, images: [picture1] });
    expect(removed.map(image => image.name)).toEqual(['frame-1.jpg']);
    expect((await readGallery(service, productId)).images360).toEqual([]);
  });

  test('changes nothing when all are passed again', async () => {
    const input = {
      productId,
      images: [picture1, picture2],
      images360: [fromUrl('frame-1.jpg')],
      marketingColor: 'GREEN',
    };
    await importPictures(input);
    const before = await readGallery(service, productId);
    const { added, removed } = await replace(service, input);
    expect([added, removed]).toEqual([[], []]);
    expect(await readGallery(service, productId)).toEqual(before);
  });
});

// «Для загрузки передайте адрес ссылки на изображение в общедоступном облачном хранилище.
// Формат изображения по ссылке — JPG или PNG»
describe('tip: pass links to JPG or PNG images in a public cloud storage', () => {
  let cloud: Awaited<ReturnType<typeof openPictureServer>>;
  const jpg = drawPicture('#0b5e55').then(png => sharp(png).jpeg().toBuffer());
  const png = drawPicture('#facade');

  beforeAll(async () => {
    const text = Buffer.from('Картинка');
    cloud = await openPictureServer({ 'picture.jpg': await jpg, 'picture.png': await png, 'text.jpg': text });
  });
  afterAll(() => cloud.close());

  /** A service that fetches; what it is told to fetch must lie on loopback. */
  async function fetchFrom(names: string[], environment: Record<string, string>): Promise<unknown[]> {
    const fetching = await openTestService({ IMPORTING: 'on', ...environment });
    try {
      const images = names.map(name => ({ source: { url: cloud.url(name) } }));
      await replace(fetching, { productId, images });
      return await vi.waitFor(() => readOutcomes(fetching), { timeout: 10_000, interval: 50 });
    } finally {
      await fetching.close();
    }
  }

  async function readOutcomes(fetching: TestService): Promise<unknown[]> {
    const { product } = await fetching.query<{ product: { images: { nodes: { state: string }[] } } }>(
      `{ product(id: ${productId}) { images { nodes { state mimeType failure { code message } } } } }`,
    );
    const { nodes } = product.images;
    expect(nodes.map(({ state }) => state)).not.toContain('IMPORTED');
    return nodes;
  }

  test('takes in JPG and PNG, by their bytes, and tells of what is neither', async () => {
    const names = ['picture.jpg', 'picture.png', 'text.jpg', 'gone.jpg'];
    expect(await fetchFrom(names, { ALLOW_PRIVATE_SOURCES: 'on' })).toMatchObject([
      { state: 'UPLOADED', mimeType: 'image/jpeg', failure: null },
      { state: 'UPLOADED', mimeType: 'image/png', failure: null },
      { state: 'FAILED', mimeType: null, failure: { code: 'UNSUPPORTED_TYPE' } },
      { state: 'FAILED', mimeType: null, failure: { code: 'SOURCE_NOT_FOUND' } },
    ]);
  });

  test('takes nothing in from a storage that is not public', async () => {
    // Its port is allowed, so that its host alone is what is wrong with it.
    const { port } = new URL(cloud.url('picture.jpg'));
    expect(await fetchFrom(['picture.jpg'], { SOURCE_PORTS: port })).toMatchObject([
      {
        state: 'FAILED',
        mimeType: null,
        failure: { code: 'URL_FORBIDDEN', message: 'host of the URL is not on the public internet' },
      },
    ]);
  });
});

// «Если вы хотите изменить состав или порядок изображений, получите информацию с помощью метода
// ПолучитьИнформациюОТоваре(), скопируйте данные полей images, images360, color_image, измените и дополните состав или
// порядок в соответствии с необходимостью»
describe('tip: to change the set or its order, copy it and change the copy', () => {
  /** The set as it can be given back. */
  async function copySet(copyEntry: (image: { id: string; sourceUrl: string | null }) => object) {
    const { images, images360, marketingColor, imagesVersion } = await readGallery(service, productId);
    return {
      productId,
      images: images.nodes.map(copyEntry),
      images360: images360.map(copyEntry),
      marketingColor,
      expectedVersion: imagesVersion,
    };
  }

  const copies = [
    ['ids', ({ id }: { id: string }) => ({ id })],
    ['URLs', ({ sourceUrl }: { sourceUrl: string | null }) => ({ source: { url: sourceUrl } })],
  ] as const;

  beforeEach(() =>
    replace(service, {
      productId,
      images: [picture1, { ...picture2, altText: 'Второй вид' }],
      images360: ['frame-1.jpg', 'frame-2.jpg'].map(fromUrl),
      marketingColor: 'GREEN',
    }),
  );

  test.for(copies)('the copy by %s changes nothing', async ([, copyEntry]) => {
    const before = await readGallery(service, productId);
    const { userErrors } = await replace(service, await copySet(copyEntry));
    expect(userErrors).toEqual([]);
    expect(await readGallery(service, productId)).toEqual(before);
  });

  test.for(copies)('the copy by %s in another order changes the order alone', async ([, copyEntry]) => {
    const before = await readGallery(service, productId);
    const copy = await copySet(copyEntry);
    const { added, removed } = await replace(service, {
      ...copy,
      images: copy.images.toReversed(),
      images360: copy.images360.toReversed(),
    });
    expect([added, removed]).toEqual([[], []]);
    const after = await readGallery(service, productId);
    const idsAndTexts = (images: { id: string; altText: string | null }[]) =>
      images.map(({ id, altText }) => [id, altText]);
    expect(idsAndTexts(after.images.nodes)).toEqual(idsAndTexts(before.images.nodes.toReversed()));
    expect(idsAndTexts(after.images360)).toEqual(idsAndTexts(before.images360.toReversed()));
    expect(after.marketingColor).toBe('GREEN');
  });

  test.for(copies)('the copy by %s takes additions and omissions', async ([, copyEntry]) => {
    const copy = await copySet(copyEntry);
    const images = [fromUrl('new.jpg'), ...copy.images.slice(1)];
    const { added, kept, removed } = await replace(service, { ...copy, images });
    expect(added.map(image => image.name)).toEqual(['new.jpg']);
    expect(kept.map(image => image.name)).toEqual(['picture2.jpg', 'frame-1.jpg', 'frame-2.jpg']);
    expect(removed.map(image => image.name)).toEqual(['picture.jpg']);
    const gallery = await readGallery(service, productId);
    expect(gallery.images.nodes.map(image => image.name)).toEqual(['new.jpg', 'picture2.jpg']);
  });

  test('the copy of a set that has changed meanwhile is refused', async () => {
    const copy = await copySet(({ id }) => ({ id }));
    await mutateWell(service, 'createProductImage', { input: { productId, ...fromUrl('meanwhile.jpg') } });
    const before = await readGallery(service, productId);
    const { userErrors } = await replace(service, copy);
    expect(userErrors).toMatchObject([{ code: 'VERSION_CONFLICT', path: ['input', 'expectedVersion'] }]);
    expect(await readGallery(service, productId)).toEqual(before);
  });

  test('a dry run tells what the changed copy would do', async () => {
    const before = await readGallery(service, productId);
    const copy = await copySet(({ id }) => ({ id }));
    const images = [...copy.images.slice(1), fromUrl('new.jpg')];
    const { added, removed } = await replace(service, { ...copy, images, dryRun: true });
    expect([added, removed]).toMatchObject([[{ name: 'new.jpg' }], [{ name: 'picture.jpg' }]]);
    expect(await readGallery(service, productId)).toEqual(before);
  });
});

describe('Пример кода', () => {
  // IDТовара = "1111588191"; МассивИзображений: Картинка1, Картинка2; МаркетинговыйЦвет = "GREEN".
  // In "result": { "pictures": […] } each url is where the picture was found at last; here it is the one that was given.
  test('is answered with all that its pictures hold', async () => {
    const { product, pictures, userErrors } = await importPictures({
      productId,
      images: [picture1, picture2],
      marketingColor: 'GREEN',
    });
    expect(userErrors).toEqual([]);
    expect(pictures).toEqual([
      {
        product_id: '1111588191',
        url: 'https://openintegrations.dev/test_data/picture.jpg',
        state: 'IMPORTED', // "imported"
        is_primary: true,
        type: 'MORE_PHOTO', // "is_360": false, "is_color": false
      },
      {
        product_id: '1111588191',
        url: 'https://openintegrations.dev/test_data/picture2.jpg',
        state: 'IMPORTED',
        is_primary: false,
        type: 'MORE_PHOTO',
      },
    ]);
    expect(product).toEqual({ marketingColor: 'GREEN' }); // "url": "GREEN", "is_color": true
  });

  test('takes the addresses that its answer has', async () => {
    const folder = 'https://github.com/Bayselonarrend/OpenIntegrations/raw/main/service/test_data';
    const urls = [`${folder}/picture.jpg`, `${folder}/picture2.jpg`];
    const { pictures } = await importPictures({ productId, images: urls.map(url => ({ source: { url } })) });
    expect(pictures.map(picture => picture.url)).toEqual(urls);
  });

  // Пример команды CLI: --productid "1111588191" --images %images% --images360 %images360% --color %color%
  test('of the command line gives images, frames and colour at once', async () => {
    const { pictures, product } = await importPictures({
      productId: newProduct(),
      images: [picture1],
      images360: [fromUrl('frame-1.jpg')],
      marketingColor: 'GREEN',
    });
    expect(pictures.map(({ type, is_primary }) => [type, is_primary])).toEqual([
      ['MORE_PHOTO', true],
      ['SPIN_360', false], // "is_360": true
    ]);
    expect(product).toEqual({ marketingColor: 'GREEN' });
  });
});

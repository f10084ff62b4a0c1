import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askAs, makeToken, tokenSettings } from '../support/credentials.ts';
import { countAll, linesOf, mutateWell, readGallery } from '../support/gallery.ts';
import { deleteOne } from '../support/mutations.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture } from '../support/stored-images.ts';
import { openImportDirectory, setUpExamples } from './document-values.ts';

// What Bitrix24 documents of catalog.productImage.get and catalog.productImage.delete, in the order of the two
// documents, done here. What they say stands above the test of it.

let service: TestService;
/** One that asks for credentials. */
let guarded: TestService;
let importDirectory: Awaited<ReturnType<typeof openImportDirectory>>;
let picture: Buffer;

beforeAll(async () => {
  picture = await sharp(await drawPicture('#c0ffee'))
    .jpeg()
    .toBuffer();
  importDirectory = await openImportDirectory({ 'test.jpeg': picture });
  service = await openTestService({ IMPORT_DIR: importDirectory.path });
  guarded = await openTestService(tokenSettings);
});
afterAll(async () => {
  await service.close();
  await guarded.close();
  await importDirectory.close();
});

beforeEach(() =>
  setUpExamples(service, [
    {
      id: '1',
      createdAt: '2024-10-17T10:48:05+03:00',
      input: { productId: '1', source: { path: 'test.jpeg' } },
    },
  ]),
);

let lastProduct = 3_000_000_000;
const newProduct = () => String(++lastProduct);

/** товара, головного товара, вариации или услуги */
const owners = ['PRODUCT', 'SKU', 'OFFER', 'SERVICE'] as const;

async function createOn(productId: string, kind: (typeof owners)[number] = 'PRODUCT'): Promise<string> {
  await mutateWell(service, 'updateProduct', { id: productId, input: { kind } });
  const source = { url: 'https://example.com/upload/iblock/test.jpeg' };
  const { image } = await mutateWell(service, 'createProductImage', { input: { productId, source } });
  return image?.id ?? '';
}

interface Found {
  createTime: string;
  detailUrl: string;
  downloadUrl: string;
  id: string;
  name: string;
  productId: string;
  type: string;
}

/** Its fields under the names that they have in Bitrix24. */
const get = `query ($productId: ID, $id: ID!) {
  productImage(productId: $productId, id: $id) {
    createTime: createdAt detailUrl: url downloadUrl id name productId type } }`;

async function find(variables: object): Promise<Found | null> {
  const data = await service.query<{ productImage: Found | null }>(get, variables);
  return data.productImage;
}

/** Lets every statement on images fail while `run` does what it does. */
async function whileImagesAreGone(run: () => Promise<void>): Promise<void> {
  await service.db.execute('alter table images rename to images_out_of_reach');
  try {
    await run();
  } finally {
    await service.db.execute('alter table images_out_of_reach rename to images');
  }
}

/** What GraphQL says of an argument that a document leaves out. */
const missingId = {
  message: expect.stringContaining('argument "id" of type "ID!" is required'),
  extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
};

function post(body: object): Promise<Response> {
  return fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  });
}

interface Time {
  start: number;
  finish: number;
  duration: number;
  processing: number;
  date_start: string;
  date_finish: string;
}

async function readTime(query: string, variables: object): Promise<{ data: unknown; time: Time }> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-packshot-time': '1' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, extensions } = (await response.json()) as { data: unknown; extensions: { time: Time } };
  return { data, time: extensions.time };
}

/** All that `time` holds, and that it fits together. */
function expectTime(time: Time): void {
  expect(Object.keys(time)).toEqual([
    'start',
    'finish',
    'duration',
    'processing',
    'date_start',
    'date_finish',
  ]);
  expect(time.duration).toBeCloseTo(time.finish - time.start, 3);
  expect(time.processing).toBeGreaterThan(0);
  expect(time.processing).toBeLessThanOrEqual(time.duration);
  expect(Math.abs(Date.now() / 1_000 - time.finish)).toBeLessThan(10);
  expect(Date.parse(time.date_start)).toBe(Math.floor(time.start * 1_000));
  expect(Date.parse(time.date_finish)).toBe(Math.floor(time.finish * 1_000));
}

describe('catalog.productImage.get', () => {
  // «Метод возвращает информацию о конкретном изображении товара, головного товара, вариации или услуги.»
  test.for(owners)('tells of a certain image of a %s', async kind => {
    const productId = newProduct();
    const id = await createOn(productId, kind);
    const data = await service.query(
      'query ($productId: ID, $id: ID!) { productImage(productId: $productId, id: $id) { id product { id kind } } }',
      { productId, id },
    );
    expect(data).toEqual({ productImage: { id, product: { id: productId, kind } } });
  });

  // Примеры кода: '{"productId":1,"id":1}'. Обработка ответа: "result": { "productImage": { … } }.
  test('answers the example with all that its productImage holds', async () => {
    const image = await find({ productId: 1, id: 1 });
    expect(image).toEqual({
      createTime: '2024-10-17T07:48:05.000Z', // "2024-10-17T10:48:05+03:00"
      detailUrl: expect.stringMatching(/^http:\/\/localhost:\d+\/images\/\w+\.[\w-]{22}\/[0-9a-f]{64}\.jpg$/),
      downloadUrl: expect.stringMatching(/^http:\/\/localhost:\d+\/images\/.+\/test\.jpeg$/),
      id: '1',
      name: 'test.jpeg',
      productId: '1',
      type: 'MORE_PHOTO',
    });
  });

  test('shows the picture at its detailUrl', async () => {
    const image = await find({ productId: 1, id: 1 });
    const response = await fetch(image?.detailUrl ?? '');
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(picture);
  });

  // "downloadUrl": "http://dev.bx/rest/download.json?sessid=…&token=…"
  test('downloads the original at its downloadUrl, without any other credential', async () => {
    const image = await find({ productId: 1, id: 1 });
    const response = await fetch(image?.downloadUrl ?? '');
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="?test\.jpeg"?$/);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(picture);
  });

  // "time": { "start": 1729171685.5, "finish": …, "duration": …, "processing": …, "date_start": …, "date_finish": … }
  test('tells in extensions.time when it started and finished, duration and processing', async () => {
    const { time } = await readTime(get, { productId: 1, id: 1 });
    expectTime(time);
  });

  // HTTP-статус: 200
  test('answers with status 200', async () => {
    const response = await post({ query: get, variables: { productId: 1, id: 1 } });
    expect(response.status).toBe(200);
  });

  // 200040300010 «Недостаточно прав для просмотра торгового каталога», «… для просмотра товара»
  test.for(['productId: 1, ', ''])('is FORBIDDEN with its code to who may not read: %s', async product => {
    const query = `{ productImage(${product}id: 1) { id } }`;
    const { errors } = await askAs(guarded, makeToken({ scope: 'images:write' }), query);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', legacyCode: '200040300010' } }]);
    expect(await askAs(guarded, makeToken({ scope: 'images:read' }), query)).not.toHaveProperty('errors.0');
  });

  // 100 «Не указан параметр productId». Image ids are unique in the whole store.
  test('does without the productId', async () => {
    expect(await find({ id: 1 })).toMatchObject({ id: '1', productId: '1' });
  });

  test('refuses an empty productId', async () => {
    const { errors } = await service.send(get, { productId: '', id: 1 });
    expect(errors).toMatchObject([
      {
        message: 'productId is ""; it must be a decimal integer from 1 to 9223372036854775807',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  // 100 «Не указан параметр id»
  test('refuses a call without the id', async () => {
    const { data, errors } = await service.send('{ productImage(productId: 1) { id } }');
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([missingId]);
  });

  // 0 «Товар с указанным идентификатором не найден»
  test('finds nothing on a product that is not there, without an error', async () => {
    expect(await find({ productId: 999, id: 1 })).toBeNull();
  });

  // 0 «Изображение с указанным идентификатором не найдено»
  test('finds nothing for an image that is not there, without an error', async () => {
    expect(await find({ productId: 1, id: 999_999 })).toBeNull();
  });

  test('finds nothing for an image of another product, without an error', async () => {
    const productId = newProduct();
    await createOn(productId);
    expect(await find({ productId, id: 1 })).toBeNull();
  });

  // 0 «Другие ошибки (например, фатальные ошибки)»
  test('tells of a fatal error that there was one, and no more', async () => {
    await whileImagesAreGone(async () => {
      const { data, errors } = await service.send(get, { productId: 1, id: 1 });
      expect(data).toEqual({ productImage: null });
      expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
      expect(JSON.stringify(errors)).not.toMatch(/select|relation|images_/i);
    });
    expect(await find({ productId: 1, id: 1 })).not.toBeNull();
  });
});

// «Продолжите изучение»
describe('the methods that both documents lead to', () => {
  test('catalog.productImage.add is createProductImage', async () => {
    const productId = newProduct();
    const source = { path: 'test.jpeg' };
    const input = { productId, source, type: 'DETAIL_PICTURE' };
    const { image } = await mutateWell(service, 'createProductImage', { input });
    expect(image).toMatchObject({ productId, name: 'test.jpeg', type: 'DETAIL_PICTURE', state: 'UPLOADED' });
  });

  test('catalog.productImage.list is product(id) { images }', async () => {
    const productId = newProduct();
    const ids = [await createOn(productId), await createOn(productId)];
    const { images } = await readGallery(service, productId);
    expect(images.nodes.map(image => image.id)).toEqual(ids);
  });

  test('catalog.productImage.getFields is introspection', async () => {
    const { __type } = await service.query<{ __type: { fields: { name: string; description: string }[] } }>(
      '{ __type(name: "ProductImage") { fields { name description } } }',
    );
    const fields = new Map(__type.fields.map(({ name, description }) => [name, description]));
    for (const name of ['createdAt', 'url', 'id', 'name', 'productId', 'type']) {
      expect(fields.get(name), name).toEqual(expect.stringMatching(/./));
    }
  });

  test('catalog.productImage.getFields names the types that an image can have', async () => {
    const { __type } = await service.query<{ __type: { enumValues: { name: string }[] } }>(
      '{ __type(name: "ProductImageType") { enumValues { name } } }',
    );
    const names = __type.enumValues.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['DETAIL_PICTURE', 'PREVIEW_PICTURE', 'MORE_PHOTO']));
  });
});

describe('catalog.productImage.delete', () => {
  // «Метод удаляет изображение из товара, головного товара, вариации или услуги.»
  test.for(owners)('deletes an image of a %s', async kind => {
    const productId = newProduct();
    const id = await createOn(productId, kind);
    const { deletedIds, userErrors } = await deleteOne(service, { productId, id });
    expect([deletedIds, userErrors]).toEqual([[id], []]);
    expect(await find({ productId, id })).toBeNull();
    expect(await countAll(service, { productIds: [productId] })).toBe(0);
  });

  // Примеры кода: '{"productId":1,"id":1}'. Обработка ответа: "result": true.
  test('answers the example with what it deleted', async () => {
    const { deletedCount, deletedIds, deletedImages, userErrors } = await deleteOne(service, {
      productId: 1,
      id: 1,
    });
    expect({ deletedCount, deletedIds, userErrors }).toEqual({
      deletedCount: 1,
      deletedIds: ['1'],
      userErrors: [],
    });
    expect(deletedImages).toMatchObject([{ id: '1', productId: '1', name: 'test.jpeg' }]);
    expect(await find({ productId: 1, id: 1 })).toBeNull();
  });

  // HTTP-статус: 200
  test('answers with status 200', async () => {
    const query = 'mutation { deleteProductImage(productId: 1, id: 1) { deletedCount } }';
    const response = await post({ query });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ data: { deleteProductImage: { deletedCount: 1 } } });
  });

  test('tells in extensions.time when it started and finished, duration and processing', async () => {
    const deletion = 'mutation { deleteProductImage(productId: 1, id: 1) { deletedCount } }';
    const { time, data } = await readTime(deletion, {});
    expect(data).toEqual({ deleteProductImage: { deletedCount: 1 } });
    expectTime(time);
  });
  // 200040300020 «Недостаточно прав для изменения торгового каталога», «… для изменения товара»
  test.for(['productId: 1, ', ''])('is FORBIDDEN with its code to who may not write: %s', async product => {
    const deletion = `mutation { deleteProductImage(${product}id: 1) { deletedCount } }`;
    const { errors } = await askAs(guarded, makeToken({ scope: 'images:read' }), deletion);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', legacyCode: '200040300020' } }]);
    expect(await askAs(guarded, makeToken({ scope: 'images:write' }), deletion)).not.toHaveProperty(
      'errors.0',
    );
  });

  // 100 «Не указан или пустой параметр productId»
  test('does without the productId', async () => {
    expect(await deleteOne(service, { id: 1 })).toMatchObject({ deletedIds: ['1'], userErrors: [] });
  });

  test('refuses an empty productId', async () => {
    const { deletedCount, userErrors } = await deleteOne(service, { productId: '', id: 1 });
    expect(deletedCount).toBe(0);
    expect(linesOf(userErrors)).toEqual([
      'INVALID productId: productId is ""; it must be a decimal integer from 1 to 9223372036854775807',
    ]);
    expect(await find({ id: 1 })).not.toBeNull();
  });

  // 100 «Не указан или пустой параметр id»
  test('refuses a call without the id', async () => {
    const { data, errors } = await service.send(
      'mutation { deleteProductImage(productId: 1) { deletedCount } }',
    );
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([missingId]);
  });

  test('refuses an empty id', async () => {
    const { userErrors } = await deleteOne(service, { productId: 1, id: '' });
    expect(linesOf(userErrors)).toEqual([
      'INVALID id: id is ""; it must be a decimal integer from 1 to 9223372036854775807',
    ]);
  });

  // 0 «Товар с указанным идентификатором не найден»
  test('says that it does not know the product', async () => {
    const { userErrors } = await deleteOne(service, { productId: 999, id: 1 });
    expect(linesOf(userErrors)).toEqual(['PRODUCT_NOT_FOUND productId: Product not found with id: 999']);
    expect(await find({ id: 1 })).not.toBeNull();
  });

  // 0 «Изображение с указанным идентификатором не найдено»
  test('says that it does not know the image', async () => {
    const { userErrors } = await deleteOne(service, { productId: 1, id: 999_999 });
    expect(linesOf(userErrors)).toEqual(['IMAGE_NOT_FOUND id: Product image not found with id: 999999']);
  });

  test('says that the image is on another product', async () => {
    const productId = newProduct();
    await createOn(productId);
    const { userErrors } = await deleteOne(service, { productId, id: 1 });
    expect(linesOf(userErrors)).toEqual([
      `IMAGE_NOT_ON_PRODUCT id: image 1 is on product 1, not on ${productId}`,
    ]);
    expect(await find({ id: 1 })).not.toBeNull();
  });

  // 0 «Другие ошибки (например, фатальные ошибки)»
  test('tells of a fatal error that there was one, and deletes nothing', async () => {
    await whileImagesAreGone(async () => {
      const { errors } = await service.send(
        'mutation { deleteProductImage(productId: 1, id: 1) { deletedCount } }',
      );
      expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
      expect(JSON.stringify(errors)).not.toMatch(/select|relation|images_/i);
    });
    expect(await find({ productId: 1, id: 1 })).not.toBeNull();
  });
});

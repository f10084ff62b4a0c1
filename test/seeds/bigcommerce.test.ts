import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
import { deleteAll, deleteMany, deleteOne } from '../support/mutations.ts';
import { type Answer, openTestService, type TestService } from '../support/service.ts';
import { drawPicture } from '../support/stored-images.ts';
import { openImportDirectory, setUpExamples } from './document-values.ts';

// What BigCommerce documents of its product images (V2), in the document's order, done here.

let service: TestService;
let importDirectory: Awaited<ReturnType<typeof openImportDirectory>>;

beforeAll(async () => {
  const jpeg = (color: string) => drawPicture(color).then(png => sharp(png).jpeg().toBuffer());
  importDirectory = await openImportDirectory({
    'sample_images/in_123__14581.jpg': await jpeg('#123123'),
    'sample_images/in_122__93910.jpg': await jpeg('#122122'),
    'p/022/astonishing-x-men-1-100k__36562.jpg': await jpeg('#022022'),
    'k/392/ud2vk0n1l0zcfr7gtlqi__43888.png': await drawPicture('#392392'),
    'large.jpg': await sharp(await drawPicture('#1a46e5'))
      .resize(2_000, 1_500)
      .jpeg()
      .toBuffer(),
  });
  service = await openTestService({ IMPORT_DIR: importDirectory.path });
});
afterAll(async () => {
  await service.close();
  await importDirectory.close();
});

/** The two images of product 32, as the document's examples have them. */
beforeEach(() =>
  setUpExamples(service, [
    {
      id: '247',
      createdAt: 'Mon, 24 Sep 2012 01:14:30 +0000',
      input: {
        productId: '32',
        source: { path: 'sample_images/in_123__14581.jpg' },
        isThumbnail: true,
        description: null,
      },
    },
    {
      id: '248',
      createdAt: 'Mon, 24 Sep 2012 01:17:14 +0000',
      input: {
        productId: '32',
        source: { path: 'sample_images/in_122__93910.jpg' },
        isThumbnail: false,
        description: null,
      },
    },
  ]),
);

let lastProduct = 5_000_000_000;
const newProduct = () => String(++lastProduct);

interface DocumentedImage {
  id: string;
  product_id: string;
  image_file: string;
  is_thumbnail: boolean;
  sort_order: number;
  description: string | null;
  date_created: string;
}

/** Its fields under the names that they have at BigCommerce. */
const fields = `id product_id: productId image_file: name is_thumbnail: isThumbnail sort_order: position
  description date_created: createdAt`;

async function find(id: string, productId?: string): Promise<DocumentedImage | null> {
  const data = await service.query<{ productImage: DocumentedImage | null }>(
    `query ($id: ID!, $productId: ID) { productImage(id: $id, productId: $productId) { ${fields} } }`,
    { id, productId },
  );
  return data.productImage;
}

/** Those of its fields that lead to pictures. */
const sizedFields =
  'zoom_url: zoomUrl thumbnail_url: thumbnailUrl standard_url: standardUrl tiny_url: tinyUrl';
type SizedAddresses = Record<'zoom_url' | 'thumbnail_url' | 'standard_url' | 'tiny_url', string>;

interface ImagePage {
  nodes: DocumentedImage[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

function sendList(productId: string, page: object = {}): Promise<Answer<{ productImages: ImagePage }>> {
  return service.send(
    `query ($productId: ID!, $first: Int, $after: String) {
      productImages(first: $first, after: $after, orderBy: ID, filter: { productIds: [$productId] }) {
        nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`,
    { productId, ...page },
  );
}

async function list(productId: string, page: object = {}): Promise<ImagePage> {
  const { data, errors } = await sendList(productId, page);
  expect(errors).toBeUndefined();
  return data.productImages;
}

async function fillMany(productId: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `n${index}.jpg`);
  return (await fill(service, productId, names)).map(image => image.id);
}

const update = (id: string, input: object) => mutate(service, 'updateProductImage', { id, input });
const create = (input: object) => mutate(service, 'createProductImage', { input });

async function versionOf(productId: string): Promise<number> {
  return (await readGallery(service, productId)).imagesVersion;
}

const example247 = {
  id: '247',
  product_id: '32',
  image_file: 'in_123__14581.jpg', // "sample_images/in_123__14581.jpg"
  is_thumbnail: true,
  sort_order: 0,
  description: null,
  date_created: '2012-09-24T01:14:30.000Z', // "Mon, 24 Sep 2012 01:14:30 +0000"
};

const example248 = {
  id: '248',
  product_id: '32',
  image_file: 'in_122__93910.jpg', // "sample_images/in_122__93910.jpg"
  is_thumbnail: false,
  sort_order: 1,
  description: null,
  date_created: '2012-09-24T01:17:14.000Z', // "Mon, 24 Sep 2012 01:17:14 +0000"
};

describe('Product Image Object – Properties', () => {
  // image_file: "a path to an image already uploaded via WebDAV to the import directory (with the path relative to
  // the import directory)"
  test('takes an image_file as a path relative to the import directory', async () => {
    const source = { path: 'sample_images/in_123__14581.jpg' };
    const { image } = await mutateWell(service, 'createProductImage', {
      input: { productId: newProduct(), source },
    });
    expect(image).toMatchObject({ name: 'in_123__14581.jpg', state: 'UPLOADED', sourceUrl: null });
  });

  // "or a URL to an image accessible on the internet"
  test('takes an image_file as a URL', async () => {
    const source = { url: 'https://example.com/in_123.jpg' };
    const { image } = await mutateWell(service, 'createProductImage', {
      input: { productId: newProduct(), source },
    });
    expect(image).toMatchObject({ name: 'in_123.jpg', state: 'IMPORTED', sourceUrl: source.url });
  });

  // is_thumbnail: "If true, the image is used as the product's thumbnail."
  test('uses the image with is_thumbnail as the thumbnail, and one at a time', async () => {
    await update('248', { isThumbnail: true });
    const data = await service.query('{ product(id: 32) { thumbnail { id } } }');
    expect(data).toEqual({ product: { thumbnail: { id: '248' } } });
    expect(await find('247')).toMatchObject({ is_thumbnail: false });
  });

  test('uses the first image where none is the thumbnail', async () => {
    await update('247', { isThumbnail: false });
    const data = await service.query('{ product(id: 32) { thumbnail { id isThumbnail } } }');
    expect(data).toEqual({ product: { thumbnail: { id: '247', isThumbnail: false } } });
  });

  // sort_order: "Lower integers will give the image a higher priority."
  test('shows the images with the lower sort_order first', async () => {
    const productId = newProduct();
    await create({ productId, ...fromUrl('later'), position: 0 });
    await create({ productId, ...fromUrl('sooner'), position: 0 });
    const { images } = await readGallery(service, productId);
    expect(images.nodes.map(({ name, position }) => [name, position])).toEqual([
      ['sooner', 0],
      ['later', 1],
    ]);
  });

  // "If the image is given a lower priority, then when updating, all images with a sort_order the same or greater than
  // the image's new sort_order value will have their sort_order reordered."
  test.for([
    ['a', 2, ['b', 'c', 'a', 'd']],
    ['a', 9, ['b', 'c', 'd', 'a']],
    ['d', 1, ['a', 'd', 'b', 'c']],
    ['c', 0, ['c', 'a', 'b', 'd']],
  ] as const)('moves the others when %s gets sort_order %i', async ([name, position, names]) => {
    const productId = newProduct();
    const images = await fill(service, productId, ['a', 'b', 'c', 'd']);
    await update(images.find(image => image.name === name)?.id ?? '', { position });
    const gallery = await readGallery(service, productId);
    expect(gallery.images.nodes.map(image => image.name)).toEqual(names);
    expect(gallery.images.nodes.map(image => image.position)).toEqual([0, 1, 2, 3]);
  });

  // description: "The description for the image"
  test('keeps a description as it is, 4,096 characters of any script', async () => {
    const description = 'Диван, 写真 🛋\n'.repeat(400).slice(0, 4_096);
    await update('247', { description });
    expect(await find('247')).toMatchObject({ description });
  });
});

describe('List Product Images', () => {
  // "Default sorting is by image id, from lowest to highest."
  test('sorts by image id, whatever the order of the gallery', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 12);
    await mutateWell(service, 'reorderProductImages', { productId, imageIds: ids.toReversed() });
    const { nodes } = await list(productId);
    expect(nodes.map(image => image.id)).toEqual(ids);
    expect(nodes.map(image => image.sort_order)).toEqual(ids.map((_, index) => 11 - index));
  });

  // "There are no filter parameters specific to product images."
  test('lists the images of the product and of no other', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 2);
    expect((await list(productId)).nodes.map(image => image.id)).toEqual(ids);
  });

  test('lists none for a product that has none', async () => {
    expect((await list(newProduct())).nodes).toEqual([]);
  });

  // "If a limit isn't provided, up to 50 product_images are returned by default."
  test('returns 50 unless told otherwise, and says that there are more', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 51);
    const { nodes, pageInfo } = await list(productId);
    expect(nodes.map(image => image.id)).toEqual(ids.slice(0, 50));
    expect(pageInfo.hasNextPage).toBe(true);
  });

  // "The maximum limit is 250."
  test('returns up to 250, and refuses to be asked for more', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 251);
    const { nodes } = await list(productId, { first: 250 });
    expect(nodes.map(image => image.id)).toEqual(ids.slice(0, 250));
    const { errors } = await sendList(productId, { first: 251 });
    expect(errors).toMatchObject([
      { message: 'first is 251; from 1 to 250', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test('refuses a limit of 0', async () => {
    const { errors } = await sendList('32', { first: 0 });
    expect(errors).toMatchObject([
      { message: 'first is 0; from 1 to 250', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  // "/api/v2/products/{product_id}/images?page={number}", "?limit={count}"
  test('leads from page to page, each image once, to the end', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 120);
    const seen: string[] = [];
    const sizes: number[] = [];
    let page: ImagePage | undefined;
    while (page === undefined || page.pageInfo.hasNextPage) {
      page = await list(productId, { first: 50, after: page?.pageInfo.endCursor });
      sizes.push(page.nodes.length);
      seen.push(...page.nodes.map(image => image.id));
    }
    expect(seen).toEqual(ids);
    expect(sizes).toEqual([50, 50, 20]);
  });

  test('refuses a page number in the place of a cursor', async () => {
    const { errors } = await sendList('32', { after: '2' });
    expect(errors).toMatchObject([
      {
        message: 'after is "2", which is no cursor of this service; pass one that it gave',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  // "Example JSON returned in the response"
  test('answers the example', async () => {
    expect((await list('32')).nodes).toEqual([example247, example248]);
  });

  // "zoom_url": "https://cdn.url.path/…/in_123__14581.1393831046.1280.1280.jpg?c=1", and so on
  test.for([
    ['zoom_url', 1_280, 960], // .1280.1280.jpg
    ['thumbnail_url', 386, 290], // .386.513.jpg
    ['standard_url', 220, 165], // .220.290.jpg
    ['tiny_url', 44, 33], // .44.58.jpg
  ] as const)('leads from %s to a picture of %i × %i', async ([name, width, height]) => {
    const productId = newProduct();
    await mutateWell(service, 'createProductImage', { input: { productId, source: { path: 'large.jpg' } } });
    const data = await service.query<{ productImages: { nodes: SizedAddresses[] } }>(
      `query ($productId: ID!) { productImages(filter: { productIds: [$productId] }) { nodes { ${sizedFields} } } }`,
      { productId },
    );
    const address = data.productImages.nodes[0]?.[name] ?? '';
    expect(address).toMatch(/\.jpg$/);
    const response = await fetch(address);
    expect(response.status).toBe(200);
    const found = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect(found).toMatchObject({ format: 'jpeg', width, height });
  });
});

describe('Get a Product Image', () => {
  // GET /stores/{store_hash}/v2/products/{product_id}/images/{id}
  test('answers the example', async () => {
    expect(await find('248', '32')).toEqual(example248);
  });

  test.for([
    ['248', '33'],
    ['249999', '32'],
  ] as const)('answers nothing for image %s of product %s', async ([id, productId]) => {
    expect(await find(id, productId)).toBeNull();
  });

  test('answers its zoom_url, thumbnail_url, standard_url and tiny_url', async () => {
    const data = await service.query<{ productImage: SizedAddresses }>(
      `{ productImage(id: 248, productId: 32) { ${sizedFields} } }`,
    );
    const address = expect.stringMatching(/^http:.*\/\d+x\d+-auto\.jpg$/);
    const urls = { zoom_url: address, thumbnail_url: address, standard_url: address, tiny_url: address };
    expect(data.productImage).toEqual(urls);
  });
});

describe('Get a Count of Product Images', () => {
  // "Gets a count of the number of product images in the store." { "count": 105 }
  test('counts the images of the whole store, of all products and types', async () => {
    const store = await openTestService();
    try {
      expect(await countAll(store)).toBe(0);
      const names = Array.from({ length: 103 }, (_, index) => `n${index}`);
      await fill(store, '32', names);
      for (const type of ['SPIN_360', 'COLOR_SWATCH', 'MORE_PHOTO']) {
        const input = { productId: '33', ...fromUrl(type), type };
        await mutateWell(store, 'createProductImage', { input });
      }
      const [first] = (await readGallery(store, '32')).images.nodes;
      await deleteOne(store, { id: first?.id ?? '' });
      expect(await store.query('{ count: imageCount }')).toEqual({ count: 105 });
    } finally {
      await store.close();
    }
  });
});

/** How a field that an input does not have is refused, in a variable or in the document itself. */
function noField(name: string, input: string, code = 'BAD_USER_INPUT') {
  const message = expect.stringContaining(`Field "${name}" is not defined by type "${input}"`);
  return { message, extensions: { code } };
}

describe('Create a Product Image', () => {
  // "If one or more of these properties are included in the request, it will be rejected: id, date_created, product_id"
  // The product that the path names there is the input's productId here.
  test.for([
    ['id', '116'],
    ['createdAt', '2012-12-21T18:54:04.000Z'],
    ['date_created', 'Fri, 21 Dec 2012 18:54:04 +0000'],
    ['product_id', '29'],
  ])('rejects the read-only %s', async ([name = '', value]) => {
    const productId = newProduct();
    const { errors } = await service.send(
      'mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } } }',
      { input: { productId, ...fromUrl('x'), [name]: value } },
    );
    expect(errors).toMatchObject([noField(name, 'CreateProductImageInput')]);
    expect(await countAll(service, { productIds: [productId] })).toBe(0);
  });

  test('rejects what is read-only before anything is run', async () => {
    const { data, errors } = await service.send(
      `mutation { createProductImage(input: {
        productId: 29, source: { url: "https://example.com/x" }, id: 116, createdAt: "2012-12-21" }) { image { id } } }`,
    );
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([
      noField('id', 'CreateProductImageInput', 'GRAPHQL_VALIDATION_FAILED'),
      noField('createdAt', 'CreateProductImageInput', 'GRAPHQL_VALIDATION_FAILED'),
    ]);
  });

  // "The following properties of the product image are required: image_file"
  test('requires an image_file', async () => {
    const productId = newProduct();
    const { errors } = await service.send(
      `mutation { createProductImage(input: { productId: ${productId} }) { image { id } } }`,
    );
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining('CreateProductImageInput.source'),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ]);
    expect(await countAll(service, { productIds: [productId] })).toBe(0);
  });

  test.for([
    [{}, 'Exactly one key must be specified'],
    [{ url: 'https://example.com/a.jpg', path: 'a.jpg' }, 'Exactly one key must be specified'],
    [{ url: null }, 'must be non-null'],
  ] as const)('refuses the image_file %j', async ([source, message]) => {
    const { errors } = await service.send(
      'mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } } }',
      { input: { productId: newProduct(), source } },
    );
    expect(errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  // "The request won't be fulfilled unless these properties are valid."
  test.for([
    [{ url: 'sample_images/in_123__14581.jpg' }, 'INVALID input.source.url: url is "sample_images/'],
    [
      { url: 'webdav://example.com/a.jpg' },
      'INVALID input.source.url: url is "webdav://example.com/a.jpg"; ',
    ],
    [{ path: 'sample_images/none.jpg' }, 'SOURCE_NOT_FOUND input.source.path: path is "sample_images/none.'],
    [{ path: '../in_123__14581.jpg' }, 'INVALID input.source.path: path is "../in_123__14581.jpg"; it must'],
    [{ path: '/etc/hostname' }, 'INVALID input.source.path: path is "/etc/hostname"; it must be that of a'],
  ] as const)('does not fulfil a request with the image_file %j', async ([source, problem]) => {
    const productId = newProduct();
    const { image, userErrors } = await create({ productId, source });
    expect(image).toBeNull();
    expect(linesOf(userErrors)).toEqual([expect.stringContaining(problem)]);
    expect(await countAll(service, { productIds: [productId] })).toBe(0);
  });

  // "Example JSON returned in the response"
  test('answers the example', async () => {
    const path = 'p/022/astonishing-x-men-1-100k__36562.jpg';
    await setUpExamples(service, [
      {
        id: '116',
        createdAt: 'Fri, 21 Dec 2012 18:54:04 +0000',
        input: { productId: '29', source: { path }, description: '' },
      },
    ]);
    expect(await find('116', '29')).toEqual({
      id: '116',
      product_id: '29',
      image_file: 'astonishing-x-men-1-100k__36562.jpg',
      is_thumbnail: false,
      sort_order: 0,
      description: '',
      date_created: '2012-12-21T18:54:04.000Z',
    });
  });
});

describe('Update a Product Image', () => {
  // "If one or more of these properties are included in the request, it will be rejected: id, product_id, date_created"
  test.for([
    ['id', '118'],
    ['productId', '30'],
    ['product_id', '30'],
    ['createdAt', '2012-12-21T19:01:03.000Z'],
    ['date_created', 'Fri, 21 Dec 2012 19:01:03 +0000'],
  ])('rejects the read-only %s', async ([name = '', value]) => {
    const { errors } = await service.send(
      'mutation ($input: UpdateProductImageInput!) { updateProductImage(id: 248, input: $input) { image { id } } }',
      { input: { description: 'changed', [name]: value } },
    );
    expect(errors).toMatchObject([noField(name, 'UpdateProductImageInput')]);
    expect(await find('248')).toEqual(example248);
  });

  // "The following properties of the product image are required." None follow.
  test('requires nothing, and without anything changes nothing', async () => {
    const version = await versionOf('32');
    const { image, userErrors } = await update('248', {});
    expect(userErrors).toEqual([]);
    expect(image?.id).toBe('248');
    expect(await find('248')).toEqual(example248);
    expect(await versionOf('32')).toBe(version);
  });

  // "The request won't be fulfilled unless these properties are valid."
  test('changes nothing where a property is not valid', async () => {
    const { image, userErrors } = await update('248', {
      source: { path: 'none.png' },
      position: -1,
      isThumbnail: true,
      description: 'x'.repeat(4_097),
    });
    expect(image).toBeNull();
    expect(linesOf(userErrors).sort()).toEqual([
      'INVALID input.position: position is -1; it must be 0 or more',
      'SOURCE_NOT_FOUND input.source.path: path is "none.png"; no file of the import directory has it',
      'TEXT_TOO_LONG input.description: description has 4097 characters; at most 4096',
    ]);
    expect((await list('32')).nodes).toEqual([example247, example248]);
  });

  test('leaves what is left out, and clears what is null', async () => {
    await update('248', { description: 'side view' });
    await update('248', { isThumbnail: true });
    expect(await find('248')).toEqual({ ...example248, description: 'side view', is_thumbnail: true });
    await update('248', { description: null, isThumbnail: false });
    expect(await find('248')).toEqual(example248);
  });

  test('says that there is no such image', async () => {
    const { userErrors } = await update('249999', { description: 'x' });
    expect(linesOf(userErrors)).toEqual(['IMAGE_NOT_FOUND id: Product image not found with id: 249999']);
  });

  // "Example JSON returned in the response"
  test('answers the example', async () => {
    const source = { url: 'https://example.com/before.png' };
    await setUpExamples(service, [
      { id: '118', createdAt: '2012-12-21T19:01:03Z', input: { productId: '30', source, isThumbnail: true } },
      { id: '119', input: { productId: '30', source } },
    ]);
    const { image } = await update('118', {
      source: { path: 'k/392/ud2vk0n1l0zcfr7gtlqi__43888.png' },
      isThumbnail: false,
      position: 1,
      description: '',
    });
    expect(image).toMatchObject({ state: 'UPLOADED', sourceUrl: null });
    expect(await find('118', '30')).toEqual({
      id: '118',
      product_id: '30',
      image_file: 'ud2vk0n1l0zcfr7gtlqi__43888.png', // "k/392/ud2vk0n1l0zcfr7gtlqi__43888.png"
      is_thumbnail: false,
      sort_order: 1,
      description: '',
      date_created: '2012-12-21T19:01:03.000Z', // "Fri, 21 Dec 2012 19:01:03 +0000"
    });
    expect(await find('119')).toMatchObject({ sort_order: 0 });
  });
});

describe('Delete a Product Image', () => {
  // DELETE /stores/{store_hash}/v2/products/{product_id}/images/{id}
  test('deletes the image and leaves the others', async () => {
    const { deletedIds, userErrors } = await deleteOne(service, { id: '247', productId: '32' });
    expect([deletedIds, userErrors]).toEqual([['247'], []]);
    expect((await list('32')).nodes).toEqual([{ ...example248, sort_order: 0 }]);
  });
});

describe('Delete Multiple Product Images', () => {
  // DELETE /stores/{store_hash}/v2/products/{product_id}/images
  test('deletes all images of the product', async () => {
    const { deletedIds } = await deleteAll(service, '32');
    expect(deletedIds).toEqual(['247', '248']);
    expect((await list('32')).nodes).toEqual([]);
  });

  // "If a limit isn't provided, up to 50 product_images": here all means all.
  test('deletes all of 51 at once', async () => {
    const productId = newProduct();
    await fillMany(productId, 51);
    expect((await deleteAll(service, productId)).deletedCount).toBe(51);
    expect(await galleryNames(service, productId)).toEqual([]);
  });

  // "?page={number}", "?limit={count}"
  test('deletes just those of a page', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 5);
    const first = await list(productId, { first: 2 });
    const second = await list(productId, { first: 2, after: first.pageInfo.endCursor });
    const { deletedIds } = await deleteMany(
      service,
      second.nodes.map(image => image.id),
    );
    expect(deletedIds).toEqual(ids.slice(2, 4));
    expect((await list(productId)).nodes.map(image => image.id)).toEqual(ids.toSpliced(2, 2));
  });

  // "The maximum limit is 250."
  test('deletes 250 by their ids, and refuses more', async () => {
    const productId = newProduct();
    const ids = await fillMany(productId, 251);
    const refused = await deleteMany(service, ids);
    expect(linesOf(refused.userErrors)).toEqual([
      'BATCH_LIMIT_EXCEEDED ids: 251 ids are given; at most 250 in one call',
    ]);
    expect(await countAll(service, { productIds: [productId] })).toBe(251);
    expect((await deleteMany(service, ids.slice(0, 250))).deletedCount).toBe(250);
    expect((await list(productId)).nodes.map(image => image.id)).toEqual(ids.slice(250));
  });

  test('deletes none where one of the ids is of no image', async () => {
    const { deletedCount, userErrors } = await deleteMany(service, ['247', '249999', '248']);
    expect(deletedCount).toBe(0);
    expect(linesOf(userErrors)).toEqual(['IMAGE_NOT_FOUND ids.1: Product image not found with id: 249999']);
    expect((await list('32')).nodes).toEqual([example247, example248]);
  });
});

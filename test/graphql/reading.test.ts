import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

interface Node {
  id: string;
  productId: string;
  sourceUrl: string;
}

interface Connection {
  nodes: Node[];
  edges: { cursor: string; node: Node }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
  totalCount: number;
}

const connection =
  '{ nodes { id productId sourceUrl } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }';

/** Makes a product's images come from https://example.com/NAME, in the order of the names; answers their ids. */
async function fill(productId: string, names: string[], names360: string[] = []): Promise<string[]> {
  const entry = (name: string) => ({ source: { url: `https://example.com/${name}` } });
  const { replaceProductImages } = await service.query<{ replaceProductImages: { images: Node[] } }>(
    'mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) { images { id } userErrors { message } } }',
    { input: { productId, images: names.map(entry), images360: names360.map(entry) } },
  );
  return replaceProductImages.images.map(image => image.id);
}

async function list(variables: object): Promise<Connection> {
  const { productImages } = await service.query<{ productImages: Connection }>(
    `query ($first: Int, $after: String, $last: Int, $before: String, $filter: ProductImageFilter, $orderBy: ProductImageOrder) {
      productImages(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) ${connection}
    }`,
    { orderBy: 'GALLERY', ...variables },
  );
  return productImages;
}

/** The message of the one error that a document must give. */
async function refusal(document: string, variables?: object): Promise<{ message: string; code: string }> {
  const { errors } = await service.send(document, variables);
  expect(errors).toHaveLength(1);
  return { message: errors?.[0]?.message ?? '', code: errors?.[0]?.extensions.code ?? '' };
}

const namesOf = ({ nodes }: Connection) => nodes.map(node => node.sourceUrl.split('/').at(-1));

describe('productImage', () => {
  test('answers the image with its product', async () => {
    const [id] = await fill('4294967301', ['front.jpg']);
    const data = await service.query<{ productImage: unknown }>(
      `query ($id: ID!) { productImage(id: $id) {
        id productId product { id } name type state position isPrimary isThumbnail altText altTexts { text }
        description sourceUrl url width contentHash failure { code } deletedAt restorableUntil focalPoint { x } } }`,
      { id },
    );
    expect(data.productImage).toEqual({
      id,
      productId: '4294967301',
      product: { id: '4294967301' },
      name: 'front.jpg',
      type: 'MORE_PHOTO',
      state: 'IMPORTED',
      position: 0,
      isPrimary: true,
      isThumbnail: false,
      altText: null,
      altTexts: [],
      description: null,
      sourceUrl: 'https://example.com/front.jpg',
      url: 'https://example.com/front.jpg',
      width: null,
      contentHash: null,
      failure: null,
      deletedAt: null,
      restorableUntil: null,
      focalPoint: null,
    });
  });

  test('is null where there is none, also with the product named', async () => {
    const [id] = await fill('41', ['a.jpg']);
    const data = await service.query(
      'query ($id: ID!) { none: productImage(id: "987654321") { id } here: productImage(id: $id, productId: 41) { id } elsewhere: productImage(id: $id, productId: "42") { id } }',
      { id },
    );
    expect(data).toEqual({ none: null, here: { id }, elsewhere: null });
  });

  test('keeps ids apart that are one number to JavaScript', async () => {
    const [low] = await fill('9007199254740992', ['low.jpg']);
    const [high] = await fill('9007199254740993', ['high.jpg']);
    const data = await service.query<{ low: { images: Connection }; high: { images: Connection } }>(
      `{ low: product(id: "9007199254740992") { images ${connection} } high: product(id: "9007199254740993") { images ${connection} } }`,
    );
    expect(data.low.images.nodes.map(node => node.id)).toEqual([low]);
    expect(data.high.images.nodes.map(node => node.id)).toEqual([high]);
  });

  test.for(['abc', '', '1.5', '-1', '01', ' 1', '9223372036854775808', '1e3', '0'])(
    'refuses %j, which is no id',
    async id => {
      const { message, code } = await refusal('query ($id: ID!) { productImage(id: $id) { id } }', { id });
      expect(code).toBe('BAD_USER_INPUT');
      expect(message).toBe(
        `id is ${JSON.stringify(id)}; it must be a decimal integer from 1 to 9223372036854775807`,
      );
    },
  );
});

describe('product', () => {
  test('that was never seen has an empty gallery', async () => {
    const data = await service.query(
      `{ product(id: "9223372036854775807") { id kind parent { id } images ${connection} images360 { id } thumbnail { id } marketingColor imageCount imagesVersion } }`,
    );
    expect(data).toEqual({
      product: {
        id: '9223372036854775807',
        kind: 'PRODUCT',
        parent: null,
        images: {
          nodes: [],
          edges: [],
          pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
          totalCount: 0,
        },
        images360: [],
        thumbnail: null,
        marketingColor: null,
        imageCount: 0,
        imagesVersion: 0,
      },
    });
  });

  test('pages through its gallery both ways', async () => {
    await fill('51', ['a', 'b', 'c', 'd', 'e'], ['spin']);
    const page = async (args: string) => {
      const data = await service.query<{ product: { images: Connection } }>(
        `{ product(id: "51") { images(${args}) ${connection} } }`,
      );
      return data.product.images;
    };
    const first = await page('first: 2');
    const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
    const back = await page(`last: 2, before: "${second.pageInfo.startCursor}"`);
    const last = await page('last: 2');
    expect([first, second, back, last].map(namesOf)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['a', 'b'],
      ['d', 'e'],
    ]);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(first.totalCount).toBe(5);
  });

  test('shows the first of the gallery as thumbnail where none is flagged', async () => {
    const [id] = await fill('52', ['a', 'b']);
    const data = await service.query('{ product(id: "52") { thumbnail { id } } }');
    expect(data).toEqual({ product: { thumbnail: { id } } });
  });

  test('counts frames with its images and lists them apart', async () => {
    await fill('53', ['a'], ['s1', 's2']);
    const data = await service.query(
      '{ product(id: "53") { imageCount images { totalCount } images360 { position type sourceUrl } } }',
    );
    expect(data).toEqual({
      product: {
        imageCount: 3,
        images: { totalCount: 1 },
        images360: [
          { position: 0, type: 'SPIN_360', sourceUrl: 'https://example.com/s1' },
          { position: 1, type: 'SPIN_360', sourceUrl: 'https://example.com/s2' },
        ],
      },
    });
  });
});

describe('reads for gateways', () => {
  test('answer in the order and number of the ids', async () => {
    const [id] = await fill('61', ['a']);
    const data = await service.query(
      'query ($ids: [ID!]!) { productImagesByIds(ids: $ids) { id } productsByIds(ids: ["61", "62", "61"]) { id imageCount } }',
      { ids: ['987654321', id, id] },
    );
    expect(data).toEqual({
      productImagesByIds: [null, { id }, { id }],
      productsByIds: [
        { id: '61', imageCount: 1 },
        { id: '62', imageCount: 0 },
        { id: '61', imageCount: 1 },
      ],
    });
  });

  test.for(['productsByIds', 'productImagesByIds'])('%s refuses 1,001 ids and takes 1,000', async field => {
    const ids = Array.from({ length: 1_001 }, (_, index) => String(index + 1));
    const document = `query ($ids: [ID!]!) { ${field}(ids: $ids) { id } }`;
    expect(await refusal(document, { ids })).toEqual({
      message: 'ids has 1001 ids; at most 1000',
      code: 'BAD_USER_INPUT',
    });
    const data = await service.query<Record<string, unknown[]>>(document, { ids: ids.slice(1) });
    expect(data[field]).toHaveLength(1_000);
  });
});

describe('productImages', () => {
  const products = ['71', '72', '73'];
  const filter = { productIds: products };
  const all = ['71a', '71b', '71c', '71s', '72a', '72b', '73a'];
  beforeAll(async () => {
    // The product that comes first in the list is filled last: order is not that of the ids.
    await fill('73', ['73a']);
    await fill('72', ['72a', '72b']);
    await fill('71', ['71a', '71b', '71c'], ['71s']);
  });

  const expected = {
    GALLERY: all,
    ID: ['73a', '72a', '72b', '71a', '71b', '71c', '71s'],
    UPDATED: ['71s', '71c', '71b', '71a', '72b', '72a', '73a'],
  };

  describe.for(Object.entries(expected))('in order %s', ([orderBy, names]) => {
    test.for([1, 2, 3, 7, 8])('pages forwards by %i', async first => {
      const pages: Connection[] = [];
      for (let after: string | null = null; pages.length === 0 || pages.at(-1)?.pageInfo.hasNextPage; ) {
        const page: Connection = await list({ first, after, filter, orderBy });
        pages.push(page);
        after = page.pageInfo.endCursor;
      }
      expect(pages.flatMap(namesOf)).toEqual(names);
      expect(pages).toHaveLength(Math.ceil(names.length / first));
    });

    test.for([1, 3, 7])('pages backwards by %i', async last => {
      const pages: Connection[] = [];
      for (let before: string | null = null; pages.length === 0 || pages[0]?.pageInfo.hasPreviousPage; ) {
        const page: Connection = await list({ last, before, filter, orderBy });
        pages.unshift(page);
        before = page.pageInfo.startCursor;
      }
      expect(pages.flatMap(namesOf)).toEqual(names);
    });
  });

  test('ends a page in front of a cursor where only that is given', async () => {
    const { edges } = await list({ first: 4, filter });
    const page = await list({ before: edges[3]?.cursor, filter });
    expect(namesOf(page)).toEqual(all.slice(0, 3));
  });

  test('reads between two cursors', async () => {
    const { edges } = await list({ first: 6, filter });
    const page = await list({ first: 10, after: edges[0]?.cursor, before: edges[4]?.cursor, filter });
    expect(namesOf(page)).toEqual(all.slice(1, 4));
  });

  test('has 50 on a page unless told otherwise', async () => {
    await fill(
      '75',
      Array.from({ length: 60 }, (_, index) => `p${index}`),
    );
    const page = await list({ filter: { productIds: ['75'] } });
    expect(page.nodes).toHaveLength(50);
    expect(page.totalCount).toBe(60);
    expect(page.pageInfo.hasNextPage).toBe(true);
  });

  test('filters by type and state', async () => {
    const spins = await list({ filter: { ...filter, types: ['SPIN_360', 'COLOR_SWATCH'] } });
    const stored = await list({ filter: { ...filter, states: ['UPLOADED'] } });
    const none = await list({ filter: { productIds: [] } });
    expect([spins, stored, none].map(namesOf)).toEqual([['71s'], [], []]);
    expect([spins, stored, none].map(page => page.totalCount)).toEqual([1, 0, 0]);
  });

  test('neither repeats nor hides an image when others come and go meanwhile', async () => {
    const letters = [...'abcdefghij'];
    const ids = await fill('76', letters);
    const only = { productIds: ['76'] };
    const first = await list({ first: 4, filter: only });
    // b and d, on the page that was read, go; x comes in front; d was the page's last.
    const kept = ids.filter((_, index) => index !== 1 && index !== 3).map(id => ({ id }));
    await service.query(
      'mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) { userErrors { message } } }',
      { input: { productId: '76', images: [{ source: { url: 'https://example.com/x' } }, ...kept] } },
    );
    const rest = await list({ first: 100, after: first.pageInfo.endCursor, filter: only });
    expect(namesOf(rest)).toEqual(['e', 'f', 'g', 'h', 'i', 'j']);
    const before = await list({ last: 100, before: rest.pageInfo.startCursor, filter: only });
    expect(namesOf(before)).toEqual(['x', 'a', 'c']);
  });

  test.for([
    [{ first: 0 }, 'first is 0; from 1 to 250'],
    [{ first: 251 }, 'first is 251; from 1 to 250'],
    [{ first: -1 }, 'first is -1; from 1 to 250'],
    [{ last: 0 }, 'last is 0; from 1 to 250'],
    [{ last: 251 }, 'last is 251; from 1 to 250'],
    [{ first: 1, last: 1 }, 'first is 1 and last is 1; give one of them'],
    [
      { after: 'bm9uc2Vuc2U' },
      'after is "bm9uc2Vuc2U", which is no cursor of this service; pass one that it gave',
    ],
    [{ before: '' }, 'before is "", which is no cursor of this service; pass one that it gave'],
    [
      { filter: { productIds: ['x'] } },
      'productIds[0] is "x"; it must be a decimal integer from 1 to 9223372036854775807',
    ],
  ] as const)('refuses %j', async ([variables, message]) => {
    const document =
      'query ($first: Int, $last: Int, $after: String, $before: String, $filter: ProductImageFilter) { productImages(first: $first, last: $last, after: $after, before: $before, filter: $filter) { totalCount } }';
    expect(await refusal(document, variables)).toEqual({ message, code: 'BAD_USER_INPUT' });
  });

  test('refuses a cursor of another order', async () => {
    const { pageInfo } = await list({ first: 1, orderBy: 'ID' });
    const { message } = await refusal(
      'query ($after: String) { productImages(after: $after) { totalCount } }',
      {
        after: pageInfo.endCursor,
      },
    );
    expect(message).toBe('after is a cursor of order ID; this list is in order GALLERY');
  });

  test.each([
    "GALLERY 1 GALLERY a0' 1",
    'UPDATED 2024-02-30T00:00:00.000Z 1',
    'UPDATED 0000-01-01T00:00:00.000Z 1',
    'UPDATED 2024-01-01T24:00:00.000Z 1',
  ])('refuses a cursor that was tampered with: %s', async text => {
    const { message } = await refusal(
      `query ($after: String) { productImages(after: $after, orderBy: ${text.split(' ')[0]}) { totalCount } }`,
      { after: Buffer.from(text).toString('base64url') },
    );
    expect(message).toContain('is no cursor of this service');
  });
});

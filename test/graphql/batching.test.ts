import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

const productIds = Array.from({ length: 100 }, (_, index) => String(4_000_000_001 + index));
let service: TestService;
let imageIds: string[];

beforeAll(async () => {
  service = await openTestService();
  imageIds = [];
  // As many at a time as a slow machine answers within the second that a request waits.
  for (let at = 0; at < productIds.length; at += 10) {
    const some = productIds.slice(at, at + 10).map(id => fill(service, id, ['a', 'b', 'c', 'd', 'e', 'f']));
    imageIds.push(...(await Promise.all(some)).map(images => images[0]?.id ?? ''));
  }
});
afterAll(() => service.close());

/** What a document asks of Postgres. */
async function statementsOf<Data>(document: string, variables?: object) {
  service.statements.length = 0;
  const data = await service.query<Data>(document, variables);
  return { data, statements: [...service.statements] };
}

type Products = { productsByIds: { images: { nodes: { name: string }[] } }[] };

describe('one statement answers', () => {
  test('100 products × images(first: 5)', async () => {
    const { data, statements } = await statementsOf<Products>(
      'query ($ids: [ID!]!) { productsByIds(ids: $ids) { images(first: 5) { nodes { name url altText } pageInfo { hasNextPage } } } }',
      { ids: productIds },
    );
    expect(statements).toHaveLength(1);
    expect(data.productsByIds.flatMap(product => product.images.nodes)).toHaveLength(500);
  });

  test('100 products × several pages under aliases, frames among them', async () => {
    const { data, statements } = await statementsOf<{ productsByIds: Record<string, unknown>[] }>(
      `query ($ids: [ID!]!) { productsByIds(ids: $ids) {
        first: images(first: 1) { nodes { name } } last: images(last: 2) { nodes { name } }
        all: images { nodes { name } } images360 { name }
      } }`,
      { ids: productIds },
    );
    expect(statements).toHaveLength(1);
    const nodes = (...names: string[]) => ({ nodes: names.map(name => ({ name })) });
    for (const product of data.productsByIds) {
      expect(product).toEqual({
        first: nodes('a'),
        last: nodes('e', 'f'),
        all: nodes('a', 'b', 'c', 'd', 'e', 'f'),
        images360: [],
      });
    }
  });

  test('100 × productImage(id)', async () => {
    const fields = imageIds.map((id, index) => `i${index}: productImage(id: "${id}") { id }`);
    const { data, statements } = await statementsOf<Record<string, { id: string }>>(
      `{ ${fields.join(' ')} }`,
    );
    expect(statements).toHaveLength(1);
    expect(Object.values(data).map(image => image.id)).toEqual(imageIds);
  });

  test.for(['thumbnail { name }', 'imageCount', 'kind parent { id } marketingColor imagesVersion'])(
    '100 products × %s',
    async selection => {
      const { statements } = await statementsOf(
        `query ($ids: [ID!]!) { productsByIds(ids: $ids) { ${selection} } }`,
        { ids: productIds },
      );
      expect(statements).toHaveLength(1);
    },
  );
});

describe('requests that come at once share statements', () => {
  interface Listed {
    productImages: { nodes: { id: string }[]; pageInfo: Record<string, boolean | string> };
  }
  const page = `query ($after: String, $before: String, $first: Int, $last: Int, $order: ProductImageOrder) {
    productImages(after: $after, before: $before, first: $first, last: $last, orderBy: $order) {
      nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

  test.each(['GALLERY', 'ID', 'UPDATED'])('pages in the order %s, each of which is its own', async order => {
    const { productImages } = await service.query<{ productImages: { edges: { cursor: string }[] } }>(
      'query ($order: ProductImageOrder) { productImages(orderBy: $order, first: 250) { edges { cursor } } }',
      { order },
    );
    const cursors = productImages.edges.map(({ cursor }) => cursor);
    const asked = Array.from({ length: 40 }, (_, index) => ({
      order,
      ...(index % 2 === 0 ? { after: cursors[index * 6] } : { before: cursors[index * 6] }),
      ...(index % 4 < 2 ? { first: 1 + (index % 7) } : { last: 1 + (index % 7) }),
    }));
    // One after the other nothing is shared.
    const alone: Listed[] = [];
    for (const variables of asked) alone.push(await service.query<Listed>(page, variables));
    service.statements.length = 0;
    const together = await Promise.all(asked.map(variables => service.query<Listed>(page, variables)));
    expect(together).toEqual(alone);
    expect(together.map(({ productImages }) => productImages.nodes.length)).toContain(7);
    expect(service.statements.length).toBeLessThan(asked.length / 2);
  });

  test('but not those of given products, nor long ones', async () => {
    const long = { query: '{ productImages(first: 26) { nodes { id } } }', variables: {} };
    const given = {
      query: 'query ($ids: [ID!]) { productImages(first: 5, filter: { productIds: $ids }) { nodes { id } } }',
      variables: { ids: productIds.slice(0, 1) },
    };
    for (const { query, variables } of [long, given]) {
      service.statements.length = 0;
      await Promise.all(Array.from({ length: 8 }, () => service.query(query, variables)));
      expect(service.statements).toHaveLength(8);
    }
  });
});

test('counting galleries costs one statement more, whatever their number', async () => {
  const { statements } = await statementsOf(
    'query ($ids: [ID!]!) { productsByIds(ids: $ids) { images(first: 5) { totalCount nodes { name } } } }',
    { ids: productIds },
  );
  expect(statements).toHaveLength(2);
});

test('a list that nobody counts is not counted', async () => {
  const { statements } = await statementsOf('{ productImages(first: 5) { nodes { id product { id } } } }');
  expect(statements).toHaveLength(1);
});

test('a mutation is seen by the fields after it', async () => {
  const { data } = await statementsOf(
    `mutation { deleteAllProductImages(productId: "${productIds[99]}") {
      deletedCount deletedImages { product { imageCount imagesVersion } } } }`,
  );
  const product = { imageCount: 0, imagesVersion: 2 };
  expect(data).toMatchObject({
    deleteAllProductImages: {
      deletedCount: 6,
      deletedImages: Array.from({ length: 6 }, () => ({ product })),
    },
  });
});

test('statements are prepared on the server', async () => {
  await service.query(`{ productImage(id: "${imageIds[0]}") { id } }`);
  const prepared = await service.db.execute<{ statement: string }>(
    'select statement from pg_prepared_statements',
  );
  const texts = prepared.map(row => row.statement);
  expect(texts).toContainEqual(
    expect.stringMatching(/from "images" where \("images"."id" = any\(\$1::bigint\[\]\)/),
  );
});

test('replacing costs as many statements for 300 images as for 3', async () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
  const cost = async (count: number, productId: string) => {
    service.statements.length = 0;
    await fill(service, productId, names(count));
    const adding = service.statements.length;
    service.statements.length = 0;
    await fill(service, productId, names(count).reverse());
    return [adding, service.statements.length];
  };
  expect(await cost(300, '5000000001')).toEqual(await cost(3, '5000000002'));
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { askBothWays } from '../support/both-ways.ts';
import { openTestService, type TestService } from '../support/service.ts';

/** What JSON readers make of 9007199254740993 is the first of the two, another product. */
const [rounded, meant] = ['9007199254740992', '9007199254740993'];
const largestSafe = String(Number.MAX_SAFE_INTEGER);

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
  const create = `mutation ($productId: ID!) {
    createProductImage(input: { productId: $productId, source: { url: "https://shop.example/a.jpg" } }) {
      userErrors { message } } }`;
  for (const productId of [rounded, meant, largestSafe]) await service.query(create, { productId });
});
afterAll(() => service.close());

const deleteAll = `mutation ($id: ID!) { deleteAllProductImages(productId: $id) { deletedCount } }`;
const countOf = (id: string) => `{ product(id: "${id}") { imageCount } }`;

/** As a client writes it that has numbers of 64 bits. */
const body = (query: string) => `{"query": ${JSON.stringify(query)}, "variables": {"id": ${meant}}}`;

test.each([
  ['a POST of JSON', (url: string) => post(url, 'application/json', body(deleteAll))],
  [
    'a multipart request',
    (url: string) => {
      const form = new FormData();
      form.set('operations', body(deleteAll));
      form.set('map', '{}');
      return fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'graphql-require-preflight': '1' },
        body: form,
      });
    },
  ],
  [
    'a GET',
    (url: string) => {
      const query = 'query ($id: ID!) { product(id: $id) { imageCount } }';
      return fetch(`${url}/graphql?${new URLSearchParams({ query, variables: `{"id":${meant}}` })}`);
    },
  ],
])('%s with an id that JSON has rounded is refused, and does nothing', async (_way, ask) => {
  const { errors, data } = await (await ask(service.url)).json();
  expect(data).toBeUndefined();
  expect(errors).toEqual([
    expect.objectContaining({
      message: expect.stringContaining(
        `ID is ${rounded}; a number must be an integer below 2^53, as JSON readers round others; write it as text`,
      ),
      extensions: expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    }),
  ]);
  for (const id of [rounded, meant])
    expect(await service.query(countOf(id))).toMatchObject({ product: { imageCount: 1 } });
});

test('is refused alike in lists and inputs, however often it is asked', async () => {
  for (const [type, value] of [
    ['[ID!]!', [Number(meant), 1]],
    ['[ID!]!', [1e300]],
    ['[ID!]!', [-Number(meant)]],
  ] as const) {
    const query = `query ($ids: ${type}) { productsByIds(ids: $ids) { id } }`;
    expect(await askBothWays(service, { query, variables: { ids: value } })).toContain('write it as text');
  }
  const query = 'query ($filter: ProductImageFilter) { imageCount(filter: $filter) }';
  const answer = await askBothWays(service, {
    query,
    variables: { filter: { productIds: [Number(meant)] } },
  });
  expect(answer).toContain('write it as text');
});

test('numbers that are exact, and digits in the document, are the ids that they spell', async () => {
  const query = 'query ($id: ID!) { product(id: $id) { id } }';
  const variables = { id: Number.MAX_SAFE_INTEGER };
  expect(JSON.parse(await askBothWays(service, { query, variables })).data).toEqual({
    product: { id: largestSafe },
  });
  expect(await service.query(`{ product(id: ${meant}) { id } }`)).toEqual({ product: { id: meant } });
});

function post(url: string, type: string, text: string): Promise<Response> {
  return fetch(`${url}/graphql`, { method: 'POST', headers: { 'content-type': type }, body: text });
}

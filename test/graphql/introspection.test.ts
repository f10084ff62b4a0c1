import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let closed: TestService;
let open: TestService;
beforeAll(async () => {
  [closed, open] = await Promise.all([openTestService({ INTROSPECTION: 'off' }), openTestService()]);
});
afterAll(() => Promise.all([closed.close(), open.close()]));

const create =
  'mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } } }';
const source = { url: 'https://example.com/a.jpg' };

/** Near misses, of which each is answered with what was meant where the schema is open. */
const nearMisses: [string, string, object?][] = [
  ['a field', '{ imageCoun }'],
  ['a field of a type', '{ product(id: 1) { imageCoun } }'],
  ['an argument', '{ product(idd: 1) { id } }'],
  ['an argument of a directive', '{ imageCount @include(iff: true) }'],
  ['a type', 'query ($x: ProductImageFiltr) { imageCount(filter: $x) }'],
  ['the type of a fragment', '{ ...A } fragment A on Quer { imageCount }'],
  ['an enum value', '{ productImages(orderBy: UPDATD) { totalCount } }'],
  ['an enum value that is written as a text', '{ productImages(orderBy: "UPDATED") { totalCount } }'],
  ['a field of an input', '{ imageCount(filter: { typs: [SPIN_360] }) }'],
  ['an enum value in a list', '{ imageCount(filter: { types: [SPIN_36] }) }'],
  ['a mutation', 'mutation { createProductImag { userErrors { message } } }'],
  ['a subscription', 'subscription { productImagesChangd(productId: 1) { product { id } } }'],
  ['a field of a variable', create, { input: { productId: '1', sourc: source, source } }],
  ['a field within a variable', create, { input: { productId: '1', source: { ulr: source.url } } }],
  ['an enum value of a variable', create, { input: { productId: '1', source, type: 'SPIN_36' } }],
  [
    'an enum value in a list of a variable',
    'query ($f: ProductImageFilter) { imageCount(filter: $f) }',
    { f: { states: ['UPLOADE'] } },
  ],
];

async function messagesOf(service: TestService, document: string, variables?: object): Promise<string> {
  const { errors = [] } = await service.send(document, variables);
  return errors.map(({ message }) => message).join('\n');
}

describe('with introspection off no error suggests a name', () => {
  test.each(nearMisses)('%s', async (_name, document, variables) => {
    expect(await messagesOf(open, document, variables)).toContain('Did you mean');
    const messages = await messagesOf(closed, document, variables);
    expect(messages).not.toBe('');
    expect(messages).not.toMatch(/did you mean/i);
  });
});

test('with introspection off the schema cannot be read', async () => {
  for (const field of [
    '__schema { types { name } }',
    '__type(name: "Query") { name }',
    '_sdl',
    '_service { sdl }',
  ])
    expect(await messagesOf(closed, `{ ${field} }`)).toMatch(/introspection/i);
});

test('with introspection off what is asked rightly is answered', async () => {
  expect(await closed.query('{ __typename imageCount }')).toEqual({ __typename: 'Query', imageCount: 0 });
});

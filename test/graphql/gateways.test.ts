import { buildSchema, type GraphQLObjectType, type GraphQLSchema, getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
let closed: TestService;
let imageId: string;

beforeAll(async () => {
  service = await openTestService();
  closed = await openTestService({ INTROSPECTION: 'off' });
  const [image] = await fill(service, '101', ['a', 'b']);
  imageId = image?.id ?? '';
});
afterAll(async () => {
  await service?.close();
  await closed?.close();
});

/** Directives that the composition of a subgraph defines. */
const federationDirectives = `
  directive @link(url: String!, import: [String!]) on SCHEMA
  directive @key(fields: String!) on OBJECT
  directive @shareable on OBJECT
`;

async function readSchemas(): Promise<{ stitched: string; federated: string }> {
  const { _sdl, _service } = await service.query<{ _sdl: string; _service: { sdl: string } }>(
    '{ _sdl _service { sdl } }',
  );
  return { stitched: _sdl, federated: _service.sdl };
}

const fieldsOf = (schema: GraphQLSchema, name: string) =>
  Object.keys((schema.getType(name) as GraphQLObjectType).getFields());

describe('the schema for stitching gateways', () => {
  test('merges products and images by their ids', async () => {
    const schema = buildSchema((await readSchemas()).stitched);
    const merging = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ astNode }) =>
      astNode?.directives?.some(({ name }) => name.value === 'merge'),
    );
    expect(merging.map(({ name }) => name)).toEqual(['productsByIds', 'productImagesByIds']);
  });

  test('has nothing of federation', async () => {
    expect((await readSchemas()).stitched).not.toMatch(/@key|@shareable|@link|_entities|_service|_Any/);
  });
});

describe('the schema for federated gateways', () => {
  test('has products and images as entities, and shares only PageInfo', async () => {
    const { federated } = await readSchemas();
    expect(federated.match(/^type .* @\w+.*$/gm)).toEqual([
      'type ProductImage @key(fields: "id") {',
      'type PageInfo @shareable {',
      'type Product @key(fields: "id") {',
    ]);
    expect(buildSchema(federationDirectives + federated).getQueryType()).toBeDefined();
  });

  test('has nothing of stitching, nor what entities do', async () => {
    expect((await readSchemas()).federated).not.toMatch(/@merge|_sdl|_entities|_Any|ByIds/);
  });
});

test('what a catalogue has too is left to it', async () => {
  const { stitched, federated } = await readSchemas();
  for (const sdl of [stitched, federationDirectives + federated]) {
    const schema = buildSchema(sdl);
    expect(fieldsOf(schema, 'Query')).not.toContain('product');
    expect(fieldsOf(schema, 'Mutation')).not.toContain('updateProduct');
    expect(schema.getType('UpdateProductInput')).toBeUndefined();
    expect(fieldsOf(schema, 'Mutation')).toContain('replaceProductImages');
  }
});

describe('entities', () => {
  const document = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
    ... on Product { id images { nodes { name } } }
    ... on ProductImage { name product { id } }
  } }`;
  const send = (representations: unknown[]) =>
    service.send<{ _entities: unknown[] }>(document, { representations });

  test('are found by their ids, in the order of the references', async () => {
    const { data } = await send([
      { __typename: 'ProductImage', id: imageId },
      { __typename: 'Product', id: '102' },
      { __typename: 'Product', id: '101', name: 'Sofa' },
    ]);
    expect(data._entities).toEqual([
      { name: 'a', product: { id: '101' } },
      { id: '102', images: { nodes: [] } },
      { id: '101', images: { nodes: [{ name: 'a' }, { name: 'b' }] } },
    ]);
  });

  test('cost one statement a kind', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => String(101 + index));
    service.statements.length = 0;
    await send(
      ids.flatMap(id => [
        { __typename: 'Product', id },
        { __typename: 'ProductImage', id },
      ]),
    );
    expect(service.statements).toHaveLength(2);
  });

  test('that nobody knows here are empty products and no images', async () => {
    const ids = ['9007199254740993', 'sofa-blue', '007', '', '9223372036854775808'];
    const { data, errors } = await send([
      ...ids.map(id => ({ __typename: 'Product', id })),
      ...ids.map(id => ({ __typename: 'ProductImage', id })),
    ]);
    expect(errors).toBeUndefined();
    expect(data._entities).toEqual([
      ...ids.map(id => ({ id, images: { nodes: [] } })),
      ...ids.map(() => null),
    ]);
  });

  test.for([
    { __typename: 'Shop', id: '1' },
    { __typename: 'Product' },
    { __typename: 'Product', id: 101 },
    { id: '101' },
    'Product',
  ])('leave the others where a reference is %j', async wrong => {
    const { data, errors } = await send([wrong, { __typename: 'ProductImage', id: imageId }]);
    expect(data._entities).toEqual([null, { name: 'a', product: { id: '101' } }]);
    expect(errors).toMatchObject([
      {
        message: `representations[0] is ${JSON.stringify(wrong)}; it must be like {"__typename": "Product", "id": "101"}`,
        path: ['_entities', 0],
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  test('are at most 1,000', async () => {
    const few =
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }';
    const representations = Array.from({ length: 1_001 }, () => ({ __typename: 'Product', id: '1' }));
    const { errors } = await service.send(few, { representations });
    expect(errors).toMatchObject([{ message: 'representations has 1001 ids; at most 1000' }]);
    const { data } = await service.send<{ _entities: unknown[] }>(few, {
      representations: representations.slice(1),
    });
    expect(data._entities).toHaveLength(1_000);
  });
});

describe('reads by ids', () => {
  test('leave the others where an id is of another service', async () => {
    const data = await service.query(
      `query ($ids: [ID!]!) {
        productsByIds(ids: $ids) {
          id kind imageCount imagesVersion thumbnail { id } images { totalCount nodes { name } } images360 { id }
        }
        productImagesByIds(ids: $ids) { id }
      }`,
      { ids: ['sofa-blue', '101'] },
    );
    const empty = { kind: 'PRODUCT', imageCount: 0, imagesVersion: 0, thumbnail: null, images360: [] };
    expect(data).toEqual({
      productsByIds: [
        { id: 'sofa-blue', ...empty, images: { totalCount: 0, nodes: [] } },
        {
          ...empty,
          id: '101',
          imageCount: 2,
          imagesVersion: 1,
          thumbnail: { id: imageId },
          images: { totalCount: 2, nodes: [{ name: 'a' }, { name: 'b' }] },
        },
      ],
      productImagesByIds: [null, imageId === '101' ? { id: '101' } : null],
    });
  });
});

describe('with introspection off', () => {
  test.for([
    ['__schema', getIntrospectionQuery()],
    ['__type', '{ __type(name: "Product") { name } }'],
    ['_sdl', '{ _sdl }'],
    ['_service', '{ _service { sdl } }'],
    ['_sdl', 'query { ...schema } fragment schema on Query { text: _sdl }'],
  ] as const)('%s is refused', async ([field, document]) => {
    const { data, errors } = await closed.send(document);
    expect(data).toBeUndefined();
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(field),
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    });
  });

  test('gateways that know the schema still find entities', async () => {
    const { data } = await closed.send(
      '{ __typename _entities(representations: [{ __typename: "Product", id: "1" }]) { __typename } }',
    );
    expect(data).toEqual({ __typename: 'Query', _entities: [{ __typename: 'Product' }] });
  });
});

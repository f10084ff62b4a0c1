import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authenticateAs, stranger } from '../support/callers.ts';
import { type Answer, openTestService, type TestService, withoutPurge } from '../support/service.ts';

// What graphql-cop tries (github.com/dolevf/graphql-cop), and more of the kind, as a stranger meets it in production.

let service: TestService;
beforeAll(async () => {
  const closed = { GRAPHIQL: 'off', INTROSPECTION: 'off' };
  service = await openTestService(closed, { authentication: authenticateAs(stranger) });
});
afterAll(() => service.close());

async function post(body: unknown, headers: Record<string, string> = {}) {
  const startedAt = performance.now();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, ms: performance.now() - startedAt };
}

const repeat = (count: number, make: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => make(n)).join(' ');
const ids = (count: number) => Array.from({ length: count }, (_, n) => String(n));
const manyIds =
  'query ($ids: [ID!]!, $n: Int) { productsByIds(ids: $ids) { images(first: $n) { nodes { id name } } } }';
const createImage =
  'mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } } }';

describe('is refused at once, before anything is asked of the database', () => {
  const attacks: [string, string, object?][] = [
    ['a hundred aliases', `{ ${repeat(100, n => `a${n}: imageCount`)} }`],
    ['a hundred aliases of __typename', `{ ${repeat(100, n => `a${n}: __typename`)} }`],
    ['aliases deeper down', `{ product(id: 1) { ${repeat(100, n => `a${n}: id`)} } }`],
    ['ten unknown directives', `{ __typename ${'@aa'.repeat(10)} }`],
    ['five hundred unknown directives', `{ __typename ${'@aa'.repeat(500)} }`],
    ['fifty known directives', `{ __typename ${'@include(if: true)'.repeat(50)} }`],
    ['one field five hundred times', `{ ${repeat(500, () => '__typename')} }`],
    ['one field five hundred times, deeper down', `{ product(id: 1) { ${repeat(1_000, () => 'id')} } }`],
    [
      'circular introspection',
      `{ __schema { types { ${'fields { type { '.repeat(4)} name ${'} } '.repeat(4)} } } }`,
    ],
    ['fragments in a circle', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'],
    [
      'fragments that double each other',
      `{ product(id: 1) { ...F0 } } ${repeat(20, n => `fragment F${n} on Product { parent { ...F${n + 1} } images { nodes { product { ...F${n + 1} } } } }`)} fragment F20 on Product { id }`,
    ],
    ['products in products', `{ product(id: 1) { ${'parent { '.repeat(20)} id ${'} '.repeat(20)} } }`],
    ['brackets in brackets', `{ product(id: ${'['.repeat(400)}${']'.repeat(400)}) { id } }`],
    ['ids without end', manyIds, { ids: ids(1_000), n: 250 }],
    ['a page without end in a variable', manyIds, { ids: ids(1_000), n: 1e9 }],
    ['a page without end in a default', manyIds.replace('$n: Int', '$n: Int = 2000000'), { ids: ids(1_000) }],
    ['__schema', '{ __schema { queryType { name } } }'],
    ['__type', '{ __type(name: "Query") { fields { name } } }'],
    ['the schema for gateways', '{ _sdl _service { sdl } }'],
    ['a field that is nearly one', '{ imageCoun }'],
    [
      'an argument within a list, where a text should be',
      createImage,
      { input: { productId: [['1']], source: { url: 'x' } } },
    ],
  ];

  test.each(attacks)('%s', async (_name, query, variables) => {
    service.statements.length = 0;
    const { status, text, ms } = await post({ query, variables });
    expect(status).toBe(400);
    expect(ms).toBeLessThan(1_000);
    expect((JSON.parse(text) as Answer<unknown>).data).toBeUndefined();
    expect(text).not.toMatch(/did you mean|\bat \w+ \(|node_modules|\.ts:/i);
    expect(text.length).toBeLessThan(20_000);
    expect(withoutPurge(service.statements)).toEqual([]);
  });

  test('a document of a megabyte', async () => {
    expect((await post({ query: `{ imageCount } #${'x'.repeat(1_000_000)}` })).status).toBe(400);
  });

  test('values that are nested deeper than the stack', async () => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    for (const input of [`{"productId":"1","source":{"url":${deep}}}`, `{"productId":${deep}}`, deep]) {
      const { status, text, ms } = await post(
        `{"query":${JSON.stringify(createImage)},"variables":{"input":${input}}}`,
      );
      expect([status, ms < 1_000, text.length < 5_000]).toEqual([400, true, true]);
      expect(text).not.toContain('call stack');
    }
  });

  test('values of more than four megabytes', async () => {
    expect((await post({ query: '{ imageCount }', variables: { x: 'x'.repeat(4_100_000) } })).status).toBe(
      413,
    );
  });

  test('several operations in one request', async () => {
    const operation = { query: '{ imageCount }' };
    for (const batch of [[operation], Array(10).fill(operation), []])
      expect((await post(batch)).status).toBe(400);
  });
});

test('what a gateway names without sense is told shortly, however deep it is', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
  const { status, text } = await post(
    `{"query":${JSON.stringify(query)},"variables":{"r":[{"id":${deep}}]}}`,
  );
  expect(status).toBe(200);
  expect(text).toContain('a list');
  expect(text).toContain('BAD_USER_INPUT');
});

describe('a long value is looked at once, and told shortly', () => {
  const nearlyFourMegabytes = 'x'.repeat(3_900_000);
  const uses = (count: number) => Array.from({ length: count }, () => '$x').join(' ');
  test.each([
    ["a product's id", `($x: ID!) { productsByIds(ids: [${uses(300)}]) { id } }`, nearlyFourMegabytes],
    [
      'an entity',
      `($x: _Any!) { _entities(representations: [${uses(300)}]) { __typename } }`,
      nearlyFourMegabytes,
    ],
    [
      "an entity's type",
      `($x: String) { _entities(representations: [${uses(100).replaceAll('$x', '{ __typename: $x }')}]) { __typename } }`,
      nearlyFourMegabytes,
    ],
    [
      "an entity's id",
      `($x: String) { _entities(representations: [${uses(100).replaceAll('$x', '{ __typename: "Product", id: $x }')}]) { __typename } }`,
      nearlyFourMegabytes,
    ],
    [
      'a cursor',
      `($x: String) { productsByIds(ids: [${ids(100)}]) { images(first: 1, after: $x) { nodes { id } } } }`,
      nearlyFourMegabytes,
    ],
    ["an image's id", `($x: ID!) { productImagesByIds(ids: [${uses(300)}]) { id } }`, nearlyFourMegabytes],
  ])('%s', async (_name, query, x) => {
    const { text, ms } = await post({ query: `query ${query}`, variables: { x } });
    expect(text.length).toBeLessThan(100_000);
    expect(ms).toBeLessThan(2_000);
  });
});

describe('a page of another site', () => {
  const change = 'mutation { deleteAllProductImages(productId: 1) { deletedCount } }';
  const form = new URLSearchParams({ query: change });

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'text/plain; charset=application/json'])(
    'cannot send a form as %s',
    async type => {
      expect((await post(String(form), { 'content-type': type })).status).toBe(415);
    },
  );

  test('cannot send files', async () => {
    const body = new FormData();
    body.append('operations', JSON.stringify({ query: change }));
    body.append('map', '{}');
    const response = await fetch(`${service.url}/graphql`, { method: 'POST', body });
    expect(response.status).toBe(401);
  });

  test('cannot change anything by an address', async () => {
    expect((await fetch(`${service.url}/graphql?${form}`)).status).toBe(405);
  });

  test('can neither read an answer nor ask whether it may send more', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    for (const method of ['GET', 'OPTIONS']) {
      const response = await fetch(`${service.url}/graphql?query={imageCount}`, { method, headers });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

test.each(['https://evil.example', 'null', ''])(
  'where pages of two origins may call the API, one of %j may not',
  async origin => {
    const open = await openTestService({ CORS_ORIGINS: 'https://shop.example,http://localhost:3000' });
    const headers = {
      'content-type': 'application/json',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const body = JSON.stringify({ query: '{ imageCount }' });
    const ask = (from: string, given: RequestInit) =>
      fetch(`${open.url}/graphql`, { ...given, headers: { ...headers, origin: from } });
    for (const given of [{ method: 'OPTIONS' }, ...Array(3).fill({ method: 'POST', body })]) {
      const told = (await ask(origin, given)).headers;
      expect([...told.keys()].filter(name => name.startsWith('access-control'))).toEqual([]);
      const answer = await ask('http://localhost:3000', given);
      expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
      expect(answer.headers.get('access-control-expose-headers')).toBe('x-request-id, retry-after');
      expect(answer.headers.get('vary')).toContain('Origin');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
    await open.close();
  },
);

test('no trace is in an answer, whoever asks for one', async () => {
  const { text } = await post(
    { query: '{ imageCount }' },
    { 'x-apollo-tracing': '1', 'apollo-federation-include-trace': 'ftv1' },
  );
  expect(Object.keys((JSON.parse(text) as Answer<unknown>).extensions ?? {})).toEqual(['cost']);
});

test('GraphiQL is not there', async () => {
  for (const path of ['/graphql', '/', '/graphiql', '/playground', '/console', '/altair']) {
    const page = await fetch(`${service.url}${path}`, { headers: { accept: 'text/html' } });
    expect(await page.text()).not.toMatch(/graphiql|playground/i);
  }
});

test('a request that is no GraphQL tells nothing of how the service is made', async () => {
  for (const body of [
    '',
    '{',
    'null',
    '[[]]',
    '"x"',
    '{"query":[]}',
    '{"query":{"a":1}}',
    '{"query":"{"}',
    '\u0000',
  ]) {
    const { status, text } = await post(body);
    expect(status).toBe(400);
    expect(text).not.toMatch(/stack|\bat \w+ \(|node_modules|\.[jt]s:\d|yoga/i);
  }
});

test('where both are switched on GraphiQL is there and reads the schema', async () => {
  const open = await openTestService();
  const page = await fetch(`${open.url}/graphql`, { headers: { accept: 'text/html' } });
  expect(await page.text()).toContain('GraphiQL');
  expect(await open.query('{ __schema { queryType { name } } }')).toEqual({
    __schema: { queryType: { name: 'Query' } },
  });
  await open.close();
});

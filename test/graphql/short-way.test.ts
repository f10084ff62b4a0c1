import { once } from 'node:events';
import { Agent, type IncomingMessage, request, Server } from 'node:http';
import { connect } from 'node:net';
import { json, text } from 'node:stream/consumers';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WholePost } from '../../src/whole-posts.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { keepLog } from '../support/log-lines.ts';
import { openTestService, type TestService } from '../support/service.ts';

// A JSON post whose length is told goes the short way, and where it came whole, past the HTTP server; one in chunks goes Yoga's
// own. Nobody may see which it was.

let service: TestService;
let ids: string[];
beforeAll(async () => {
  service = await openTestService({ CORS_ORIGINS: 'https://shop.example,https://other.example' });
  const { replaceProductImages } = await service.query<{
    replaceProductImages: { images: { id: string }[] };
  }>(
    `mutation { replaceProductImages(input: { productId: 7, images: [
      { source: { url: "https://shop.example/1.jpg" }, altText: "One", altTexts: [{ locale: "de", text: "Eins" }] }
      { source: { url: "https://shop.example/2.jpg" } }
      { source: { url: "https://shop.example/3.jpg" }, type: SPIN_360 }] }) { images { id } userErrors { message } } }`,
  );
  ids = replaceProductImages.images.map(({ id }) => id);
});
afterAll(() => service.close());

interface Answered {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: unknown;
}

type Way = 'whole' | 'short' | 'ordinary';

/** Its connection has had a request: the first one is always the HTTP server's. */
const used = new Agent({ keepAlive: true, maxSockets: 1 });
afterAll(() => used.destroy());

/** Without what is of the moment, and what tells the ways apart: how the body's length is told. */
function ask(way: Way, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answered> {
  const length = way === 'ordinary' ? undefined : { 'content-length': String(Buffer.byteLength(body)) };
  const agent = way === 'whole' ? used : new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    const asked = request(`${service.url}/graphql`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', ...headers, ...length },
    });
    asked.once('error', reject).once('response', async response => {
      const {
        date,
        'content-length': _,
        'transfer-encoding': __,
        'x-request-id': ___,
        ...rest
      } = response.headers;
      const answer = await text(response);
      const told = answer.startsWith('{') ? forgetMoment(JSON.parse(answer)) : answer;
      if (agent !== used) agent.destroy();
      resolve({ status: response.statusCode, headers: rest, body: told });
    });
    asked.write(body);
    asked.end();
  });
}

interface Told {
  errors?: { extensions?: Record<string, unknown> }[];
  extensions?: Record<string, unknown>;
}

function forgetMoment(answer: Told): Told {
  for (const { extensions } of answer.errors ?? []) {
    if (extensions?.requestId) extensions.requestId = 'some';
    // One repeats the whole body in it.
    if (extensions?.originalError) extensions.originalError = 'some';
  }
  if (answer.extensions?.time) answer.extensions.time = 'some';
  return answer;
}

const fields = `id productId name type state altText(locale: "de-AT") altTexts { locale text } position isPrimary url
  srcset createdAt failure { code } product { id kind imagesVersion thumbnail { id } } focalPoint { x y }`;

const queries: [string, string, object?][] = [
  ['a type name', '{ __typename }'],
  ['one image', `query One($id: ID!) { productImage(id: $id) { ${fields} } }`, { id: '1' }],
  ['an image that is not there', '{ productImage(id: 999) { id } }'],
  ['an image by an id that is none', '{ productImage(id: "x") { id } imageCount }'],
  [
    'a page',
    `{ productImages(first: 2) { nodes { ${fields} } edges { cursor } totalCount pageInfo { endCursor } } }`,
  ],
  ['a page of no size', '{ productImages(first: 0) { nodes { id } } }'],
  ['two that are one', '{ productImages { nodes { id } nodes { name } } a: imageCount b: imageCount }'],
  [
    'fragments',
    'query { product(id: 7) { ...P } } fragment P on Product { images { ...C } } fragment C on ProductImageConnection { nodes { id ... on ProductImage { name } } }',
  ],
  [
    'what may be left out',
    'query($no: Boolean!, $yes: Boolean = true) { imageCount @skip(if: $no) product(id: 7) @include(if: $yes) { id kind @include(if: $no) } }',
    { no: true },
  ],
  [
    'one selected twice under conditions',
    'query($no: Boolean!) { imageCount @skip(if: $no) imageCount }',
    { no: true },
  ],
  [
    'a spread under a condition',
    'query($no: Boolean!) { product(id: 7) { ...P @include(if: $no) ...P } } fragment P on Product { id }',
    { no: false },
  ],
  ['a list of ids', '{ productsByIds(ids: ["7", "x", "8"]) { id images(first: 1) { nodes { id } } } }'],
  [
    'a list with nulls',
    'query($ids: [ID!]!) { productImagesByIds(ids: $ids) { id } }',
    { ids: ['1', '999'] },
  ],
  [
    'a size',
    'query($w: Int) { productImages { nodes { url(transform: { width: $w, format: AVIF }) } } }',
    { w: 386 },
  ],
  [
    'a size out of bounds',
    'query($w: Int) { productImages { nodes { id url(transform: { width: $w }) } } }',
    { w: -1 },
  ],
  [
    'a variable of another type',
    'query($w: Int) { productImages(first: $w) { nodes { id } } }',
    { w: 'many' },
  ],
  ['a variable that is missing', 'query($id: ID!) { productImage(id: $id) { id } }'],
  ['a variable that is null', 'query($id: ID) { productImage(id: 1, productId: $id) { id } }', { id: null }],
  ['a cursor that is none', '{ productImages(after: "x") { nodes { id } } }'],
  [
    'entities',
    '{ _entities(representations: [{ __typename: "Product", id: "7" }]) { ... on Product { id images { nodes { id } } } } }',
  ],
  ['the schema', '{ __schema { queryType { name } } }'],
  ['a prototype', '{ __proto__: imageCount }'],
  ['a field that is not there', '{ productImage(id: 1) { colour } }'],
  ['what is no query', '{ productImage(id: 1'],
  [
    'what costs too much',
    '{ productsByIds(ids: [1, 2, 3]) { images(first: 250) { nodes { product { images(first: 250) { nodes { product { images(first: 250) { nodes { id } } } } } } } } } }',
  ],
  ['a mutation that is refused', 'mutation { deleteProductImage(id: 999) { userErrors { code message } } }'],
];

const shortWays = ['short', 'whole'] as const;

describe.each(queries)('for %s', (_name, query, variables) => {
  test('all ways answer the same, however often it comes', async () => {
    const body = JSON.stringify({ query, variables: fill(variables) });
    const expected = await ask('ordinary', body);
    for (const way of shortWays)
      for (let time = 0; time < 4; time++) expect(await ask(way, body)).toEqual(expected);
    expect(await ask('ordinary', body)).toEqual(expected);
  });
});

const create = `mutation Create($url: URL!, $width: Int!, $no: Boolean = false) {
  createProductImage(input: { productId: 8, source: { url: $url } }) {
    image { name url(transform: { width: $width }) product { images @skip(if: $no) { totalCount } } }
    userErrors { code path message } } }`;

const creations: [string, string, object, number][] = [
  ['that goes well', create, { width: 40 }, 1],
  ['whose answer has an error', create, { width: -1 }, 1],
  ['that changes nothing', create.replace('productId: 8', 'productId: "x"'), { width: 40 }, 0],
  ['whose variables are wrong', create, { width: 'wide' }, 0],
  [
    'that is named otherwise',
    create.replace('createProductImage', 'made: createProductImage'),
    { width: 40 },
    1,
  ],
  ['under a condition', create.replace('}) {', '}) @skip(if: $no) {'), { width: -1 }, 1],
  ['beside another', create.replace(/} }$/, '} again: __typename }'), { width: -1 }, 1],
];

test.each(creations)(
  'a mutation %s is answered the same all ways, and done once',
  async (_name, query, variables, made) => {
    const send = async (way: Way, index: number) => {
      await service.query(
        'mutation { deleteAllProductImages(productId: 8, permanent: true) { deletedCount } }',
      );
      const url = `https://shop.example/${index}.jpg`;
      const { status, body } = await ask(way, JSON.stringify({ query, variables: { ...variables, url } }));
      const { product } = await service.query<{ product: { imageCount: number; imagesVersion: number } }>(
        '{ product(id: 8) { imageCount imagesVersion } }',
      );
      expect(product.imageCount).toBe(made);
      return {
        status,
        body: JSON.parse(
          JSON.stringify(body).replaceAll(`/${index}.jpg`, '/n.jpg').replaceAll(`"${index}.jpg"`, '"n.jpg"'),
        ),
      };
    };
    const expected = await send('ordinary', 0);
    for (let time = 1; time < 5; time++) expect(await send('short', time)).toEqual(expected);
    for (let time = 5; time < 8; time++) expect(await send('whole', time)).toEqual(expected);
    expect(await send('ordinary', 9)).toEqual(expected);
  },
);

function fill(variables: object | undefined): unknown {
  return JSON.parse(JSON.stringify(variables ?? {}).replaceAll('"1"', `"${ids[0]}"`));
}

const known = JSON.stringify({ query: '{ imageCount }' });

const bodies: [string, string][] = [
  ['no JSON', '{ imageCount }'],
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '7'],
  ['a text', '"{ imageCount }"'],
  ['a list', `[${known}]`],
  ['an empty object', '{}'],
  ['a byte order mark before', `\ufeff${known}`],
  ['a query that is a number', '{"query":7}'],
  ['variables that are a list', '{"query":"{ imageCount }","variables":[1]}'],
  ['variables that are a text', '{"query":"{ imageCount }","variables":"{}"}'],
  ['variables that nobody asked for', '{"query":"{ imageCount }","variables":{"a":1}}'],
  ['an operation that is not there', '{"query":"{ imageCount }","operationName":"Other"}'],
  ['an operation name that is empty', '{"query":"{ imageCount }","operationName":""}'],
  [
    'a condition whose variable has a default and is null',
    '{"query":"query ($i: Boolean = true) { imageCount @include(if: $i) }","variables":{"i":null}}',
  ],
  ['an operation name that is a number', '{"query":"{ imageCount }","operationName":7}'],
  [
    'one of two operations',
    '{"query":"query A { a: imageCount } query B { b: imageCount }","operationName":"B"}',
  ],
  ['neither of two operations', '{"query":"query A { a: imageCount } query B { b: imageCount }"}'],
  ['extensions', '{"query":"{ imageCount }","extensions":{"a":1}}'],
  [
    'extensions that are null',
    '{"query":"{ imageCount }","extensions":null,"variables":null,"operationName":null}',
  ],
  ['what is not expected', '{"query":"{ imageCount }","more":1}'],
  ['keys twice', '{"query":"{ a: imageCount }","query":"{ imageCount }"}'],
];

test.each(bodies)('a body with %s is answered the same all ways', async (_name, body) => {
  await ask('short', known);
  const expected = await ask('ordinary', body);
  for (const way of shortWays)
    for (let time = 0; time < 3; time++) expect(await ask(way, body)).toEqual(expected);
});

const headers: [string, Record<string, string>][] = [
  ['that asks for anything', { accept: '*/*' }],
  ['that asks for JSON', { accept: 'application/json' }],
  ["that asks for GraphQL's type", { accept: 'application/graphql-response+json' }],
  [
    "that asks for GraphQL's type before JSON",
    { accept: 'application/graphql-response+json, application/json;q=0.9' },
  ],
  [
    'as urql sends it',
    {
      accept:
        'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    },
  ],
  ['that asks for events only', { accept: 'text/event-stream' }],
  ['that asks for parts only', { accept: 'multipart/mixed' }],
  ['that asks for pictures', { accept: 'image/png' }],
  ['in another character set', { accept: 'application/json; charset=latin1' }],
  ['whose type has a character set', { 'content-type': 'application/json; charset=utf-8' }],
  ['whose type is in capitals', { 'content-type': 'APPLICATION/JSON' }],
  ['from a page that may ask', { origin: 'https://shop.example' }],
  ['from a page that may not', { origin: 'https://elsewhere.example' }],
  ['that wants to know the time', { 'x-packshot-time': '1' }],
  ['with a key that is none', { authorization: 'Bearer packshot_nokey' }],
  ['with a password', { authorization: 'Basic YTpi' }],
  ['to another name', { host: 'rebound.example' }],
  ['with an id', { 'x-request-id': 'mine' }],
];

test.each(headers)('a request %s is answered the same all ways', async (_name, given) => {
  const failing = JSON.stringify({ query: '{ productImage(id: "x") { id } }' });
  for (const body of [known, failing]) {
    const expected = await ask('ordinary', body, given);
    for (const way of shortWays)
      for (let time = 0; time < 4; time++) expect(await ask(way, body, given)).toEqual(expected);
  }
});

test('a body beyond the limit is refused the same all ways', async () => {
  const body = JSON.stringify({ query: `{ imageCount } #${'x'.repeat(4_000_000)}` });
  const expected = await ask('ordinary', body);
  expect(expected.status).toBe(413);
  for (const way of shortWays) expect(await ask(way, body)).toEqual(expected);
});

/** A change whose text is these bytes. */
function tellBytes(productId: number, hex: string): Buffer {
  const query = `mutation ($product: ID!, $text: String) { createProductImage(input: { productId: $product,
    altText: $text, source: { url: "https://shop.example/1.jpg" } }) { userErrors { code } } }`;
  const json = JSON.stringify({ query, variables: { product: productId, text: '?' } });
  return Buffer.from(
    Buffer.from(json)
      .toString('hex')
      .replace(/3f(?=227d7d$)/, hex),
    'hex',
  );
}

describe.each([
  ['bytes that begin nothing', 'fffec3'],
  ['half a character', 'c3'],
  ['a character in too many bytes', 'c0af'],
  ['half a surrogate pair', 'eda0bd'],
])('a body that is not UTF-8 for %s', (_name, hex) => {
  const told = {
    status: 400,
    body: {
      errors: [
        {
          message: 'The body holds bytes that are not UTF-8; send it as UTF-8',
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    },
  };

  test('is refused all ways, and changes nothing', async () => {
    for (const way of ['ordinary', ...shortWays] as const) {
      // So that its document is known.
      for (let time = 0; time < 3; time++)
        expect(await ask(way, tellBytes(10, 'c3a4'))).toMatchObject({ status: 200 });
      expect(await ask(way, tellBytes(9, hex))).toMatchObject(told);
    }
    const { product } = await service.query<{ product: object }>('{ product(id: 9) { imageCount } }');
    expect(product).toEqual({ imageCount: 0 });
  });

  test.each(['application/graphql+json', 'application/graphql'])('is refused as %s', async type => {
    for (const way of ['ordinary', 'short'] as const)
      expect(await ask(way, tellBytes(9, hex), { 'content-type': type })).toMatchObject(told);
  });
});

test('a character that stands for lost ones is one like any other', async () => {
  const body = JSON.stringify({ query: '{ imageCount } # \ufffd' });
  for (const way of ['ordinary', ...shortWays] as const) {
    expect(await ask(way, body)).toMatchObject({ status: 200, body: { data: {} } });
  }
});

test('what is known and came whole goes past the HTTP server, what is not known does not', async () => {
  // What came before may have left its connection to the HTTP server.
  used.destroy();
  const emitted = vi.spyOn(Server.prototype, 'emit');
  onTestFinished(() => {
    emitted.mockRestore();
  });
  /** How many of them the HTTP server had. */
  const askAll = async (query: string, times: number) => {
    emitted.mockClear();
    for (let time = 0; time < times; time++) await ask('whole', JSON.stringify({ query }));
    return emitted.mock.calls.filter(([event]) => String(event) === 'request').length;
  };
  await askAll('{ __typename }', 3);
  expect(await askAll('{ imageCount }', 3)).toBe(0);
  expect(await askAll('{ once: imageCount }', 1)).toBe(1);
  const mutation = 'mutation { deleteProductImage(id: 999) { userErrors { code } } }';
  await askAll(mutation, 3);
  expect(await askAll(mutation, 3)).toBe(0);
});

test('a query that goes past the HTTP server has an id, a line in the log, and is counted', async () => {
  const { log, lines } = keepLog('debug');
  const watched = await openTestService({}, { log });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => {
    agent.destroy();
    return watched.close();
  });
  const started = vi.spyOn(WholePost.prototype, 'onLeft');
  onTestFinished(() => started.mockRestore());
  const askOnce = async (headers: Record<string, string>) => {
    const body = '{"query":"{ imageCount }"}';
    const asked = request(`${watched.url}/graphql`, {
      ...{ method: 'POST', agent },
      headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
    }).end(body);
    const [response]: IncomingMessage[] = await once(asked, 'response');
    return { id: response?.headers['x-request-id'], answer: response && (await json(response)) };
  };
  const answers = [];
  for (let time = 0; time < 5; time++)
    answers.push(await askOnce(time === 3 ? { 'x-request-id': 'mine' } : {}));
  expect(started.mock.calls.length).toBeGreaterThan(1);
  expect(answers.map(({ answer }) => answer)).toEqual(Array(5).fill({ data: { imageCount: 0 } }));
  const ids = answers.map(({ id }) => id);
  expect(new Set(ids).size).toBe(5);
  expect(ids[3]).toBe('mine');
  const answered = lines().filter(({ msg, path }) => msg === 'Answered' && path === '/graphql');
  expect(answered).toMatchObject(ids.map(requestId => ({ requestId, method: 'POST', status: 200 })));
  const metrics = await (await fetch(`${watched.url}/metrics`)).text();
  expect(metrics).toContain('packshot_requests_total{route="graphql",method="POST",status="2xx"} 5\n');
  expect(metrics).toContain('packshot_request_duration_seconds_count{route="graphql"} 5\n');
  expect(metrics).toContain('packshot_operations_total{type="query",outcome="ok"} 5\n');
});

/** A connection on which that is known, and how it is sent once more. */
async function makeKnown({ url }: TestService, query: string) {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' }).resume();
  const body = JSON.stringify({ query });
  const send = () =>
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  for (let time = 0; time < 4; time++) {
    send();
    await once(socket, 'data');
  }
  return { socket, send };
}

const metricsOf = async ({ url }: TestService) => (await fetch(`${url}/metrics`)).text();

test('one whose client leaves is given up, and counted so', async () => {
  const watched = await openTestService();
  onTestFinished(() => watched.close());
  const { socket, send } = await makeKnown(watched, '{ productImage(id: 1) { id } }');
  const left = vi.spyOn(WholePost.prototype, 'onLeft');
  onTestFinished(() => left.mockRestore());
  await lockImages(watched, async () => {
    send();
    await waitUntil(() => left.mock.calls.length === 1);
    socket.destroy();
    await expect
      .poll(() => metricsOf(watched), { timeout: 10_000 })
      .toContain('packshot_requests_total{route="graphql",method="POST",status="left"} 1\n');
  });
});

test('a mutation that fails after its client left is told of, all the same', async () => {
  const { log, lines } = keepLog();
  const watched = await openTestService({}, { log });
  onTestFinished(() => watched.close());
  const { socket, send } = await makeKnown(
    watched,
    'mutation { deleteAllProductImages(productId: 7) { deletedCount } }',
  );
  const begun = vi.spyOn(WholePost.prototype, 'keepOpen');
  onTestFinished(() => begun.mockRestore());
  await lockImages(watched, async () => {
    send();
    await waitUntil(() => begun.mock.calls.length === 1);
    socket.destroy();
    await expect
      .poll(() => metricsOf(watched), { timeout: 10_000 })
      .toContain('packshot_operations_total{type="mutation",outcome="SERVICE_UNAVAILABLE"} 1\n');
  });
  expect(lines().map(({ msg }) => msg)).toContain('A request could not be answered now');
});

/** While nobody can read them. */
async function lockImages({ databaseUrl }: TestService, work: () => Promise<void>): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    await sql.begin(async locked => {
      await locked`lock table images in access exclusive mode`;
      await work();
    });
  } finally {
    await sql.end();
  }
}

test('a known query is answered the short way with the cost that was taken', async () => {
  const throttled = await openTestService({
    STRANGER_COST_BURST: '100',
    STRANGER_COST_PER_SECOND: '1',
    PUBLIC_READ: 'on',
    JWT_SECRET: 'x'.repeat(40),
    JWT_ISSUER: 'shop',
    JWT_AUDIENCE: 'packshot',
  });
  try {
    const answers = [];
    for (let time = 0; time < 60; time++)
      answers.push(await throttled.send<unknown>('{ productImage(id: "x") { id } }'));
    const lefts = answers.flatMap(({ extensions }) => (extensions?.cost ? [readLeft(extensions.cost)] : []));
    // Two fields each, and once only where the short way gives up.
    expect(lefts.slice(0, 5)).toEqual([98, 96, 94, 92, 90]);
    expect(answers.at(-1)?.errors?.[0]?.extensions.code).toBe('THROTTLED');
  } finally {
    await throttled.close();
  }
});

function readLeft(cost: unknown): unknown {
  return (cost as { throttleStatus: { currentlyAvailable: number } }).throttleStatus.currentlyAvailable;
}

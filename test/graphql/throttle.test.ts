import { afterEach, describe, expect, test } from 'vitest';
import { anyone, type Caller } from '../../src/access/caller.ts';
import { authenticateAs, keyOf, stranger } from '../support/callers.ts';
import { openEventStream } from '../support/event-stream.ts';
import { type Answer, openTestService, type TestService } from '../support/service.ts';

const tight = {
  COST_PER_SECOND: '100',
  COST_BURST: '1000',
  STRANGER_COST_PER_SECOND: '10',
  STRANGER_COST_BURST: '500',
};

const opened: TestService[] = [];
afterEach(async () => {
  for (const service of opened.splice(0)) await service.close();
});

/** `caller` may be changed afterwards. */
async function open(caller: Caller, environment: Record<string, string> = {}) {
  const service = await openTestService(
    { ...tight, ...environment },
    { authentication: authenticateAs(caller) },
  );
  opened.push(service);
  const post = async (query: string, headers: Record<string, string> = {}, variables = {}) => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as Answer<unknown>;
    return { ...answer, status: response.status, retryAfter: response.headers.get('retry-after') };
  };
  return { ...service, post };
}

/** Costs `count` images and 3 more. */
const page = (count: number) => `{ productImages(first: ${count}) { nodes { id } } }`;
const costOfPage = (count: number) => 1 + count * 2;

describe('a caller who is known', () => {
  test('is told what an operation costs and what is left', async () => {
    const { post } = await open(keyOf('shop'));
    const { status, errors, extensions } = await post(page(100));
    expect([status, errors]).toEqual([200, undefined]);
    expect(extensions).toEqual({
      cost: {
        requestedQueryCost: costOfPage(100),
        throttleStatus: { maximumAvailable: 1_000, currentlyAvailable: 799, restoreRate: 100 },
      },
    });
  });

  test('who has spent all is refused, told when to come again, and answered then', async () => {
    const { post } = await open(keyOf('shop'), { COST_PER_SECOND: '300' });
    for (const _ of [1, 2]) expect((await post(page(240))).status).toBe(200);
    const { status, retryAfter, errors, data, extensions } = await post(page(240));
    expect([status, retryAfter, data]).toEqual([429, '2', undefined]);
    expect(errors?.[0]?.message).toMatch(
      /^The operation costs 481, and \d+ of 1,000 are left; 300 come back each second, so try again in 2 s$/,
    );
    expect(errors?.[0]?.extensions).toEqual({ code: 'THROTTLED' });
    expect(extensions).toMatchObject({ cost: { requestedQueryCost: 481 } });
    await new Promise(resolve => setTimeout(resolve, 2_000));
    expect((await post(page(240))).status).toBe(200);
  });

  test('cannot have at once what is never there', async () => {
    const { post } = await open(keyOf('shop'), { COST_BURST: '400' });
    const { status, retryAfter, errors } = await post(page(240), {
      accept: 'application/graphql-response+json',
    });
    expect([status, retryAfter]).toEqual([400, null]);
    expect(errors).toMatchObject([
      {
        message: 'The operation costs 481; at most 400 may be spent at once. Ask for less at a time',
        extensions: { code: 'OPERATION_TOO_COSTLY' },
      },
    ]);
  });

  test('spends nothing of what another has', async () => {
    const caller = keyOf('shop');
    const { post } = await open(caller);
    await post(page(240));
    await post(page(240));
    expect((await post(page(240))).status).toBe(429);
    caller.id = 'key:marketplace';
    expect((await post(page(240))).status).toBe(200);
  });

  test('pays for changes, by how many images they are given', async () => {
    const { post } = await open(keyOf('shop'));
    const costOf = async (images: number) => {
      const list = '{ source: { url: "https://example.com/a.jpg" } }'.repeat(images);
      const { extensions = {} } = await post(
        `mutation { replaceProductImages(input: { productId: 1, images: [${list}] }) { product { id } } }`,
      );
      return extensions.cost;
    };
    expect(await costOf(1)).toMatchObject({ requestedQueryCost: 14 });
    expect(await costOf(3)).toMatchObject({ requestedQueryCost: 16 });
  });

  test('pays nothing for what is refused before', async () => {
    const { post } = await open(keyOf('shop'), { MAX_COST: '700' });
    expect((await post(page(250).replace('id', 'id url name'))).errors?.[0]?.extensions.code).toBe(
      'OPERATION_TOO_COSTLY',
    );
    await post('{ nothing }');
    const { extensions } = await post('{ imageCount }');
    expect(extensions).toMatchObject({ cost: { throttleStatus: { currentlyAvailable: 999 } } });
  });

  test('who may spend any is told of no cost', async () => {
    const { post } = await open(keyOf('shop'), { COST_PER_SECOND: '0' });
    const { status, extensions } = await post(page(250));
    expect([status, extensions]).toEqual([200, undefined]);
  });

  test('pays when a subscription begins, and not for what it tells', async () => {
    const { post, url } = await open(keyOf('shop'), { COST_PER_SECOND: '1' });
    const query = (first: number) =>
      `subscription { productImagesChanged(productId: 1) { product { images(first: ${first}) { nodes { id } } } } }`;
    await (await openEventStream(url, query(240))).find(() => true);
    const { extensions } = await post('{ imageCount }');
    expect(extensions).toMatchObject({ cost: { throttleStatus: { currentlyAvailable: 1_000 - 483 - 1 } } });
    await post(page(240));
    const { response } = await openEventStream(url, query(240));
    expect([response.status, Number(response.headers.get('retry-after'))]).toEqual([
      429,
      expect.closeTo(448, -1),
    ]);
  });
});

describe('a stranger', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  test('shares with all of one address, and with nobody else', async () => {
    const { post } = await open({ ...stranger }, { TRUSTED_PROXIES: '1' });
    expect((await post(page(240), from('192.0.2.1'))).status).toBe(200);
    expect((await post(page(240), from('192.0.2.1'))).status).toBe(429);
    expect((await post(page(240), from('192.0.2.2'))).status).toBe(200);
    expect((await post(page(240), from('2001:db8::1'))).status).toBe(200);
    expect((await post(page(240), from('2001:db8::ffff'))).status).toBe(429);
    expect((await post(page(240), from('2001:db8:1::1'))).status).toBe(200);
  });

  test('does not become another by inventing an address', async () => {
    const { post } = await open({ ...stranger });
    expect((await post(page(240), from('192.0.2.1'))).status).toBe(200);
    expect((await post(page(240), from('192.0.2.2'))).status).toBe(429);
  });

  test('pays for the contact sheet as well', async () => {
    const { post, url } = await open({ ...stranger }, { STRANGER_COST_BURST: '3000' });
    let visit = await fetch(`${url}/sheet`);
    for (let visits = 1; visits < 20 && visit.status === 200; visits++) visit = await fetch(`${url}/sheet`);
    const retryAfter = visit.headers.get('retry-after');
    expect([visit.status, await visit.text()]).toEqual([
      429,
      expect.stringContaining(`try again in ${retryAfter} s\n`),
    ]);
    expect((await post(page(240))).status).toBe(429);
  });

  test('may read the schema where anybody may', async () => {
    const { post } = await open({ ...stranger });
    const { status, errors, extensions } = await post('{ __schema { types { name fields { name } } } }');
    expect([status, errors]).toEqual([200, undefined]);
    // All that this one may have at once.
    expect(extensions).toMatchObject({ cost: { requestedQueryCost: 500 } });
  });

  test('pays for the schema, and for each product whose images are counted', async () => {
    const { post } = await open({ ...stranger }, { STRANGER_COST_BURST: '10000' });
    const productIds = Array.from({ length: 200 }, (_, n) => String(n + 1));
    const given = { ids: productIds, f: { productIds } };
    for (const [query, cost] of [
      ['{ imageCount }', 1],
      ['query ($ids: [ID!]) { imageCount(filter: { productIds: $ids }) }', 201],
      ['query ($f: ProductImageFilter) { imageCount(filter: $f) }', 201],
      ['query ($f: ProductImageFilter) { a: imageCount(filter: $f) b: imageCount(filter: $f) }', 402],
      ['query ($f: ProductImageFilter) { productImages(filter: $f) { totalCount } }', 251],
      ['{ imageCount(filter: { productIds: [1, 2, 3] }) }', 4],
      ['{ __schema { types { name } } }', 1_000],
      ['{ __typename a: __type(name: "Product") { name } }', 1_001],
    ] as const) {
      const { errors, extensions } = await post(query, {}, given);
      expect([query, errors]).toEqual([query, undefined]);
      expect(extensions).toMatchObject({ cost: { requestedQueryCost: cost } });
    }
  });
});

test('where no credentials are set up nobody is throttled', async () => {
  const { post } = await open({ ...anyone });
  for (let n = 0; n < 10; n++) {
    const { status, extensions } = await post(page(250));
    expect([status, extensions]).toEqual([200, undefined]);
  }
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { makeKey, makeToken, tokenSettings } from '../support/credentials.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';

// Every operation × every credential × a thing that is there and one that is not, over HTTP.

interface Ids {
  product: string;
  image: string;
}

interface Operation {
  scope: 'images:read' | 'images:write' | 'public';
  write: (ids: Ids) => string;
}

const read = (write: Operation['write']): Operation => ({ scope: 'images:read', write });
const change = (write: Operation['write']): Operation => ({ scope: 'images:write', write });
const open = (text: string): Operation => ({ scope: 'public', write: () => text });
const errors = 'userErrors { code }';

/** One that is missing here fails a test below. */
const operations: Record<string, Operation> = {
  _sdl: open('{ _sdl }'),
  _service: open('{ _service { sdl } }'),
  _entities: read(
    ({ product }) =>
      `{ _entities(representations: [{__typename: "Product", id: "${product}"}]) { __typename } }`,
  ),
  product: read(({ product }) => `{ product(id: ${product}) { images { nodes { id } } } }`),
  productsByIds: read(({ product }) => `{ productsByIds(ids: [${product}]) { id } }`),
  productImage: read(({ image }) => `{ productImage(id: ${image}) { id } }`),
  productImages: read(
    ({ product }) => `{ productImages(filter: {productIds: [${product}]}) { totalCount } }`,
  ),
  imageCount: read(({ product }) => `{ imageCount(filter: {productIds: [${product}]}) }`),
  productImagesByIds: read(({ image }) => `{ productImagesByIds(ids: [${image}]) { id } }`),
  productImagesChanged: read(
    ({ product }) => `subscription { productImagesChanged(productId: ${product}) { product { id } } }`,
  ),
  replaceProductImages: change(
    ({ product, image }) =>
      `mutation { replaceProductImages(input: {productId: ${product}, images: [{id: ${image}, altText: "new"}]}) { ${errors} } }`,
  ),
  createProductImage: change(
    ({ product }) =>
      `mutation { createProductImage(input: {productId: ${product}, source: {url: "https://shop.example/new.jpg"}}) { ${errors} } }`,
  ),
  updateProductImage: change(
    ({ image }) => `mutation { updateProductImage(id: ${image}, input: {altText: "new"}) { ${errors} } }`,
  ),
  reorderProductImages: change(
    ({ product, image }) =>
      `mutation { reorderProductImages(productId: ${product}, imageIds: [${image}]) { ${errors} } }`,
  ),
  retryProductImages: change(({ image }) => `mutation { retryProductImages(ids: [${image}]) { ${errors} } }`),
  restoreProductImages: change(
    ({ image }) => `mutation { restoreProductImages(ids: [${image}]) { ${errors} } }`,
  ),
  deleteProductImage: change(({ image }) => `mutation { deleteProductImage(id: ${image}) { ${errors} } }`),
  deleteProductImages: change(
    ({ image }) => `mutation { deleteProductImages(ids: [${image}]) { ${errors} } }`,
  ),
  deleteAllProductImages: change(
    ({ product }) => `mutation { deleteAllProductImages(productId: ${product}) { ${errors} } }`,
  ),
  updateProduct: change(
    ({ product }) =>
      `mutation { updateProduct(id: ${product}, input: {marketingColor: "RED"}) { ${errors} } }`,
  ),
};

type Outcome = 'answered' | 'invalid' | 'missing' | 'forbidden';

/** What each credential is good for; null: it is not good at all. */
const credentials: Record<string, readonly string[] | null> = {
  'no credential': [],
  'a read key': ['images:read'],
  'a write key': ['images:write'],
  'a read and write key': ['images:read', 'images:write'],
  'a token': ['images:read', 'images:write'],
  'a token to read': ['images:read'],
  'a token without scopes': [],
  'an expired key': null,
  'a revoked key': null,
  'a forged key': null,
  'an unknown key': null,
  'an expired token': null,
  'a token without an end': null,
  'a forged token': null,
  'a token for another audience': null,
  'a token of another issuer': null,
  'a token with alg none': null,
  'another scheme': null,
  'nothing after Bearer': null,
};

/** What is left to a caller grows with time. */
const withoutCost = (body: string) => body.replace(/"throttleStatus":\{[^}]*\}/, '');

function expectOutcome(credential: string, { scope }: Operation, isPublic: boolean): Outcome {
  const scopes = credentials[credential];
  if (!scopes) return 'invalid';
  if (scope === 'public' || scopes.includes(scope)) return 'answered';
  if (credential !== 'no credential') return 'forbidden';
  return isPublic && scope === 'images:read' ? 'answered' : 'missing';
}

describe.each([
  { isPublic: false, called: 'off' },
  { isPublic: true, called: 'on' },
])('with PUBLIC_READ $called', ({ isPublic, called }) => {
  let service: TestService;
  let headers: Record<string, string>;
  let own: Ids;
  const absent: Ids = { product: '999', image: '999999' };

  beforeAll(async () => {
    service = await openTestService({ ...tokenSettings, PUBLIC_READ: called });
    const { db } = service;
    const good = await makeKey(db);
    const minuteAgo = new Date(Date.now() - 60_000);
    const shown: Record<string, string> = {
      'a read key': await makeKey(db, { scopes: ['images:read'] }),
      'a write key': await makeKey(db, { scopes: ['images:write'] }),
      'a read and write key': good,
      'a token': makeToken(),
      'a token to read': makeToken({ scope: 'openid images:read' }),
      'a token without scopes': makeToken({ scope: null }),
      'an expired key': await makeKey(db, { expiresAt: minuteAgo }),
      'a revoked key': await makeKey(db, { isRevoked: true }),
      'a forged key': `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
      'an unknown key': `packshot_${'0'.repeat(12)}_${'A'.repeat(43)}`,
      'an expired token': makeToken({ exp: Math.floor(minuteAgo.getTime() / 1_000) }),
      'a token without an end': makeToken({ exp: null }),
      'a forged token': makeToken({}, { secret: 'another secret that is long enough, too' }),
      'a token for another audience': makeToken({ aud: 'elsewhere' }),
      'a token of another issuer': makeToken({ iss: 'https://evil.example' }),
      'a token with alg none': makeToken({}, { header: { alg: 'none' } }),
      'nothing after Bearer': '',
    };
    headers = Object.fromEntries(Object.entries(shown).map(([name, text]) => [name, `Bearer ${text}`]));
    headers['another scheme'] = `Basic ${Buffer.from('user:password').toString('base64')}`;
    const { id: image } = await storeImage(service, '1', await drawPicture('teal'));
    own = { product: '1', image };
  });
  afterAll(() => service?.close());

  async function ask(query: string, credential: string): Promise<{ outcome: Outcome; body: string }> {
    const isStream = query.startsWith('subscription');
    const leaving = new AbortController();
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        'content-type': 'application/json',
        accept: isStream ? 'text/event-stream' : 'application/json',
        ...(headers[credential] && { authorization: headers[credential] }),
      },
      body: JSON.stringify({ query }),
    });
    const body = isStream ? await readFirstEvent(response) : await response.text();
    leaving.abort();
    return { outcome: readOutcome(response, body), body };
  }

  async function readFirstEvent(response: Response): Promise<string> {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('data: {')) break;
    }
    return text;
  }

  function readOutcome({ status, headers: answered }: Response, body: string): Outcome {
    const codes = [...body.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code);
    const challenge = answered.get('www-authenticate') ?? '';
    if (codes.includes('UNAUTHENTICATED')) {
      expect(status).toBe(401);
      return challenge.includes('invalid_token') ? 'invalid' : 'missing';
    }
    expect(challenge).toBe('');
    if (codes.includes('FORBIDDEN')) return 'forbidden';
    expect(status).toBe(200);
    expect(body).not.toContain('"errors"');
    return 'answered';
  }

  const readVersion = async () => {
    const { body } = await ask('{ product(id: 1) { imagesVersion imageCount } }', 'a token');
    return body;
  };

  test('each operation of the schema is looked at', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const names = roots.flatMap(root => Object.keys(root?.getFields() ?? {}));
    expect(Object.keys(operations).sort()).toEqual(names.sort());
  });

  test('each operation names its scope in the schema', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const fields = roots.flatMap(root => Object.values(root?.getFields() ?? {}));
    // Plans look at scopes of fields alone.
    for (const root of roots)
      expect(Object.keys(Object(root?.extensions.pothosOptions))).toEqual(['description']);
    const named = fields.map(({ name, extensions }) => {
      const { authScopes } = Object(extensions.pothosOptions);
      return [name, Object.keys(Object(authScopes)).join()];
    });
    expect(Object.fromEntries(named)).toEqual(
      Object.fromEntries(Object.entries(operations).map(([name, { scope }]) => [name, scope])),
    );
  });

  const cells = Object.keys(credentials).flatMap(credential =>
    Object.keys(operations).map(name => ({ credential, name })),
  );
  const refused = cells.filter(
    ({ credential, name }) =>
      expectOutcome(credential, operations[name] ?? open(''), isPublic) !== 'answered',
  );

  async function findWronglyRefused(cells: typeof refused): Promise<string[]> {
    const wrong: string[] = [];
    for (const { credential, name } of cells) {
      const operation = operations[name] ?? open('');
      const expected = expectOutcome(credential, operation, isPublic);
      const [ofOwn, ofAbsent] = await Promise.all([
        ask(operation.write(own), credential),
        ask(operation.write(absent), credential),
      ]);
      const isAlike = withoutCost(ofOwn.body) === withoutCost(ofAbsent.body) && ofOwn.outcome === expected;
      if (!isAlike)
        wrong.push(`${name} with ${credential}: ${ofOwn.outcome}, not ${expected}: ${ofOwn.body}`);
    }
    return wrong;
  }

  test('what is refused is refused alike, whether it is there or not, and changes nothing', async () => {
    const before = await readVersion();
    expect(await findWronglyRefused(refused)).toEqual([]);
    expect(await readVersion()).toBe(before);
  }, 60_000);

  test('what is allowed is answered, whether it is there or not', async () => {
    const allowed = cells.filter(cell => !refused.includes(cell));
    expect(allowed.length).toBeGreaterThan(40);
    const wrong: string[] = [];
    for (const { credential, name } of allowed) {
      for (const ids of [own, absent]) {
        const { outcome, body } = await ask(operations[name]?.write(ids) ?? '', credential);
        if (outcome !== 'answered') wrong.push(`${name} with ${credential}: ${outcome}: ${body}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test('what is known by then, since others may ask it, is refused to those who may not', async () => {
    const reads = refused.filter(({ name }) => operations[name]?.scope === 'images:read');
    for (const { name } of reads)
      for (let time = 0; time < 3; time++) await ask(operations[name]?.write(own) ?? '', 'a token');
    expect(await findWronglyRefused(reads)).toEqual([]);
  }, 60_000);

  test('each code is that of Bitrix24', async () => {
    const { body: ofRead } = await ask('{ imageCount }', 'a write key');
    const { body: ofWrite } = await ask(
      'mutation { deleteProductImage(id: 1) { deletedCount } }',
      'a read key',
    );
    expect(ofRead).toContain('"legacyCode":"200040300010"');
    expect(ofWrite).toContain('"legacyCode":"200040300020"');
  });
});

import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeKey, makeToken, tokenSettings } from '../support/credentials.ts';
import { replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';

// Where reading is public, strangers see what is ready to be shown, and nothing else.

let service: TestService;
let key: string;
let stored: string[];
beforeAll(async () => {
  service = await openTestService({ PUBLIC_READ: 'on' });
  // Nobody is a stranger yet: each of these is what it says until the first key is made.
  await replace(service, {
    productId: '1',
    images: [{ source: { url: 'https://shop.example/unready.jpg?token=x' } }],
  });
  stored = [];
  for (const color of ['teal', 'navy', 'olive']) {
    stored.push((await storeImage(service, '1', await drawPicture(color))).id);
  }
  await service.query('mutation ($id: ID!) { deleteProductImage(id: $id) { deletedCount } }', {
    id: stored[2],
  });
  await replace(service, {
    productId: '2',
    images: [{ source: { url: 'https://shop.example/unready.jpg' } }],
  });
  await service.query(
    'mutation { updateProduct(id: 3, input: {kind: OFFER, parentId: 1}) { userErrors { code } } }',
  );
  await replace(service, {
    productId: '3',
    images: [{ source: { url: 'https://shop.example/unready.jpg' } }],
  });
  key = await makeKey(service.db);
  await waitUntilClosed();
});
afterAll(() => service?.close());

async function waitUntilClosed(): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const { errors } = await service.send('mutation { retryProductImages(ids: []) { userErrors { code } } }');
    if (errors?.[0]?.extensions.code === 'UNAUTHENTICATED') return;
    if (performance.now() > deadline) throw new Error('the service is open still');
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

async function askWithKey<Data>(query: string): Promise<Data> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

const ids = (nodes: readonly { id: string }[]) => nodes.map(({ id }) => id);

describe('a stranger', () => {
  test('finds by id what is ready, and nothing that is not, or is deleted', async () => {
    const { productImages } = await askWithKey<{ productImages: { nodes: { id: string }[] } }>(
      '{ productImages { nodes { id } } }',
    );
    const all = [...ids(productImages.nodes), stored[2]];
    expect(all).toHaveLength(6);
    const found = await service.query<{ productImagesByIds: ({ id: string } | null)[] }>(
      'query ($all: [ID!]!) { productImagesByIds(ids: $all) { id } }',
      { all },
    );
    expect(ids(found.productImagesByIds.filter(image => image !== null)).sort()).toEqual(stored.slice(0, 2));
    for (const id of all) {
      const { productImage } = await service.query<{ productImage: object | null }>(
        'query ($id: ID!) { productImage(id: $id) { id } }',
        { id },
      );
      expect(productImage !== null).toBe(stored.slice(0, 2).includes(id ?? ''));
    }
  });

  test('counts what it can list, however it asks', async () => {
    const filters = [
      {},
      { productIds: ['1'] },
      { productIds: ['2'] },
      { states: ['IMPORTED'] },
      { states: ['IMPORTED', 'UPLOADED'] },
      { states: ['FAILED'], productIds: ['1'] },
      { deleted: true },
      { deleted: true, productIds: ['1'] },
      { types: ['MORE_PHOTO'] },
      { types: ['SPIN_360'] },
    ];
    const counts: number[] = [];
    for (const filter of filters) {
      const { productImages, imageCount } = await service.query<{
        productImages: { nodes: { id: string }[]; totalCount: number };
        imageCount: number;
      }>(
        `query ($filter: ProductImageFilter) { imageCount(filter: $filter)
          productImages(filter: $filter) { totalCount nodes { id state deletedAt } } }`,
        { filter },
      );
      expect([productImages.nodes.length, productImages.totalCount]).toEqual([imageCount, imageCount]);
      counts.push(imageCount);
    }
    expect(counts).toEqual([2, 2, 0, 0, 2, 0, 0, 0, 2, 0]);
  });

  test('sees of a product what is ready, from each side', async () => {
    const fields =
      'id imageCount thumbnail { id } images(first: 5) { totalCount nodes { id product { imageCount } } }';
    const [product, variation] = await Promise.all(
      ['1', '3'].map(id => service.query(`{ product(id: ${id}) { ${fields} } }`)),
    );
    const nodes = stored.slice(0, 2).map(id => ({ id, product: { imageCount: 2 } }));
    const gallery = { thumbnail: { id: stored[0] }, images: { totalCount: 2, nodes } };
    expect(product).toEqual({ product: { id: '1', imageCount: 2, ...gallery } });
    // It has no ready ones of its own yet, so it shows its parent's.
    expect(variation).toEqual({ product: { id: '3', imageCount: 0, ...gallery } });
    const { _entities: entities } = await service.query<{ _entities: object[] }>(
      `{ _entities(representations: [{__typename: "Product", id: "1"}]) { ... on Product { ${fields} } } }`,
    );
    expect(entities).toEqual([{ id: '1', imageCount: 2, ...gallery }]);
  });

  test('is told neither sources nor failures nor downloads, and a key is', async () => {
    const query = `{ productImage(id: ${stored[0]}) { url sourceUrl sourcePath failure { code } downloadUrl } }`;
    const { productImage } = await service.query<{ productImage: Record<string, unknown> }>(query);
    expect(productImage).toMatchObject({
      sourceUrl: null,
      sourcePath: null,
      failure: null,
      downloadUrl: null,
    });
    expect(productImage.url).toMatch(/^http/);
    const known = await askWithKey<typeof productImage>(query);
    expect(known).toMatchObject({ productImage: { downloadUrl: expect.stringMatching(/^http/) } });
    const { product } = await askWithKey<{ product: { images: { nodes: { sourceUrl: string | null }[] } } }>(
      '{ product(id: 1) { images { nodes { sourceUrl } } } }',
    );
    expect(product.images.nodes[0]?.sourceUrl).toBe('https://shop.example/unready.jpg?token=x');
  });

  test('is told of changes what it could ask for', async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({
        query:
          'subscription { productImagesChanged(productId: 1) { product { images { nodes { id sourceUrl } } } } }',
      }),
    });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('"nodes"')) break;
    }
    const nodes = stored.slice(0, 2).map(id => ({ id, sourceUrl: null }));
    expect(text).toContain(JSON.stringify({ product: { images: { nodes } } }));
  });

  test('has each list and count as one statement still', async () => {
    service.statements.length = 0;
    await service.query(
      '{ productsByIds(ids: [1, 2, 3]) { imageCount thumbnail { id } images(first: 2) { totalCount nodes { id } } } }',
    );
    expect(service.statements).toHaveLength(4);
  });

  test('uploads nothing: a file is refused before it is read', async () => {
    // The common one has files of other tests.
    const temporary = await mkdtemp(join(tmpdir(), 'packshot-strangers-'));
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await rm(temporary, { recursive: true });
    });
    const form = new FormData();
    form.append(
      'operations',
      JSON.stringify({
        query:
          'mutation ($file: File!) { createProductImage(input: {productId: 1, source: {file: $file}}) { userErrors { code } } }',
        variables: { file: null },
      }),
    );
    form.append('map', '{"0": ["variables.file"]}');
    form.append('0', new Blob([new Uint8Array(await drawPicture('red'))]), 'red.png');
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'graphql-require-preflight': '1' },
      body: form,
    });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="packshot", scope="images:write"',
    ]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('may ask less at once than who is known, of the same document', async () => {
    const aliases = Array.from({ length: 40 }, (_, index) => `a${index}: id`).join(' ');
    const query = `{ product(id: 1) { ${aliases} } }`;
    await askWithKey(query);
    const { errors } = await service.send(query);
    expect(errors?.[0]?.message).toMatch(/alias/);
    await askWithKey(query);
  });

  test('sees the sheet of what is ready', async () => {
    const page = await (await fetch(`${service.url}/sheet`)).text();
    expect(page.match(/<img /g)?.length).toBe(2);
  });
});

test('where no tokens are set up a token is refused, and a bad credential wherever reading is public', async () => {
  for (const authorization of ['Bearer a.b.c', 'Bearer', tokenSettings.JWT_SECRET]) {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query: '{ imageCount }' }),
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="packshot", error="invalid_token"');
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  }
});

describe('a stream', () => {
  test('ends with the key that it was opened with', { timeout: 20_000 }, async () => {
    const guarded = await openTestService(tokenSettings);
    const passing = await makeKey(guarded.db, { expiresAt: new Date(Date.now() + 2_000) });
    const response = await fetch(`${guarded.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${passing}`,
      },
      body: JSON.stringify({
        query: 'subscription { productImagesChanged(productId: 1) { product { id } } }',
      }),
    });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain('"id":"1"');
    expect(text).not.toContain('event: complete');
    await guarded.close();
  });
});

describe('the sheet', () => {
  test('shows no more at a time than a page may have', async () => {
    const small = await openTestService({ MAX_PAGE_SIZE: '2', PAGE_SIZE: '2' });
    onTestFinished(() => small.close());
    const response = await fetch(`${small.url}/sheet`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
  });

  test('says what is wrong with its address, as text that no browser takes for a page', async () => {
    const after = '<script>alert(1)</script>';
    const response = await fetch(`${service.url}/sheet?after=${encodeURIComponent(after)}`);
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining(`after is ${JSON.stringify(after)}, which is no cursor`),
    ]);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.has('retry-after')).toBe(false);
  });

  test('says that a credential is not good for it', async () => {
    const guarded = await openTestService(tokenSettings);
    onTestFinished(() => guarded.close());
    const visit = (credential: string) =>
      fetch(`${guarded.url}/sheet`, { headers: { authorization: `Bearer ${credential}` } });
    const forbidden = await visit(makeToken({ scope: 'images:write' }));
    expect([forbidden.status, await forbidden.text()]).toEqual([
      403,
      'This needs images:read, which the credential is not good for.\n',
    ]);
    expect((await visit('none')).status).toBe(401);
  });

  test('asks to come back while images cannot be read', async () => {
    await service.db.execute('alter table images rename to images_out_of_reach');
    const { status, headers } = await fetch(`${service.url}/sheet`);
    await service.db.execute('alter table images_out_of_reach rename to images');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  });

  test('asks for a credential where reading is not public', async () => {
    const guarded = await openTestService(tokenSettings);
    const response = await fetch(`${guarded.url}/sheet`);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="packshot"',
    ]);
    await guarded.close();
  });
});

describe('a service without credentials', () => {
  /** Node's fetch sets the header by itself. */
  async function askByName(service: TestService, host: string): Promise<[number, unknown]> {
    const sent = request(`${service.url}/graphql?query={imageCount}`, { headers: { host } }).end();
    const [response] = await once(sent, 'response');
    return [response.statusCode, await json(response)];
  }

  test('is open to who asks by a name of this machine, and to nobody by another', async () => {
    const open = await openTestService();
    for (const host of ['localhost', 'localhost:4000', '127.0.0.1:1', '[::1]:80']) {
      expect([host, ...(await askByName(open, host))]).toEqual([host, 200, { data: { imageCount: 0 } }]);
    }
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1']) {
      const message = `Host is "${host}"; as long as no credentials are set up, it must be localhost, or the host of PUBLIC_URL.`;
      expect(await askByName(open, host)).toMatchObject([
        401,
        {
          errors: [expect.objectContaining({ message, extensions: { code: 'UNAUTHENTICATED' } })],
          data: null,
        },
      ]);
    }
    await open.close();
  });
});

import { connect } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fill, fromUrl, galleryNames, mutateWell } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
let locking: postgres.Sql;
beforeAll(async () => {
  service = await openTestService({ DATABASE_CONNECTIONS: '4' });
  locking = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await locking.end({ timeout: 5 });
  await service.close();
});

const creating = (productId: string, name: string) =>
  service.send<{ createProductImage: { userErrors: [] } | null }>(
    `mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } userErrors { code } } }`,
    { input: { productId, ...fromUrl(name) } },
  );

test('however many change a product that is locked, others are read and changed as ever', async () => {
  const [image, last] = await fill(service, '1', ['a', 'c']);
  await fill(service, '2', ['a']);
  const id = image?.id ?? '';
  let isLocked = true;
  const told: string[] = [];
  const changes = [
    () => creating('1', 'b'),
    () =>
      service.send(
        `mutation { updateProductImage(id: ${id}, input: { altText: "b" }) { userErrors { code } } }`,
      ),
    () =>
      service.send(
        `mutation { updateProduct(id: 1, input: { marketingColor: "RED" }) { userErrors { code } } }`,
      ),
    () => service.send(`mutation { deleteProductImage(id: ${id}) { userErrors { code } } }`),
    () =>
      service.send(`mutation { deleteAllProductImages(productId: 1, dryRun: true) { userErrors { code } } }`),
    () =>
      service.send(
        `mutation { reorderProductImages(productId: 1, imageIds: [${last?.id}]) { userErrors { code } } }`,
      ),
  ];
  await locking.begin(async sql => {
    await sql`select from products where id = 1 for update`;
    const waiting = Array.from({ length: 24 }, async (_, at) => {
      while (isLocked) {
        const { errors } = await (changes[at % changes.length] as (typeof changes)[number])();
        if (isLocked) told.push(errors?.[0]?.extensions.code ?? 'done');
      }
    });
    const end = performance.now() + 5_000;
    let others = 0;
    for (; performance.now() < end; others++) {
      const start = performance.now();
      const { errors } = await creating('2', `b${others}`);
      expect(errors).toBeUndefined();
      await service.query('{ productImages(first: 5) { nodes { id } } }');
      expect(performance.now() - start).toBeLessThan(1_000);
    }
    expect(others).toBeGreaterThan(20);
    isLocked = false;
    await Promise.all([sql`select 1`, ...waiting]).catch(() => {});
  });
  expect(new Set(told)).toEqual(new Set(['SERVICE_UNAVAILABLE']));
  await mutateWell(service, 'createProductImage', { input: { productId: '1', ...fromUrl('z') } });
}, 30_000);

test('changes of a product that come at once are done in the order in which they came', async () => {
  const names = Array.from({ length: 8 }, (_, at) => `n${at}`);
  for (let productId = 100; productId < 110; productId++) {
    const posts = names.map(name => {
      const body = JSON.stringify({
        query:
          'mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { userErrors { code } } }',
        variables: { input: { productId: String(productId), ...fromUrl(name) } },
      });
      return [
        'POST /graphql HTTP/1.1',
        'Host: localhost',
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n');
    });
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    let answered = '';
    socket.on('data', (bytes: Buffer) => {
      answered += bytes;
    });
    socket.write(posts.join(''));
    await vi.waitFor(() => expect(answered.split('"userErrors":[]')).toHaveLength(names.length + 1));
    socket.destroy();
    expect(await galleryNames(service, String(productId))).toEqual(names);
  }
});

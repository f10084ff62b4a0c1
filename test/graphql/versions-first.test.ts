import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

// Who gives a version back that is newer than the images that came with it would remove unseen what came in between.

let service: TestService;
let other: postgres.Sql;
beforeAll(async () => {
  service = await openTestService();
  other = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
  for (const productId of ['1', '2']) await fill(service, productId, ['a', 'b']);
});
afterAll(async () => {
  await other.end({ timeout: 5 });
  await service.close();
});

const ofSets = (fields: string) => `productsByIds(ids: [1, 2, "x"]) { ${fields} }`;
const ofList = 'productImages(filter: { productIds: [1] })';
const reads = [
  ['images', ofSets('imagesVersion images { nodes { id } }')],
  ['images before it', ofSets('images { totalCount nodes { id } } imagesVersion')],
  ['images that know their product', ofSets('images { nodes { product { imagesVersion } } }')],
  ['frames', ofSets('images360 { id } imagesVersion')],
  ['a thumbnail', ofSets('thumbnail { id } imagesVersion')],
  ['a count', ofSets('imageCount imagesVersion')],
  ['a list of its images', `${ofList} { nodes { id product { imagesVersion } } }`],
  ['a list beside it', `${ofList} { nodes { id } } product(id: 1) { imagesVersion }`],
  ['a count beside it', 'imageCount(filter: { productIds: [1] }) product(id: 1) { imagesVersion }'],
] as const;

/** Once more for each, so that both the ordinary way and that of known documents are taken. */
test.for([...reads, ...reads, ...reads])('the version is read before %s', async ([, fields]) => {
  const { asking } = await other.begin(async sql => {
    await sql`lock table products in access exclusive mode`;
    service.statements.length = 0;
    const begun = service.query(`{ ${fields} }`);
    await vi.waitFor(() => expect(service.statements).not.toEqual([]));
    // As long as the others would take to be sent, and longer.
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(service.statements).toEqual([expect.stringMatching(/"images_version".* from "products" where/s)]);
    return { asking: begun };
  });
  await asking;
});

test('nothing waits for versions that nobody asked for', async () => {
  await service.query('{ productsByIds(ids: [1]) { images { nodes { id } } imageCount } }');
  service.statements.length = 0;
  await service.query('{ productsByIds(ids: [1]) { images { nodes { id } } imageCount } }');
  expect(service.statements).toHaveLength(2);
  expect(service.statements.join()).not.toContain('"images_version"');
});

test('the version of a head product is read before its images that a variation shows', async () => {
  await service.query(
    'mutation { updateProduct(id: 9, input: { kind: OFFER, parentId: 1 }) { userErrors { code } } }',
  );
  service.statements.length = 0;
  await service.query(
    '{ product(id: 9) { images { nodes { id product { imagesVersion } } } parent { imagesVersion } } }',
  );
  const reads = service.statements.map(text => /"images_version".* from "products" where/s.test(text));
  expect(reads).toEqual([true, true, false]);
});

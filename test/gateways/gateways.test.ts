import { composeServices } from '@apollo/composition';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill } from '../support/gallery.ts';
import { type Answer, openTestService, type TestService } from '../support/service.ts';
import { openApolloGateway } from './apollo-gateway.ts';
import { openCatalogue } from './catalogue.ts';
import { openHiveGateway } from './hive-gateway.ts';
import type { Server } from './loopback-server.ts';
import { openStitchedGateway } from './stitched-gateway.ts';
import { composeSupergraph, readServices } from './supergraph.ts';

const ids = Array.from({ length: 100 }, (_, index) => String(9_007_199_254_740_993n + BigInt(index)));
const unknown = ids.slice(90);
const [broken = ''] = ids.slice(7);
/** As a catalogue may have it, and no 64-bit integer. */
const foreign = 'sofa-blue';

interface Gallery {
  totalCount?: number;
  nodes: { url: string; altText: string | null }[];
}

type Products = { products: ({ id: string; name: string; images: Gallery } | null)[] };

interface Addresses extends Record<string, string> {
  catalogue: string;
  packshot: string;
}

let service: TestService;
let catalogue: Server;
let addresses: Addresses;

beforeAll(async () => {
  service = await openTestService();
  catalogue = await openCatalogue([...ids, foreign], [broken]);
  addresses = { catalogue: catalogue.url, packshot: `${service.url}/graphql` };
  const filled = ids.filter(id => !unknown.includes(id));
  await Promise.all(
    filled.map(id =>
      fill(
        service,
        id,
        [...'abcdef'].map(letter => `${id}-${letter}`),
      ),
    ),
  );
});
afterAll(async () => {
  await catalogue?.close();
  await service?.close();
});

const gateways: [string, (addresses: Addresses) => Promise<Server>][] = [
  ['a stitched gateway', all => openStitchedGateway(Object.values(all))],
  ['Apollo gateway', async all => openApolloGateway(await composeSupergraph(all))],
  ['Hive Gateway', async all => openHiveGateway(await composeSupergraph(all))],
];

test('Apollo’s own composition takes the services too', async () => {
  const { errors, hints } = composeServices(await readServices(addresses));
  expect(errors).toBeUndefined();
  expect(hints?.map(({ message }) => message)).toEqual([]);
});

describe.for(gateways)('%s', ([, openGateway]) => {
  let gateway: Server;
  beforeAll(async () => {
    gateway = await openGateway(addresses);
  });
  afterAll(() => gateway?.close());

  /** Asks the gateway, and tells what that costs in Postgres here. */
  async function ask<Data>(
    query: string,
    variables?: object,
  ): Promise<Answer<Data> & { statements: number }> {
    service.statements.length = 0;
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as Answer<Data>;
    return { ...answer, statements: service.statements.length };
  }

  const galleriesOf = ({ products }: Products) =>
    new Map(products.flatMap(product => (product ? [[product.id, product.images]] : [])));

  test('asks for the images of 100 products with one statement', async () => {
    const { data, statements } = await ask<Products>(
      '{ products { id name images(first: 5) { nodes { url altText } } } }',
    );
    expect(statements).toBe(1);
    const galleries = galleriesOf(data);
    for (const id of ids.slice(0, 90).filter(id => id !== broken)) {
      const urls = galleries.get(id)?.nodes.map(({ url }) => url);
      expect(urls).toEqual([...'abcde'].map(letter => `https://example.com/${id}-${letter}`));
    }
  });

  test('counts them with one statement more', async () => {
    const { data, statements } = await ask<Products>(
      '{ products { id images(first: 5) { totalCount nodes { url altText } } } }',
    );
    expect(statements).toBe(2);
    const counts = [...galleriesOf(data).values()].map(({ totalCount }) => totalCount);
    expect(counts).toEqual(ids.map(id => (unknown.includes(id) ? 0 : 6)).concat(0));
  });

  test('has empty galleries for products that are unknown here', async () => {
    const { data } = await ask<Products>('{ products { id images { nodes { url altText } } } }');
    const galleries = galleriesOf(data);
    for (const id of [...unknown, foreign]) expect(galleries.get(id)).toEqual({ nodes: [] });
  });

  test('leaves the others where one product has an error', async () => {
    const { data, errors } = await ask<Products>('{ products { id name images { nodes { url altText } } } }');
    expect(errors).toMatchObject([
      { message: `The name of ${broken} is lost`, path: ['products', 7, 'name'] },
    ]);
    expect(data.products[7]).toBeNull();
    expect(galleriesOf(data).size).toBe(100);
  });

  test('finds the catalogue’s product of an image', async () => {
    const { data } = await ask(
      `{ productImages(first: 2, filter: { productIds: ["${ids[0]}"] }) { nodes { product { id name } } } }`,
    );
    const product = { id: ids[0], name: `Product ${ids[0]}` };
    expect(data).toEqual({ productImages: { nodes: [{ product }, { product }] } });
  });

  test('changes images, and shows the catalogue’s product with them', async () => {
    const document = `mutation ($input: CreateProductImageInput!) {
      createProductImage(input: $input) { image { position product { name imageCount } } userErrors { message } } }`;
    const [, id] = unknown;
    const input = { productId: id, source: { url: 'https://example.com/new' } };
    const { data } = await ask(document, { input });
    const product = { name: `Product ${id}`, imageCount: 1 };
    expect(data).toEqual({ createProductImage: { image: { position: 0, product }, userErrors: [] } });
    await service.query(
      `mutation { deleteAllProductImages(productId: "${id}", permanent: true) { deletedCount } }`,
    );
  });

  test('leaves `product`, `updateProduct` and Node to the catalogue', async () => {
    const { data } = await ask(`{
      product(id: "1") { id }
      node(id: "${ids[0]}") { ... on Product { name imageCount } }
      productPage(first: 1) { pageInfo { hasNextPage } }
    }`);
    const node = { name: `Product ${ids[0]}`, imageCount: 6 };
    expect(data).toEqual({ product: null, node, productPage: { pageInfo: { hasNextPage: true } } });
    const renamed = await ask(
      `mutation { updateProduct(id: "${foreign}", input: { name: "Blue sofa" }) { product { name imageCount } } }`,
    );
    expect(renamed.data).toEqual({ updateProduct: { product: { name: 'Blue sofa', imageCount: 0 } } });
  });
});

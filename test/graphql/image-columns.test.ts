import { execute, GraphQLObjectType, getNamedType, isLeafType, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findGalleryPages } from '../../src/data/galleries.ts';
import { everyColumn } from '../../src/data/image-columns.ts';
import { listImages } from '../../src/data/image-list.ts';
import { findImagesByIds, type ImageRow } from '../../src/data/images.ts';
import { imageStates } from '../../src/data/tables.ts';
import { collectColumns, tellsMore } from '../../src/graphql/image-columns.ts';
import { schema } from '../../src/graphql/schema.ts';
import { fill, mutateWell } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

const subselections: Record<string, string> = {
  product: '{ id }',
  failure: '{ code message attempts retryAt }',
  altTexts: '{ locale text }',
  focalPoint: '{ x y }',
};
const givenArguments: Record<string, string[]> = {
  altText: ['', '(locale: "de")'],
  url: ['', '(transform: {width: 3})'],
};

const type = schema.getType('ProductImage');
const selections = Object.values(type instanceof GraphQLObjectType ? type.getFields() : {}).flatMap(field => {
  const subselection = isLeafType(getNamedType(field.type))
    ? ''
    : (subselections[field.name] ?? '{ unknown }');
  return (givenArguments[field.name] ?? ['']).map(
    (given, n) => `f${n}${field.name}: ${field.name}${given}${subselection}`,
  );
});

let service: TestService;
const productId = '9007199254740993';
let ids: string[];

beforeAll(async () => {
  service = await openTestService();
  ids = (await fill(service, productId, ['a', 'b', 'c', 'd'])).map(({ id }) => id);
  const id = ids[0];
  await mutateWell(service, 'updateProductImage', {
    id,
    input: {
      altText: 'chair',
      altTexts: [{ locale: 'de', text: 'Stuhl' }],
      description: 'words',
      isThumbnail: true,
      focalPoint: { x: 0.25, y: 0.5 },
    },
  });
  await service.db.execute(`
    insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
    values (sha256('x'), 'image/png', 1, 20, 30, 'hash', '#abcdef', true)`);
  await service.db.execute(`
    update images set file_hash = sha256('x'), state = 'UPLOADED', source_path = 'a/b.png' where id = ${id}`);
  await service.db.execute(`update images set state = 'PENDING' where id = ${ids[3]}`);
  await service.db.execute(`
    update images set state = 'FAILED', failure_code = 'CORRUPT_IMAGE', failure_message = 'no', attempts = 3, retry_at = now() where id = ${ids[1]}`);
});
afterAll(() => service.close());

/** Addresses of downloads tell their time. */
const withoutTimes = (data: unknown) => JSON.stringify(data).replace(/"[^"]*\/download[^"]*"/g, '"download"');

interface Place {
  name: string;
  document: (fields: string) => string;
}

const places: Place[] = [
  { name: 'by id', document: fields => `{ productImagesByIds(ids: [${ids}]) { ${fields} } }` },
  { name: 'in a list', document: fields => `{ productImages { nodes { ${fields} } } }` },
  {
    name: 'in a gallery',
    document: fields =>
      `{ product(id: "${productId}") { images { nodes { ${fields} } } thumbnail { ${fields} } } }`,
  },
  {
    name: 'for gateways',
    document:
      fields => `{ _entities(representations: [{__typename: "ProductImage", id: "${ids[0]}"}, {__typename: "ProductImage", id: "${ids[1]}"}]) {
      ... on ProductImage { ${fields} } } }`,
  },
];

const keep = (all: readonly string[]) => all.map(id => `{ id: ${id} }`).join();

/** Of which each can be asked again and again. */
const changes: Place[] = [
  {
    name: 'that stays',
    document: fields =>
      `mutation { replaceProductImages(input: { productId: "${productId}", images: [${keep(ids)}] }) { kept { ${fields} } images { ${fields} } } }`,
  },
  {
    name: 'that would go, or change its place, or its text',
    document: fields =>
      `mutation { replaceProductImages(input: { productId: "${productId}", dryRun: true, images: [${keep(ids.slice(1).toReversed())}, { source: { url: "https://example.com/d" }, altText: "new" }] }) { kept { ${fields} } removed { ${fields} } } }`,
  },
  {
    name: 'that is put where it is',
    document: fields =>
      `mutation { reorderProductImages(productId: "${productId}", imageIds: [${ids}]) { images { ${fields} } } }`,
  },
  {
    name: 'that would be deleted',
    document: fields =>
      `mutation { deleteAllProductImages(productId: "${productId}", dryRun: true) { deletedImages { ${fields} } } }`,
  },
];

/** When a dry run would have changed them. */
const withoutChangedTimes = (data: unknown) =>
  withoutTimes(data).replace(/("f0(?:updatedAt|deletedAt|restorableUntil)":)"[^"]*"/g, '$1"then"');

describe.each([
  ...places.map(place => ({ ...place, write: withoutTimes })),
  ...changes.map(change => ({ ...change, write: withoutChangedTimes })),
])('an image $name', ({ document, write }) => {
  test('has each field whether others are asked for or not', async () => {
    const all = write(await service.query(document(selections.join(' '))));
    for (const selection of selections) {
      const alone = write(await service.query(document(selection)));
      const alias = selection.slice(0, selection.indexOf(':'));
      expect(pick(JSON.parse(all), alias), selection).toEqual(JSON.parse(alone));
    }
  });
});

/** What of an image is looked at to answer a field. */
async function readBy(selection: string, row: ImageRow): Promise<Set<string>> {
  const looked = new Set<string>();
  const watched = new Proxy(row, {
    get(target, name) {
      if (name in target) looked.add(String(name));
      return Reflect.get(target, name);
    },
  });
  const contextValue = {
    caller: { isStranger: false, scopes: new Set(['images:read']) },
    loaders: { imageById: { load: async () => watched } },
    addresses: {
      format: () => 'address',
      bounds: { maxSide: 4_096 },
      sizes: Object.fromEntries(
        ['zoom', 'thumbnail', 'standard', 'tiny'].map(size => [size, { width: 1, height: 1 }]),
      ),
      downloadSeconds: 1,
    },
  };
  const document = parse(`{ productImage(id: 1) { ${selection} } }`);
  const { errors } = await execute({ schema, document, contextValue });
  expect(errors, selection).toBeUndefined();
  return looked;
}

test.each(selections)('%s looks at no column that is not read for it', async selection => {
  const rows = await findImagesByIds(service.db, ids);
  const readFor = new Set<string>(['id', 'productId', ...collectColumns(parse(`{ ${selection} }`))]);
  // That rows which lack the state show the same is what test/graphql/narrow-columns.test.ts is about.
  if (readFor.delete('sourceUntilImported')) readFor.add('sourceUrl').add('state');
  const states = rows.flatMap(row => imageStates.map(state => ({ ...row, state })));
  for (const row of states) {
    const looked = await readBy(selection, row);
    expect([...looked.difference(readFor)]).toEqual([]);
  }
});

test.each([
  ['{ productImages(first: 2) { nodes { id } totalCount pageInfo { endCursor } } }', false],
  ['{ productImages(first: 2) { pageInfo { more: hasNextPage } } }', true],
  [
    '{ productImages(last: 2) { ...part } } fragment part on ProductImageConnection { pageInfo { hasPreviousPage } }',
    true,
  ],
])('%s needs to know whether there are more: %s', (document, needs) => {
  expect(tellsMore(parse(document))).toBe(needs);
});

test('a page that need not tell whether there are more reads none beyond it', async () => {
  const first = { limit: 1, backward: false, after: null, before: null };
  const gallery = { productId, group: 'GALLERY' as const, ...first };
  for (const looksAhead of [true, false]) {
    const [page] = await findGalleryPages(service.db, 'LIVE', [gallery], everyColumn, looksAhead);
    const [listed] = await listImages(service.db, 'GALLERY', {}, [first], everyColumn, looksAhead);
    expect([page, listed]).toMatchObject(Array(2).fill({ rows: [{ id: ids[0] }], hasNext: looksAhead }));
  }
});

/** Only this field of each image. */
function pick(data: unknown, alias: string): unknown {
  if (Array.isArray(data)) return data.map(item => pick(item, alias));
  if (typeof data !== 'object' || data === null) return data;
  if (alias in data) return { [alias]: (data as Record<string, unknown>)[alias] };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, pick(value, alias)]));
}

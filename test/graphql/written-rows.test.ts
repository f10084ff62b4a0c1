import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AnswerBytes } from '../../src/graphql/answer-bytes.ts';
import { askBothWays as sameBothWays } from '../support/both-ways.ts';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

// Rows go into answers of the short way as Postgres sent them; into those of the ordinary way as objects. The bytes of both
// must be the same.

const hostile = [
  '"quoted" \\ and / too',
  'two\nlines\tand\u0001a control',
  '大きさ 👟 é\u2028',
  '',
  '</script>',
];

let service: TestService;
let ids: string[];
beforeAll(async () => {
  service = await openTestService();
  await fill(service, '5', ['a', 'b', 'c', 'd', 'e']);
  await fill(service, '6', ['f']);
  const { productImages } = await service.query<{ productImages: { nodes: { id: string }[] } }>(
    '{ productImages { nodes { id } } }',
  );
  ids = productImages.nodes.map(({ id }) => id);
  await service.db.execute(sql`
    insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
    values (sha256('x'), 'image/png', 2147483647, 2, 3, 'hash', '#abcdef', true)`);
  await service.db.execute(
    sql`update images set file_hash = sha256('x'), state = 'UPLOADED' where name = 'b'`,
  );
  await Promise.all(
    hostile.map((words, at) =>
      service.db.execute(sql`
        update images set alt_text = ${words}, description = ${words}, alt_texts = ${JSON.stringify({ de: words })}::jsonb,
          created_at = timestamptz '2024-02-29 23:59:59.9+00' + ${at}::int * interval '0.042 seconds'
        where product_id = 5 and position = ${at}::int`),
    ),
  );
});
afterAll(() => service.close());

async function askBothWays(query: string): Promise<string> {
  return sameBothWays(service, { query, variables: { ids, yes: true } });
}

const leaves = `__typename id productId name type state altText description position isThumbnail isPrimary sourceUrl
  url thumbnailUrl width height mimeType fileSize contentHash thumbhash dominantColor createdAt updatedAt deletedAt`;

test.each([
  ['a page', `{ productImages { nodes { ${leaves} } pageInfo { hasNextPage endCursor } totalCount } }`],
  ['edges', `{ productImages(first: 3) { edges { cursor node { ${leaves} } } } }`],
  ['galleries', `{ productsByIds(ids: ["5", "999", "6"]) { id images(first: 4) { nodes { ${leaves} } } } }`],
  ['images by id', `query ($ids: [ID!]!) { productImagesByIds(ids: $ids) { ${leaves} } }`],
  ['images that are not there', '{ productImagesByIds(ids: ["1", "2"]) { id name } }'],
  [
    'one by its alias',
    `{ a: product(id: 5) { thumbnail { pic: name again: name kind: type t: __typename } } }`,
  ],
  ['a language', '{ product(id: 5) { images { nodes { altText(locale: "de-AT") mine: altText } } } }'],
  ['parts', '{ product(id: 5) { images { nodes { id focalPoint { x } altTexts { locale text } } } } }'],
  ['nothing', '{ product(id: 404) { images { nodes { id name } } } }'],
  [
    'conditions',
    'query ($yes: Boolean!) { product(id: 6) { images { nodes { id @skip(if: $yes) name } } } }',
  ],
  [
    'fragments',
    `{ product(id: 5) { images { nodes { ...A id ...B } } images360 { id } } }
     fragment A on ProductImage { description } fragment B on ProductImage { name description }`,
  ],
])('%s', async (_title, query) => {
  const answer = await askBothWays(query);
  expect(JSON.parse(answer)).toMatchObject({ data: expect.anything() });
});

test('rows of nothing but leaves are written, others are not', async () => {
  const reserve = vi.spyOn(AnswerBytes.prototype, 'reserve');
  await askBothWays('{ product(id: 5) { images { nodes { id altText isPrimary altTexts { text } } } } }');
  expect(reserve).not.toHaveBeenCalled();
  await askBothWays('{ product(id: 6) { images { nodes { id altText isPrimary } } } }');
  expect(reserve).toHaveBeenCalled();
});

test('what they are is there', async () => {
  const answer = await askBothWays(
    '{ product(id: 5) { images { nodes { altText description createdAt } } } }',
  );
  const { nodes } = JSON.parse(answer).data.product.images;
  expect(nodes.map(({ altText }: { altText: string }) => altText)).toEqual(hostile);
  expect(nodes.map(({ createdAt }: { createdAt: string }) => createdAt.slice(17))).toEqual([
    '59.900Z',
    '59.942Z',
    '59.984Z',
    '00.026Z',
    '00.068Z',
  ]);
});

test('a column under many names has room for each of them', async () => {
  const long = 'a "long" text '.repeat(100);
  await service.db.execute(sql`update images set alt_text = ${long} where product_id = 6`);
  const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
  const selection = names.map(name => `${name}: altText`).join(' ');
  const answer = await askBothWays(`{ product(id: 6) { images { nodes { ${selection} isPrimary name } } } }`);
  const [image] = JSON.parse(answer).data.product.images.nodes;
  expect(names.map(name => image[name])).toEqual(names.map(() => long));
});

test('a time that is written otherwise leaves the answer to the ordinary way', async () => {
  await service.db.execute(sql`update images set created_at = '12024-01-01' where product_id = 6`);
  const answer = await askBothWays('{ product(id: 6) { images { nodes { createdAt } } } }');
  expect(JSON.parse(answer).data.product.images.nodes).toEqual([
    { createdAt: '+012024-01-01T00:00:00.000Z' },
  ]);
});

import { getIntrospectionQuery, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyone } from '../../src/access/caller.ts';
import { createFindCost } from '../../src/graphql/operation-cost.ts';
import { schema } from '../../src/graphql/schema.ts';
import { authenticateAs } from '../support/callers.ts';
import { type Answer, openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

type Sent = Answer<unknown> & { status: number };

async function post(query: string, variables?: object): Promise<Sent> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  return { ...((await response.json()) as Answer<unknown>), status: response.status };
}

const messagesOf = ({ errors = [] }: Sent) => errors.map(error => error.message);
const repeat = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ');

// Nobody is a stranger here: ten times what strangers may have of all but depth and length.
describe('an operation at its limit is answered, one beyond is refused with the numbers', () => {
  test('150 aliases', async () => {
    const aliases = (count: number) => `{ product(id: 1) { ${repeat(count, n => `a${n}: id`)} } }`;
    expect((await post(aliases(150))).errors).toBeUndefined();
    expect(messagesOf(await post(aliases(151)))).toEqual(['The operation has 151 aliases; at most 150']);
  });

  test('50 directives, known or not', async () => {
    const directives = (count: number) =>
      `{ product(id: 1) { ${repeat(count, () => 'id @include(if: true)')} } }`;
    expect((await post(directives(50))).errors).toBeUndefined();
    expect(messagesOf(await post(directives(51)))).toEqual(['The operation has 51 directives; at most 50']);
    expect(messagesOf(await post(`{ __typename ${'@aa'.repeat(60)} }`))).toEqual([
      'The operation has 60 directives; at most 50',
    ]);
  });

  test('100 root fields, the same ones too, and those of fragments', async () => {
    const fields = (count: number) => `{ ${repeat(count, () => '__typename')} }`;
    expect((await post(fields(100))).errors).toBeUndefined();
    expect(messagesOf(await post(fields(500)))).toEqual([
      'The operation has 500 fields at its root; at most 100',
    ]);
    const spread = `{ ...A ...A } fragment A on Query { ${repeat(60, () => '__typename')} }`;
    expect(messagesOf(await post(spread))).toEqual(['The operation has 120 fields at its root; at most 100']);
  });

  test('10 fields within fields, through fragments too', async () => {
    const nest = (depth: number): string =>
      depth === 0 ? 'id' : `images(first: 1) { nodes { product { ${nest(depth - 1)} } } }`;
    expect((await post(`{ product(id: 1) { ${nest(2)} } }`)).errors).toBeUndefined();
    expect(messagesOf(await post(`{ product(id: 1) { ${nest(3)} } }`))).toEqual([
      'Fields are nested 11 deep; at most 10',
    ]);
    const spread = `{ product(id: 1) { ...P } } fragment P on Product { ${nest(3)} }`;
    expect(messagesOf(await post(spread))).toEqual(['Fields are nested 11 deep; at most 10']);
  });

  test('10,000 tokens', async () => {
    const products = repeat(100, n => `a${n}: product(id: ${n + 1}) { id kind imageCount imagesVersion }`);
    expect((await post(`{ ${products} }`)).errors).toBeUndefined();
    expect(messagesOf(await post(`{ product(id: 1) { ${repeat(10_000, () => 'id')} } }`))).toEqual([
      'The document has more than 10000 tokens; put values into variables, or ask for less',
    ]);
  });

  test('32 KB of text', async () => {
    expect(messagesOf(await post(`{ imageCount } #${'x'.repeat(33_000)}`))).toEqual([
      'The document has 33016 bytes; at most 32768',
    ]);
  });

  test('100 brackets in each other, though it be values or fragments', async () => {
    const list = (depth: number) => `{ product(id: ${'['.repeat(depth)}${']'.repeat(depth)}) { id } }`;
    const refused = ['Brackets of the document are nested more than 100 deep'];
    expect(messagesOf(await post(list(98)))).toEqual([expect.stringMatching(/^ID cannot represent/)]);
    for (const depth of [99, 1_000, 4_900]) expect(messagesOf(await post(list(depth)))).toEqual(refused);
    const fragments = (depth: number) => `${'{ ...'.repeat(depth)} { imageCount } ${'}'.repeat(depth)}`;
    expect((await post(fragments(99))).errors).toBeUndefined();
    for (const depth of [100, 1_000, 2_400])
      expect(messagesOf(await post(fragments(depth)))).toEqual(refused);
  });

  test('each with a code, and the status of a bad request', async () => {
    const answer = await post(`{ ${repeat(101, () => 'imageCount')} }`);
    expect(answer.status).toBe(400);
    expect(answer.errors?.[0]?.extensions.code).toBe('OPERATION_TOO_LARGE');
    expect(answer.data).toBeUndefined();
  });
});

describe('the cost of an operation', () => {
  const fields = 'id url altText name position';
  const batch = `query ($ids: [ID!]!, $n: Int) {
    productsByIds(ids: $ids) { id images(first: $n) { nodes { ${fields} } } } }`;
  const ids = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1));

  test('is what it really asks for, whose sizes come in variables too', async () => {
    expect((await post(batch, { ids: ids(1_000), n: 10 })).errors).toBeUndefined();
    const { status, errors } = await post(batch, { ids: ids(1_000), n: 50 });
    expect(status).toBe(400);
    expect(errors?.[0]?.message).toBe(
      'The answer could have 302,001 fields; at most 100,000. Ask for fewer images, products or fields at a time',
    );
    expect(errors?.[0]?.extensions.code).toBe('OPERATION_TOO_COSTLY');
  });

  test('counts the defaults of variables', async () => {
    const query = batch
      .replace('$n: Int', '$n: Int = 250')
      .replace('$ids: [ID!]!', `$ids: [ID!]! = [${ids(100)}]`);
    expect((await post(query)).errors?.[0]?.message).toMatch(/^The answer could have 150,201 fields/);
    expect((await post(query, { n: 10 })).errors).toBeUndefined();
    expect((await post(query, { n: null })).errors).toBeUndefined();
  });

  test('counts defaults: a page whose size is left open has 50', async () => {
    expect((await post(batch, { ids: ids(300) })).errors).toBeUndefined();
    expect((await post(batch, { ids: ids(400) })).status).toBe(400);
  });

  test('is of the fields alone that directives leave in, also of fragments and by defaults', async () => {
    const part = `images(first: 250) { nodes { ${fields} } }`;
    for (const [variables, leavesOut, leavesIn] of [
      ['', '@include(if: false)', '@include(if: true)'],
      ['', '@include(if: true) @skip(if: true)', '@include(if: true) @skip(if: false)'],
      [', $no: Boolean!, $yes: Boolean!', '@include(if: $no)', '@skip(if: $no)'],
      [', $no: Boolean!, $yes: Boolean!', '@skip(if: $yes)', '@include(if: $yes)'],
      [', $off: Boolean = false', '@include(if: $off)', '@skip(if: $off)'],
    ] as const) {
      const costOf = async (directives: string) => {
        for (const asked of [
          `images(first: 250) ${directives} { nodes { ${fields} } }`,
          `... ${directives} { ${part} }`,
          `...F ${directives}`,
        ]) {
          const fragment = asked.startsWith('...F') ? `fragment F on Product { ${part} }` : '';
          const used = variables.includes('$no')
            ? '... @include(if: $no) { kind } ... @skip(if: $yes) { kind }'
            : '';
          const query = `query ($ids: [ID!]!${variables}) { productsByIds(ids: $ids) { id ${used} ${asked} } } ${fragment}`;
          const given = variables.includes('$no') ? { no: false, yes: true } : {};
          const { errors } = await post(query, { ids: ids(100), ...given });
          expect([directives, asked, errors?.[0]?.extensions.code]).toEqual([
            directives,
            asked,
            directives === leavesIn ? 'OPERATION_TOO_COSTLY' : undefined,
          ]);
        }
      };
      await costOf(leavesOut);
      await costOf(leavesIn);
    }
  });

  test('is not hidden by fragments that spread each other again and again', async () => {
    const fragments = repeat(
      30,
      n =>
        `fragment F${n} on Product { ...F${n + 1} images(first: 250) { nodes { product { ...F${n + 1} } } } }`,
    );
    const query = `{ product(id: 1) { ...F0 } } ${fragments} fragment F30 on Product { id }`;
    const startedAt = performance.now();
    expect((await post(query)).status).toBe(400);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test('is found in no time however many variables come that it does not declare', () => {
    const document = parse('query ($first: Int = 10) { productImages(first: $first) { nodes { id } } }');
    const findCost = createFindCost({
      ...{ maxCost: 100_000, pageSize: 50 },
      ...{ costBurst: 100_000, strangerCostBurst: 100_000 },
    });
    const others = Object.fromEntries(Array.from({ length: 300_000 }, (_, n) => [`k${n}`, 1]));
    const startedAt = performance.now();
    for (const [variableValues, cost] of [
      [others, 21],
      [{ ...others, first: 2 }, 5],
      [{ first: null }, 101],
      [{}, 21],
    ] as const) {
      for (let time = 0; time < 100; time++) {
        expect(findCost({ schema, document, variableValues })).toBe(cost);
      }
    }
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('stops nothing that a page of the greatest size needs', async () => {
    const query = `{ productImages(first: 250) { totalCount edges { cursor node { ${fields} product { id }
      altTexts { locale text } failure { code message } } } pageInfo { endCursor } } }`;
    expect((await post(query)).errors).toBeUndefined();
  });
});

test("GraphiQL's introspection passes", async () => {
  const answer = await post(
    getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, inputValueDeprecation: true }),
  );
  expect(answer.errors).toBeUndefined();
});

test('introspection that goes round in circles is refused', async () => {
  const circle = (depth: number): string =>
    depth === 0 ? 'name' : `fields { type { fields { type { ${circle(depth - 1)} } } } }`;
  const { errors } = await post(`{ __schema { types { ${circle(3)} } } }`);
  expect(errors?.length).toBeGreaterThan(0);
});

test('a fragment that spreads itself is refused', async () => {
  const { errors } = await post('{ product(id: 1) { ...A } } fragment A on Product { ...A id }');
  expect(errors?.[0]?.message).toBe('Cannot spread fragment "A" within itself.');
});

test('what one caller may ask for tells another nothing: documents are kept for both', async () => {
  const caller = { ...anyone };
  const shared = await openTestService({}, { authentication: authenticateAs(caller) });
  const query = `{ product(id: 1) { ${repeat(20, n => `a${n}: id`)} } }`;
  const long = `{ product(id: 1) { ${repeat(220, () => 'id kind imageCount imagesVersion marketingColor')} } }`;
  const askAs = async (isStranger: boolean) => {
    caller.isStranger = isStranger;
    const answers = [await shared.send(query), await shared.send(long)];
    return answers.map(({ errors = [] }) => errors.map(({ message }) => message));
  };
  const refused = [
    ['The operation has 20 aliases; at most 15'],
    ['The document has more than 1000 tokens; put values into variables, or ask for less'],
  ];
  for (const isStranger of [true, false, true, false]) {
    expect(await askAs(isStranger)).toEqual(isStranger ? refused : [[], []]);
  }
  await shared.close();
});

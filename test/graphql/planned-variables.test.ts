import { coerceInputValue, type GraphQLInputType, isInputType, parseType, typeFromAST } from 'graphql';
import { expect, test } from 'vitest';
import { PlanFailed } from '../../src/graphql/plan-failed.ts';
import { planInput } from '../../src/graphql/planned-variables.ts';
import { schema } from '../../src/graphql/schema.ts';

const url = 'https://shop.example/a.jpg';

const values: [string, unknown[]][] = [
  ['ID!', ['1', 1, 1.5, null, undefined, {}, [], true]],
  ['[ID!]!', [[], ['1', 2], '1', 1, null, [null], [['1']], {}]],
  ['[[Int]]', [[[1, null]], [1], 1, null, [['1']]]],
  ['Int', [1, 1.5, '1', null, 2 ** 31, true]],
  ['Boolean', [true, 'true', 0, null]],
  ['DateTime', ['2024-10-17T07:48:05.000Z', 'then', 5, null]],
  ['ProductImageType', ['MORE_PHOTO', 'more_photo', 'PHOTO', 1, null]],
  [
    'ImageSourceInput',
    [
      { url },
      {},
      { url: null },
      { url, path: 'a' },
      { url, path: null },
      { file: {} },
      url,
      [{ url }],
      { uri: url },
    ],
  ],
  [
    '[ReplaceProductImageInput!]',
    [[{ source: { url } }, { id: 1, altText: null }], { id: '1' }, [{}], [{ x: 1 }]],
  ],
  [
    'ReplaceProductImagesInput!',
    [
      { productId: '1', images: [] },
      { productId: '1', images: [], dryRun: true, images360: [{ source: { url } }] },
      { productId: '1', images: null },
      { productId: '1' },
      { productId: '1', images: [{ altTexts: [{ locale: 'de', text: 'x' }, { locale: 'de' }] }] },
      JSON.parse('{ "productId": "1", "images": [], "__proto__": 1 }'),
      JSON.parse('{ "productId": "1", "images": [], "constructor": 1 }'),
    ],
  ],
];

const cases = values.flatMap(([type, given]) => given.map(value => [type, value] as const));

test.each(cases)('a variable of type %s is taken as graphql-js takes it: %j', (name, value) => {
  const type = findType(name);
  expect(outcomeOf(() => planInput(type)(value), PlanFailed)).toEqual(
    outcomeOf(() => coerceInputValue(value, type), Error),
  );
});

function findType(name: string): GraphQLInputType {
  const type = typeFromAST(schema, parseType(name));
  if (!isInputType(type)) throw new Error(`${name} is no input`);
  return type;
}

function outcomeOf(coerce: () => unknown, Refusal: new () => Error): unknown {
  try {
    return { coerced: coerce() };
  } catch (error) {
    if (error instanceof Refusal) return 'refused';
    throw error;
  }
}

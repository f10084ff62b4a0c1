import {
  buildSchema,
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  getArgumentValues,
  Kind,
  parse,
} from 'graphql';
import { expect, test } from 'vitest';
import { PlanFailed } from '../../src/graphql/plan-failed.ts';
import { planArguments } from '../../src/graphql/planned-arguments.ts';

const schema = buildSchema(`
  input Point { x: Int! = 7, y: Int, of: [Point!] }
  enum Size { S L }
  type Query {
    none: Int
    free(a: Int, b: [String!], c: Size = L, d: Point): Int
    bound(a: Int!, b: [String!]! = ["x"], c: Size! = S): Int
  }`);

const variables = [
  {},
  { v: null },
  { v: 1 },
  { v: 1, w: ['a'], s: 'S', p: { x: 1 } },
  JSON.parse('{ "__proto__": 5, "constructor": 1, "v": 3 }'),
];

test.each([
  'none',
  'free',
  'free(a: 1, b: "one", c: S, d: { y: 2, of: { x: 3 } })',
  'free(a: null, b: null, c: null, d: null)',
  'free(a: $v, b: $w, c: $s, d: $p)',
  'free(a: $constructor, b: ["a", $text], d: { x: $v, of: [{ y: $v }, $p] })',
  'free(d: { y: $v, of: $points })',
  'free(a: $__proto__)',
  'free(a: 1.5)',
  'free(c: M)',
  'free(d: { z: 1 })',
  'bound',
  'bound(a: 1)',
  'bound(a: null)',
  'bound(a: $v)',
  'bound(a: 1, b: $w, c: $s)',
  'bound(a: 1, b: [$text])',
  'bound(a: 1, b: [null])',
])('%s is given what graphql-js gives', text => {
  const { field, node } = find(text);
  for (const given of variables) {
    const expected = outcomeOf(() => ({ ...getArgumentValues(field, node, given) }), GraphQLError);
    const planned = outcomeOf(() => ({ ...planArguments(field.args, node).read(given) }), PlanFailed);
    expect(planned, JSON.stringify(given)).toStrictEqual(expected);
  }
});

test.each([
  ['free', false],
  ['free(a: 1, d: { of: [{ x: 2 }] })', false],
  ['free(a: $v)', true],
  ['free(d: { of: [{ x: $v }] })', true],
])('%s depends on variables: %s', (text, hasVariables) => {
  const { field, node } = find(text);
  expect(planArguments(field.args, node).hasVariables).toBe(hasVariables);
});

function find(text: string): { field: GraphQLField<unknown, unknown>; node: FieldNode } {
  const [operation] = parse(`{ ${text} }`).definitions;
  const node = operation?.kind === Kind.OPERATION_DEFINITION && operation.selectionSet.selections[0];
  if (!node || node.kind !== Kind.FIELD) throw new Error(`${text} is no field`);
  const field = schema.getQueryType()?.getFields()[node.name.value];
  if (!field) throw new Error(`${text} is unknown`);
  return { field, node };
}

function outcomeOf(read: () => unknown, Refusal: typeof GraphQLError | typeof PlanFailed): unknown {
  try {
    return { given: read() };
  } catch (error) {
    if (error instanceof Refusal) return 'refused';
    throw error;
  }
}

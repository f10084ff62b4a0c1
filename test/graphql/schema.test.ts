import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { formatSchema, schema } from '../../src/graphql/schema.ts';

const root = join(import.meta.dirname, '..', '..');
const contract = buildSchema(readFileSync(join(import.meta.dirname, 'contract.graphql'), 'utf8'));

/** Each element of a schema by its coordinate, with all that a client may rely on. */
function describeElements(described: GraphQLSchema): Map<string, string> {
  const elements = new Map<string, string>();
  for (const type of ownTypes(described)) {
    elements.set(type.name, isInputObjectType(type) && type.isOneOf ? 'oneOf' : type.constructor.name);
    for (const [name, value] of membersOf(type)) elements.set(`${type.name}.${name}`, value);
  }
  return elements;
}

function ownTypes(described: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(described.getTypeMap()).filter(
    type => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
}

function membersOf(type: GraphQLNamedType): [string, string][] {
  if (isEnumType(type)) return type.getValues().map(value => [value.name, 'value']);
  if (isInputObjectType(type)) return Object.values(type.getFields()).map(describeInput);
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap(field => [
    [field.name, String(field.type)],
    ...field.args.map((arg): [string, string] => {
      const [name, described] = describeInput(arg);
      return [`${field.name}(${name})`, described];
    }),
  ]);
}

function describeInput(input: Pick<GraphQLInputField, 'name' | 'type' | 'defaultValue'>): [string, string] {
  return [input.name, `${input.type} = ${JSON.stringify(input.defaultValue)}`];
}

const offered = describeElements(schema);
const promised = describeElements(contract);

describe('the contract', () => {
  test.for([...promised])('offers %s', ([coordinate, described]) => {
    expect(offered.get(coordinate)).toBe(described);
  });
});

test('schema.graphql is what the code says', () => {
  expect(readFileSync(join(root, 'schema.graphql'), 'utf8')).toBe(formatSchema());
});

test('every element has a description that is not its name', () => {
  const bare = ownTypes(schema).flatMap(type => {
    const members = isEnumType(type)
      ? type.getValues()
      : isInputObjectType(type)
        ? Object.values(type.getFields())
        : isObjectType(type)
          ? Object.values(type.getFields()).flatMap(field => [field, ...field.args])
          : [];
    return [type, ...members]
      .filter(({ name, description }) => (description ?? '').length < 6 || description === name)
      .map(({ name }) => `${type.name}: ${name}`);
  });
  expect(bare).toEqual([]);
});

import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Random } from './random.ts';

export interface GeneratedOperation {
  query: string;
  variables: Record<string, unknown>;
}

interface Progress {
  random: Random;
  schema: GraphQLSchema;
  variables: Record<string, unknown>;
  definitions: string[];
  fragments: string[];
  aliases: number;
}

/** An operation that the schema allows, with values that may be odd but are of the right types. */
export function generateOperation(schema: GraphQLSchema, random: Random): GeneratedOperation {
  const progress: Progress = { random, schema, variables: {}, definitions: [], fragments: [], aliases: 0 };
  const isMutation = random.chance(0.25);
  const root = isMutation ? schema.getMutationType() : schema.getQueryType();
  if (!root) throw new Error('The schema has no such type');
  const selection = generateSelection(root, random.between(2, 5), progress);
  const definitions = progress.definitions.length > 0 ? `(${progress.definitions.join(', ')})` : '';
  const operation = `${isMutation ? 'mutation' : 'query'} Generated${definitions} ${selection}`;
  return { query: [operation, ...progress.fragments].join('\n'), variables: progress.variables };
}

function generateSelection(type: GraphQLObjectType, depth: number, progress: Progress): string {
  const { random } = progress;
  const fields = Object.values(type.getFields()).filter(
    field => depth > 0 || !isCompositeType(getNamedType(field.type)),
  );
  const selections = ['__typename'];
  for (let count = random.between(1, 4); count > 0 && fields.length > 0; count--) {
    const field = generateField(random.pick(fields), depth, progress);
    if (random.chance(0.1)) selections.push(`... on ${type.name} { ${field} }`);
    else if (random.chance(0.08)) selections.push(spread(type, field, progress));
    else selections.push(field);
  }
  return `{ ${selections.join(' ')} }`;
}

function generateSelectionOf(type: GraphQLCompositeType, depth: number, progress: Progress): string {
  if (isObjectType(type)) return generateSelection(type, depth, progress);
  const ofTypes = progress.schema
    .getPossibleTypes(type)
    .map(possible => `... on ${possible.name} ${generateSelection(possible, depth, progress)}`);
  return `{ __typename ${ofTypes.join(' ')} }`;
}

function spread(type: GraphQLNamedType, field: string, { fragments }: Progress): string {
  const name = `Fragment${fragments.length}`;
  fragments.push(`fragment ${name} on ${type.name} { ${field} }`);
  return `...${name}`;
}

function generateField(field: GraphQLField<unknown, unknown>, depth: number, progress: Progress): string {
  const { random } = progress;
  const given = field.args
    .filter(argument => isNonNullType(argument.type) || random.chance(0.35))
    .map(argument => `${argument.name}: ${generateArgument(argument, progress)}`);
  // Fields of one name would have to be the same.
  const isAliased = given.length > 0 || isCompositeType(getNamedType(field.type)) || random.chance(0.1);
  const alias = isAliased ? `a${progress.aliases++}: ` : '';
  const type = getNamedType(field.type);
  const selection = isCompositeType(type) ? ` ${generateSelectionOf(type, depth - 1, progress)}` : '';
  const written = given.length > 0 ? `(${given.join(', ')})` : '';
  return `${alias}${field.name}${written}${generateDirective(progress)}${selection}`;
}

function generateDirective(progress: Progress): string {
  const { random } = progress;
  if (!random.chance(0.06)) return '';
  const condition = random.chance(0.5)
    ? random.chance(0.5)
    : declare('Boolean!', random.chance(0.5), progress);
  return ` @${random.pick(['include', 'skip'])}(if: ${condition})`;
}

function generateArgument({ type }: GraphQLArgument, progress: Progress): string {
  const value = generateValue(type, progress.random, 0);
  return progress.random.chance(0.5) ? declare(String(type), value, progress) : printValue(value, type);
}

function declare(type: string, value: unknown, { definitions, variables, random }: Progress): string {
  const name = `v${definitions.length}`;
  const isDefault = !type.endsWith('!') && random.chance(0.05);
  definitions.push(`$${name}: ${type}${isDefault ? ' = null' : ''}`);
  if (!isDefault) variables[name] = value;
  return `$${name}`;
}

function generateValue(type: GraphQLInputType, random: Random, depth: number): unknown {
  if (isNonNullType(type)) return generateValue(type.ofType, random, depth);
  if (random.chance(0.05) && depth > 0) return null;
  if (isListType(type)) {
    return Array.from({ length: random.between(0, 3) }, () => generateItem(type.ofType, random, depth));
  }
  if (isEnumType(type)) return random.pick(type.getValues()).name;
  if (!isInputObjectType(type)) return random.pick(valuesOf[type.name] ?? ['']);
  const fields = Object.values(type.getFields());
  const chosen = type.isOneOf
    ? fields.filter(({ name }) => name === 'url')
    : fields.filter(field => isNonNullType(field.type) || random.chance(0.3));
  return Object.fromEntries(
    chosen.map(field => [
      field.name,
      isNonNullType(field.type) || type.isOneOf
        ? generateItem(field.type, random, depth)
        : generateValue(field.type, random, depth + 1),
    ]),
  );
}

/** Never null. */
function generateItem(type: GraphQLInputType, random: Random, depth: number): unknown {
  return generateValue(type, random, depth) ?? generateItem(type, random, depth);
}

const texts = [
  '',
  'Sofa',
  '\u0000',
  'a\u0000b',
  'Größe 👟\u200d',
  '\ud800',
  '\udc00x',
  '\u202Eright to left',
  "' or 1 = 1 --",
  '%_\\',
  '{}',
  'x'.repeat(600),
  'eyJpZCI6MX0',
  'W10',
  'AAAA',
  '\n\r\t\u0007',
];

const valuesOf: Record<string, readonly unknown[]> = {
  ID: [
    ...['1', '2', '3', '4', '5', '6', '101', '9007199254740993', '9223372036854775807'],
    ...[
      '9223372036854775808',
      '-1',
      '0',
      '',
      '01',
      '1e3',
      '٣',
      '1\u0000',
      ' 1',
      'x'.repeat(300),
      7,
      2_147_483_648,
    ],
  ],
  Int: [1, 2, 5, 10, 50, 250, 251, 0, -1, 100, 2_147_483_647, -2_147_483_648],
  Float: [0, 0.5, 1, 2, 3, -0.1, 1e308, 5e-324, 1.000_000_1],
  Boolean: [true, false],
  String: texts,
  Locale: ['de', 'de-AT', 'pt-BR', 'x', '', 'de_AT', 'en-u-co-phonebk', '\u0000', '\ud800', 'a'.repeat(300)],
  URL: [
    ...['https://example.com/1.jpg', 'https://example.com/2.jpg', 'http://[::1]/', 'ftp://example.com', ''],
    ...[
      'https://example.com/\u0000',
      'https://exämple.com/ä',
      '\ud800',
      `https://example.com/${'x'.repeat(2_100)}`,
    ],
    ...['https://user:secret@example.com/', 'javascript:1', 'https://example.com:99999/', 'http://127.1/'],
  ],
  DateTime: ['2024-10-17T07:48:05.000Z'],
  File: ['none'],
  _Any: [
    { __typename: 'Product', id: '1' },
    { __typename: 'ProductImage', id: '\u0000' },
    { __typename: 'Nobody' },
  ],
};

function printValue(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return printValue(value, type.ofType);
  if (value === null) return 'null';
  if (isListType(type))
    return `[${(value as unknown[]).map(item => printValue(item, type.ofType)).join(', ')}]`;
  if (isEnumType(type)) return String(value);
  if (!isInputObjectType(type)) return printScalar(value);
  const fields = type.getFields();
  const printed = Object.entries(value as object).map(([name, item]) => {
    const field = fields[name];
    return field ? `${name}: ${printValue(item, field.type)}` : '';
  });
  return `{ ${printed.join(', ')} }`;
}

function printScalar(value: unknown): string {
  // What is no character cannot be written; only variables have such.
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, item]) => `${name}: ${JSON.stringify(item)}`)
    .join(', ')} }`;
}

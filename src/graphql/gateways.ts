import {
  MapperKind,
  mapSchema,
  memoize1,
  printSchemaWithDirectives,
  pruneSchema,
} from '@graphql-tools/utils';
import type { GraphQLSchema } from 'graphql';
import type { ImageRow } from '../data/images.ts';
import { BadInput, describeValue } from '../errors.ts';
import { limitIds, readForeignId } from './arguments.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { Product, type ProductReference } from './product.ts';
import { ProductImage } from './product-image.ts';

/** What only gateways ask for. */
const gatewayFields = ['_sdl', '_service', '_entities'];

/** In a graph with a catalogue these names are the catalogue's; two services that bear them cannot be composed. */
const catalogueFields = ['product', 'updateProduct'];

/** Streams are asked for here: gateways differ in whether and how they pass them on. */
const streams = ['productImagesChanged'];

const hiddenFields = [...gatewayFields, ...catalogueFields, ...streams];

const mergeDirective = 'directive @merge(keyField: String) on FIELD_DEFINITION';
// Apollo's own composition knows @oneOf only where it is defined.
const federationDirectives = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])

directive @oneOf on INPUT_OBJECT`;

builder.scalarType('_Any', {
  description:
    'A reference to an entity, as Apollo Federation has it: its `__typename` and the fields of its key.',
  serialize: () => {
    throw new TypeError('_Any is for inputs only');
  },
  parseValue: value => value,
});

const Entity = builder.unionType('_Entity', {
  description: 'What other services of a federated graph refer to by its id.',
  types: [Product, ProductImage],
  resolveType: entity => ('productId' in entity ? ProductImage : Product),
});

const Service = builder.objectRef<{ sdl: string }>('_Service').implement({
  description: 'What a federated gateway composes its graph of.',
  fields: t => ({
    sdl: t.exposeString('sdl', { description: 'The schema with directives of Apollo Federation 2.' }),
  }),
});

builder.queryFields(t => ({
  _sdl: t.string({
    authScopes: { public: true },
    description:
      'For stitching gateways: the schema with stitching directives, which say how products merge.',
    resolve: (_root, _arguments, _context, { schema }) => stitchingSdl(schema),
  }),
  _service: t.field({
    authScopes: { public: true },
    description: 'For federated gateways: the schema as a subgraph of Apollo Federation 2.',
    type: Service,
    resolve: (_root, _arguments, _context, { schema }) => ({ sdl: federationSdl(schema) }),
  }),
  _entities: t.field({
    authScopes: { 'images:read': true },
    description:
      'For federated gateways: same length and order as `representations`, at most 1,000; null where there is no such image.',
    type: [Entity],
    nullable: { list: false, items: true },
    args: {
      representations: t.arg({
        type: ['_Any'],
        required: true,
        description: "Each with `__typename`, Product or ProductImage, and `id`; any product's id answers.",
      }),
    },
    resolve: (_root, { representations }, { loaders, limits }) =>
      limitIds(representations, 'representations', limits).map((representation, index) =>
        findEntity(representation, `representations[${index}]`, loaders),
      ),
  }),
}));

/** Rejects by itself, so that one reference that is wrong leaves the others. */
async function findEntity(
  representation: unknown,
  name: string,
  loaders: Context['loaders'],
): Promise<ProductReference | ImageRow | null> {
  const { __typename: type, id }: Record<string, unknown> = Object(representation);
  if (typeof id === 'string' && type === 'Product') return { id: readForeignId(id, `${name}.id`) };
  if (typeof id === 'string' && type === 'ProductImage') return loaders.imageById.load(id);
  const shown = describeReference(representation);
  throw new BadInput(`${name} is ${shown}; it must be like {"__typename": "Product", "id": "101"}`);
}

/** What matters of it: whatever else a client sends with each of a thousand would be told a thousand times. */
function describeReference(representation: unknown): string {
  if (typeof representation !== 'object' || representation === null || Array.isArray(representation)) {
    return describeValue(representation);
  }
  const given = representation as Record<string, unknown>;
  const shown = ['__typename', 'id'].filter(key => Object.hasOwn(given, key));
  return `{${shown.map(key => `"${key}":${describeValue(given[key])}`).join()}}`;
}

// Remembered: printing takes milliseconds.
const stitchingSdl = memoize1((schema: GraphQLSchema) => {
  const shown = withoutFields(schema, hiddenFields);
  return `${mergeDirective}\n\n${printSchemaWithDirectives(shown, { pathToDirectivesInExtensions: ['stitching'] })}`;
});

const federationSdl = memoize1((schema: GraphQLSchema) => {
  // `_entities` does what the reads by ids do.
  const readsByIds = ['productsByIds', 'productImagesByIds'];
  const shown = withoutFields(schema, [...hiddenFields, ...readsByIds]);
  return `${federationDirectives}\n\n${printSchemaWithDirectives(shown, { pathToDirectivesInExtensions: ['federation'] })}`;
});

export function withoutGatewayFields(schema: GraphQLSchema): GraphQLSchema {
  return withoutFields(schema, gatewayFields);
}

/** Without these fields of Query and Mutation, and without the types that only they used. */
function withoutFields(schema: GraphQLSchema, names: readonly string[]): GraphQLSchema {
  return pruneSchema(
    mapSchema(schema, {
      [MapperKind.ROOT_FIELD]: (_field, name) => (names.includes(name) ? null : undefined),
    }),
  );
}

import { join } from 'node:path';
import graphqlPlugin from '@graphql-eslint/eslint-plugin';
import type { ESLint, Linter } from 'eslint';

/** What clients rely on. The gateways' own fields are not in it: their specifications named them. */
export const schemaPath = join(import.meta.dirname, '..', '..', 'schema.graphql');

const { 'flat/schema-recommended': recommended, 'flat/schema-relay': relay } = graphqlPlugin.configs;

/** All rules that graphql-eslint recommends for schemas, and those of Relay. */
export const schemaLint: Linter.Config = {
  files: ['**/*.graphql'],
  plugins: { '@graphql-eslint': graphqlPlugin as unknown as ESLint.Plugin },
  languageOptions: {
    parser: graphqlPlugin.parser,
    parserOptions: { graphQLConfig: { schema: schemaPath } },
  },
  rules: {
    ...recommended.rules,
    ...(relay.rules as Linter.RulesRecord),
    '@graphql-eslint/strict-id-in-types': [
      'error',
      {
        exceptions: {
          // Values, which have no identity: caches keep them inside of what holds them.
          types: [
            'FocalPoint',
            'LocalizedText',
            'PageInfo',
            'ProductImageFailure',
            'ProductImagesChange',
            'ProductImageUserError',
          ],
          // Answers and pages, likewise.
          suffixes: ['Connection', 'Edge', 'Payload'],
        },
      },
    ],
    '@graphql-eslint/relay-edge-types': [
      'error',
      {
        withEdgeSuffix: true,
        // Ids are the catalogue's and this service's own numbers, by which gateways merge; Node wants ids that are
        // unique over all types, and would be a second `node` beside a catalogue's.
        shouldImplementNode: false,
        // Lists that their limits keep short (360° frames, texts, what a mutation did) are whole, not paged.
        listTypeCanWrapOnlyEdgeType: false,
      },
    ],
  },
};

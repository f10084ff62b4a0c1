import { createYoga } from 'graphql-yoga';
import type { Database } from '../data/database.ts';
import { createLoaders } from '../data/loaders.ts';
import type { Logger } from '../log.ts';
import type { Context } from './context.ts';
import { createMaskError } from './mask-error.ts';
import { schema } from './schema.ts';

export const graphqlPath = '/graphql';

export interface GraphQLOptions {
  db: Database;
  limits: Context['limits'];
  publicUrl: string;
  corsOrigins: string[];
  log: Logger;
}

/** The GraphQL endpoint, as a handler for node:http. */
export function createGraphQLServer({ db, limits, publicUrl, corsOrigins, log }: GraphQLOptions) {
  return createYoga({
    schema,
    graphqlEndpoint: graphqlPath,
    context: (): Context => ({ db, loaders: createLoaders(db), limits, publicUrl }),
    cors: corsOrigins.length > 0 && { origin: corsOrigins, credentials: false },
    maskedErrors: { maskError: createMaskError(log) },
    graphiql: false,
    landingPage: false,
    logging: false,
  });
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { createLoaders } from '../data/loaders.ts';
import type { Logger } from '../log.ts';
import { useBodyLimit } from './body-limit.ts';
import { useContentTypes } from './content-types.ts';
import type { Context } from './context.ts';
import { createMaskError } from './mask-error.ts';
import { type MultipartLimits, useMultipart } from './multipart.ts';
import { schema } from './schema.ts';

export const graphqlPath = '/graphql';

export interface GraphQLOptions extends Omit<Context, 'loaders'> {
  corsOrigins: string[];
  multipart: MultipartLimits;
  log: Logger;
}

/** The GraphQL endpoint, as a handler for node:http. */
export function createGraphQLServer({ corsOrigins, multipart, log, ...context }: GraphQLOptions) {
  return createYoga<{ req: IncomingMessage; res: ServerResponse }>({
    schema,
    graphqlEndpoint: graphqlPath,
    context: (): Context => ({ ...context, loaders: createLoaders(context.db) }),
    cors: corsOrigins.length > 0 && { origin: corsOrigins, credentials: false },
    maskedErrors: { maskError: createMaskError(log) },
    graphiql: false,
    landingPage: false,
    multipart: false,
    // One that holds for uploads too would forbid them.
    maxRequestBodySize: false,
    plugins: [useContentTypes(), useMultipart(multipart), useBodyLimit(multipart.maxJsonBytes)],
    logging: false,
  });
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createYoga } from 'graphql-yoga';
import type { Authentication } from '../access/authenticate.ts';
import { stranger } from '../access/caller.ts';
import { createLoaders } from '../data/loaders.ts';
import type { Logger } from '../log.ts';
import { type Asking, useAccess } from './access.ts';
import { useBodyLimit } from './body-limit.ts';
import { useContentTypes } from './content-types.ts';
import type { Context } from './context.ts';
import { createDocumentCache } from './document-cache.ts';
import { useGetParameters } from './get-parameters.ts';
import { useImageColumns } from './image-columns.ts';
import { useNoIntrospection } from './introspection.ts';
import { useLiveChanges } from './live-changes.ts';
import { createMaskError } from './mask-error.ts';
import { type MultipartLimits, useMultipart } from './multipart.ts';
import { type CostLimits, useOperationCost } from './operation-cost.ts';
import { type OperationLimits, useOperationLimits } from './operation-limits.ts';
import { type OnOperation, useOperationWatch } from './operation-watch.ts';
import { schema } from './schema.ts';
import { createShortWay, isShort, type ShortWaySettings } from './short-way.ts';
import { type ThrottleOptions, useThrottle } from './throttle.ts';
import { useTimeLimit } from './time-limit.ts';
import { type TrustedOptions, useTrustedDocuments } from './trusted-documents.ts';

export const graphqlPath = '/graphql';

export interface GraphQLOptions
  extends Omit<Context, 'caller' | 'visibility' | 'loaders' | 'stream' | 'subscription'> {
  authentication: Authentication;
  corsOrigins: string[];
  hasIntrospection: boolean;
  /** Null where none are set up. */
  trusted: TrustedOptions | null;
  operationLimits: OperationLimits & CostLimits & ThrottleOptions & { operationTimeoutMs: number };
  multipart: MultipartLimits;
  onOperation: OnOperation;
  log: Logger;
}

interface ServerContext extends Asking {
  res: ServerResponse;
}

export interface GraphQLServer {
  answer: RequestListener;
  fetch: ReturnType<typeof createYoga<ServerContext>>['fetch'];
}

export function createGraphQLServer({
  authentication,
  corsOrigins,
  hasIntrospection,
  trusted,
  operationLimits,
  multipart,
  onOperation,
  log,
  ...context
}: GraphQLOptions): GraphQLServer {
  const settings: ShortWaySettings<ServerContext> = {
    schema,
    graphqlEndpoint: graphqlPath,
    context: ({ request, res, caller = stranger, isStillGood = async () => false }): Context => {
      const visibility = caller.isStranger ? 'READY' : 'LIVE';
      return {
        ...context,
        caller,
        visibility,
        loaders: createLoaders(context.db, visibility),
        stream: { signal: request.signal, end: () => res?.end(), isStillGood },
      };
    },
    cors: corsOrigins.length > 0 && {
      origin: corsOrigins,
      credentials: false,
      exposedHeaders: ['x-request-id'],
    },
    maskedErrors: { maskError: createMaskError(log) },
    graphiql: false,
    landingPage: false,
    multipart: false,
    parserAndValidationCache: createDocumentCache(),
    // One that holds for uploads too would forbid them.
    maxRequestBodySize: false,
    plugins: [
      useContentTypes(),
      useAccess(authentication, log),
      useGetParameters(),
      useMultipart(multipart),
      useBodyLimit(multipart.maxJsonBytes),
      ...(trusted ? [useTrustedDocuments(trusted)] : []),
      useOperationLimits(operationLimits),
      useOperationCost(operationLimits),
      useThrottle(operationLimits),
      useTimeLimit(operationLimits.operationTimeoutMs),
      useImageColumns(),
      useLiveChanges(),
      ...(hasIntrospection ? [] : [useNoIntrospection()]),
      useOperationWatch(onOperation),
    ],
    logging: false,
  };
  const yoga = createYoga<ServerContext>(settings);
  const shortWay = createShortWay(settings);
  return {
    answer: (req, res) => (isShort(req) ? shortWay(req, res) : yoga(req, res)),
    fetch: yoga.fetch,
  };
}

/** For pages of the service's own: asks the API as a client would, without going through a socket. */
export function createAskApi(server: GraphQLServer) {
  return async (query: string, variables: object, visitor: IncomingMessage) => {
    const { authorization } = visitor.headers;
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify({ query, variables }),
    };
    const response = await server.fetch(`http://localhost${graphqlPath}`, init, { visitor });
    const { data } = (await response.json()) as { data?: unknown };
    return { status: response.status, data };
  };
}

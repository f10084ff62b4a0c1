import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { locatedError } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Authentication } from '../access/authenticate.ts';
import type { Logger } from '../log.ts';
import { type Asking, useAccess } from './access.ts';
import { useBodyLimit } from './body-limit.ts';
import { spellContentType, useContentTypes } from './content-types.ts';
import { type AskingRequest, createRequestContext, type ServiceContext } from './context.ts';
import { useGetParameters } from './get-parameters.ts';
import { useImageColumns } from './image-columns.ts';
import { useNoIntrospection } from './introspection.ts';
import { createKnownQueries, type Taken } from './known-queries.ts';
import { useLiveChanges } from './live-changes.ts';
import { createMaskError } from './mask-error.ts';
import { type MultipartLimits, useMultipart } from './multipart.ts';
import { type CheckOptions, createOperationChecks, type OperationChecks } from './operation-checks.ts';
import { useOperationCost } from './operation-cost.ts';
import { useOperationLimits } from './operation-limits.ts';
import { useOperationWatch } from './operation-watch.ts';
import { usePlannedExecution } from './planned-execution.ts';
import { schema } from './schema.ts';
import { createShortWay, type FindCors, isShort, type ShortWay, type ShortWaySettings } from './short-way.ts';
import { useThrottle } from './throttle.ts';
import { useTimeLimit } from './time-limit.ts';
import { useTrustedDocuments } from './trusted-documents.ts';

export const graphqlPath = '/graphql';

export interface GraphQLOptions extends CheckOptions {
  /** The part of it that is the same for all requests. */
  context: ServiceContext;
  authentication: Authentication;
  corsOrigins: string[];
  hasIntrospection: boolean;
  multipart: MultipartLimits;
  log: Logger;
}

interface ServerContext extends Asking {
  res: ServerResponse;
  taken?: Taken;
}

export interface GraphQLServer {
  answer: RequestListener;
  answerWhole: ShortWay['answerWhole'];
  fetch: ReturnType<typeof createYoga<ServerContext>>['fetch'];
}

/** The GraphQL endpoint, for node:http. */
export function createGraphQLServer(options: GraphQLOptions): GraphQLServer {
  const { authentication, corsOrigins, multipart, log } = options;
  const { checks, cache } = createOperationChecks(options);
  const createContext = (asked: AskingRequest) => createRequestContext(options.context, asked);
  const maskError = createMaskError(log);
  const settings: ShortWaySettings<ServerContext> = {
    schema,
    graphqlEndpoint: graphqlPath,
    context: createContext,
    cors: corsOrigins.length > 0 && createCors(corsOrigins),
    maskedErrors: { maskError },
    graphiql: false,
    landingPage: false,
    multipart: false,
    parserAndValidationCache: cache,
    // One that holds for uploads too would forbid them.
    maxRequestBodySize: false,
    plugins: createPlugins(options, checks),
    logging: false,
  };
  const yoga = createYoga<ServerContext>(settings);
  const shortWay = createShortWay(settings, {
    known: createKnownQueries(schema, checks),
    maxBytes: multipart.maxJsonBytes,
    authenticate: authentication.authenticate,
    createContext,
    onLost: called => {
      const tell = (outcome: unknown) => checks.onOperation('mutation', String(outcome), null);
      called.then(
        () => tell('ok'),
        error => tell(maskError(locatedError(error, undefined)).extensions.code),
      );
    },
  });
  return {
    answer(req, res) {
      spellContentType(req.headers);
      return isShort(req) ? shortWay.answer(req, res) : yoga(req, res);
    },
    answerWhole: shortWay.answerWhole,
    fetch: yoga.fetch,
  };
}

/**
 * What pages of other origins are told. Those that are not among them are told nothing: `null`, which Yoga would say, is the
 * origin of a sandboxed frame on any page.
 */
function createCors(origins: readonly string[]): FindCors {
  const isAny = origins.includes('*');
  return ({ headers }) => {
    const origin = headers.get('origin');
    const isTold = origin !== null && (isAny || origins.includes(origin));
    return isTold && { origin: ['*'], credentials: false, exposedHeaders: ['x-request-id', 'retry-after'] };
  };
}

function createPlugins(
  options: GraphQLOptions,
  checks: OperationChecks,
): ShortWaySettings<ServerContext>['plugins'] {
  const { authentication, hasIntrospection, multipart, operationLimits, log } = options;
  return [
    useContentTypes(),
    useAccess(authentication, log),
    useGetParameters(),
    useMultipart(multipart),
    useBodyLimit(multipart.maxJsonBytes),
    ...(checks.trusted ? [useTrustedDocuments(checks.trusted)] : []),
    useOperationLimits(operationLimits, checks.findExcesses),
    useOperationCost(checks.maxCost, checks.findCost),
    useThrottle(checks.takeCharge),
    usePlannedExecution(checks.plans),
    useTimeLimit(checks.runQuery),
    useImageColumns(),
    useLiveChanges(),
    ...(hasIntrospection ? [] : [useNoIntrospection()]),
    useOperationWatch(checks.onOperation),
  ];
}

interface AnswerToPage {
  data?: unknown;
  errors?: { message: string; extensions: { code: string } }[];
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
    const { data, errors } = (await response.json()) as AnswerToPage;
    return { data, errors, retryAfter: response.headers.get('retry-after') };
  };
}

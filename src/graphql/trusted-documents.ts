import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { describeValue } from '../errors.ts';
import type { TrustedDocuments } from './trusted-manifest.ts';

export interface TrustedOptions {
  documents: TrustedDocuments;
  /** Nothing else is answered. */
  isOnly: boolean;
}

/** How clients name a document: the GraphQL over HTTP appendix, and what network layers of Relay usually send. */
const idNames = ['documentId', 'doc_id', 'id'] as const;

/** Answers documents that clients name by an id instead of sending them. */
export function useTrustedDocuments(options: TrustedOptions): Plugin {
  return {
    onParams({ request, params, setParams, context }) {
      // The service's own pages ask without a request from outside.
      if (!('req' in context) || typeof params !== 'object' || params === null) return;
      const ids = request.method === 'GET' ? new URL(request.url).searchParams : toMap(params);
      setParams(findDocument(params, options, ids));
    },
  };
}

/**
 * What is asked, with the document that it names by an id, which is read from `ids`.
 * @throws {GraphQLError} where there is no such document, or where it is sent though it must be named
 */
export function findDocument(
  params: GraphQLParams,
  { documents, isOnly }: TrustedOptions,
  ids: Pick<ReadonlyMap<string, unknown>, 'get'> = toMap(params),
): GraphQLParams {
  const { query, ...rest } = params;
  const asked = readId(params, name => ids.get(name));
  const { documentId: _, doc_id: __, id: ___, ...others }: Record<string, unknown> = rest;
  if (query && !isOnly) return { ...others, query };
  if (!asked && isOnly) throw onlyTrusted();
  return { ...others, ...(asked && { query: find(asked, documents) }) };
}

interface Asked {
  id: string;
  /** Clients of Apollo's protocol know the error by its message. */
  isOfApollo: boolean;
}

function readId(params: GraphQLParams, read: (name: string) => unknown): Asked | null {
  for (const name of idNames) {
    const id = read(name);
    if (id != null) return { id: checkId(id, name), isOfApollo: false };
  }
  const { persistedQuery }: Record<string, unknown> = Object(params.extensions);
  if (persistedQuery == null) return null;
  const { sha256Hash }: Record<string, unknown> = Object(persistedQuery);
  return { id: checkId(sha256Hash, 'extensions.persistedQuery.sha256Hash'), isOfApollo: true };
}

function checkId(id: unknown, name: string): string {
  if (typeof id === 'string') return id;
  throw refuse(`${name} is ${describeValue(id)}; it must be a text`, 'BAD_REQUEST', 400);
}

/** The appendix writes the kind of an id before it. */
function find(asked: Asked, documents: TrustedDocuments): string {
  const text = documents.get(asked.id) ?? documents.get(asked.id.replace(/^sha256:/, ''));
  if (text === undefined) throw notFound(asked);
  return text;
}

function toMap(params: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(params));
}

function notFound({ id, isOfApollo }: Asked): GraphQLError {
  const message = isOfApollo
    ? 'PersistedQueryNotFound'
    : `No trusted document has the id ${JSON.stringify(id.slice(0, 100))}`;
  return refuse(message, 'PERSISTED_QUERY_NOT_FOUND', 404);
}

function onlyTrusted(): GraphQLError {
  return refuse(
    'Only trusted documents are answered; send the id of one as documentId, without a query',
    'PERSISTED_QUERY_ONLY',
    403,
  );
}

function refuse(message: string, code: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { spec: true, status } } });
}

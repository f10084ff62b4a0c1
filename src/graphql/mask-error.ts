import { GraphQLError } from 'graphql';
import { isUnavailability } from '../data/unavailable.ts';
import { BadInput } from '../errors.ts';
import { findRequestId, type Logger } from '../log.ts';

/**
 * What a client may know of an error: all of its own mistakes, of ours only that there was one. Every error gets
 * a code; what is hidden is logged with its cause.
 */
export function createMaskError(log: Logger) {
  return (error: unknown): GraphQLError => {
    if (!(error instanceof GraphQLError)) return hideError(error, undefined, log);
    const { originalError } = error;
    if (originalError instanceof BadInput) return withCode(error, 'BAD_USER_INPUT');
    if (isUnavailability(originalError)) return tellUnavailable(originalError, error, log);
    if (originalError && !(originalError instanceof GraphQLError))
      return hideError(originalError, error, log);
    return error.extensions.code ? error : withCode(error, 'BAD_USER_INPUT');
  };
}

/** The body of an answer with 503 to who is not even heard. */
export function formatUnavailable(message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
}

function withCode({ message, nodes, source, positions, path, extensions }: GraphQLError, code: string) {
  return new GraphQLError(message, { nodes, source, positions, path, extensions: { ...extensions, code } });
}

/** Yoga takes status and headers of the answer from `http`. */
function tellUnavailable(cause: unknown, { nodes, path }: GraphQLError, log: Logger): GraphQLError {
  log.warn({ err: cause, path }, 'A request could not be answered now');
  return new GraphQLError('The service cannot answer at the moment; try again.', {
    nodes,
    path,
    extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503, headers: { 'retry-after': '1' } } },
  });
}

function hideError(cause: unknown, place: GraphQLError | undefined, log: Logger): GraphQLError {
  log.error({ err: cause, path: place?.path }, 'A request failed');
  return new GraphQLError('Something went wrong on our side; it has been logged.', {
    nodes: place?.nodes,
    path: place?.path,
    // For whoever is told, to quote it to whoever reads the log.
    extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: findRequestId() },
  });
}

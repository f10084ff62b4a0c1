import { GraphQLError } from 'graphql';
import { BadInput } from '../errors.ts';
import type { Logger } from '../log.ts';

/**
 * What a client may know of an error: all of its own mistakes, of ours only that there was one. Every error gets
 * a code; what is hidden is logged with its cause.
 */
export function createMaskError(log: Logger) {
  return (error: unknown): GraphQLError => {
    if (!(error instanceof GraphQLError)) return hideError(error, undefined, log);
    const { originalError } = error;
    if (originalError instanceof BadInput) return withCode(error, 'BAD_USER_INPUT');
    if (originalError && !(originalError instanceof GraphQLError))
      return hideError(originalError, error, log);
    return error.extensions.code ? error : withCode(error, 'BAD_USER_INPUT');
  };
}

function withCode({ message, nodes, source, positions, path, extensions }: GraphQLError, code: string) {
  return new GraphQLError(message, { nodes, source, positions, path, extensions: { ...extensions, code } });
}

function hideError(cause: unknown, place: GraphQLError | undefined, log: Logger): GraphQLError {
  log.error({ err: cause, path: place?.path }, 'A request failed');
  return new GraphQLError('Something went wrong on our side; it has been logged.', {
    nodes: place?.nodes,
    path: place?.path,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

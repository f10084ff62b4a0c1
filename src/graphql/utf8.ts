import { isUtf8 } from 'node:buffer';
import { GraphQLError } from 'graphql';

/**
 * A body's text. Bytes that are not UTF-8 would become U+FFFD, and what they said would be lost unnoticed.
 * @throws {GraphQLError} where there are any
 */
export function readUtf8(body: Buffer): string {
  if (isUtf8(body)) return body.toString();
  throw new GraphQLError('The body holds bytes that are not UTF-8; send it as UTF-8', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });
}

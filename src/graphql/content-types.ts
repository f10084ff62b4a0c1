import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * Takes a POST only in types that a form on a foreign page cannot send: of those a browser first asks whether it may.
 * Multipart requests, which a form can send, need a header besides.
 */
const taken =
  /^(application\/json|application\/[a-z.-]+\+json|application\/graphql|multipart\/form-data)\s*(;|$)/i;

export function useContentTypes(): Plugin {
  return {
    onRequestParse({ request }) {
      const type = request.headers.get('content-type') ?? '';
      if (request.method !== 'POST' || taken.test(type)) return;
      throw new GraphQLError(`content-type is ${JSON.stringify(type)}; send application/json`, {
        extensions: { code: 'UNSUPPORTED_MEDIA_TYPE', http: { status: 415 } },
      });
    },
    onResultProcess({ acceptableMediaTypes }) {
      // Yoga answers 406 with all of them for each that was asked for, which can be more than a header holds.
      acceptableMediaTypes.splice(0, Number.POSITIVE_INFINITY, ...new Set(acceptableMediaTypes));
    },
  };
}

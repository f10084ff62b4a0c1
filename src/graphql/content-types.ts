import type { IncomingHttpHeaders } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { describeValue } from '../errors.ts';

/**
 * Takes a POST only in types that a form on a foreign page cannot send: of those a browser first asks whether it may.
 * Multipart requests, which a form can send, need a header besides.
 */
const taken = /^(application\/(json|graphql\+json|graphql)|multipart\/form-data)(;|$)/;

/** What answers come in, and the wildcards for it. */
const spoken =
  /^(\*\/\*|application\/(\*|json|graphql-response\+json)|text\/(\*|event-stream)|multipart\/(\*|mixed))$/;

const streams = /^(text\/event-stream|text\/\*|\*\/\*)$/;

/** Refuses, before anything is done, what cannot be read, and whom no answer would suit. */
export function useContentTypes(): Plugin {
  return {
    onRequestParse({ request: { method, headers } }) {
      const type = headers.get('content-type') ?? '';
      if (method === 'POST' && !taken.test(type)) {
        throw new GraphQLError(`content-type is ${describeValue(type)}; send application/json`, {
          extensions: { code: 'UNSUPPORTED_MEDIA_TYPE', http: { status: 415 } },
        });
      }
      const accepted = headers.get('accept');
      if (!takesAny(accepted, spoken)) throw notAcceptable(accepted);
    },
    onResultProcess({ request, acceptableMediaTypes, resultProcessor, setResultProcessor }) {
      if (resultProcessor) return;
      // Yoga would answer nothing but 406, with all of them for each that was asked for.
      const accept = [...new Set(acceptableMediaTypes)].join(', ');
      const { message, extensions } = notAcceptable(request.headers.get('accept'), accept);
      const body = JSON.stringify({ errors: [{ message, extensions: { code: extensions.code } }] });
      const headers = { accept, 'content-type': 'application/json; charset=utf-8' };
      setResultProcessor(
        (_result, { Response }) => new Response(body, { status: 406, headers }),
        'application/json',
      );
    },
  };
}

/** Whether a header that names what may be answered names what subscriptions are answered with. */
export function takesStreams(accepted: string | null): boolean {
  return takesAny(accepted, streams);
}

export function notAcceptable(
  accepted: string | null,
  offered = 'application/json or application/graphql-response+json',
): GraphQLError {
  return new GraphQLError(`accept is ${describeValue(accepted)}; the answer would be ${offered}`, {
    extensions: { code: 'NOT_ACCEPTABLE', http: { status: 406 } },
  });
}

/** As Yoga reads it, which goes by the names alone, and has no charset but UTF-8. */
function takesAny(accepted: string | null, types: RegExp): boolean {
  return (accepted || '*/*').split(',').some(range => {
    const [type = '', ...parameters] = range.replace(/\s/g, '').toLowerCase().split(';');
    const charset = parameters.find(parameter => parameter.includes('charset='));
    return types.test(type) && (charset === undefined || charset === 'charset=utf-8');
  });
}

/**
 * Spells a type that is taken as it is compared here and by Yoga: it has no case, and parameters may stand apart
 * (RFC 9110, 8.3.1). Any other is left as it came, to be told so.
 */
export function spellContentType(headers: IncomingHttpHeaders): void {
  const { 'content-type': type } = headers;
  if (type === undefined || !/[A-Z\s]/.test(type)) return;
  const [name = '', ...parameters] = type.split(';').map(part => part.trim());
  const spelt = [name.toLowerCase(), ...parameters].join('; ');
  if (taken.test(spelt)) headers['content-type'] = spelt;
}

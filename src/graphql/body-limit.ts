import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { readUtf8 } from './utf8.ts';

/**
 * Bounds what is read of a request without files, and takes it only as UTF-8. Yoga's own bound would hold for uploads too,
 * whose files may be many and have bounds of their own.
 */
export function useBodyLimit(maxBytes: number): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser, fetchAPI }) {
      if (request.headers.get('content-type')?.startsWith('multipart/form-data')) return;
      const announced = request.headers.get('content-length');
      if (Number(announced) > maxBytes) throw tooLarge(maxBytes);
      const { body, url, method, headers } = request;
      // The short way's requests have none, and look at their bytes themselves.
      if (!body || !requestParser) return;
      setRequestParser(async () => {
        const text = readUtf8(await readBody(body, maxBytes));
        return requestParser(new fetchAPI.Request(url, { method, headers, body: text }));
      });
    },
  };
}

async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Not "for await": leaving that early would cut the connection before the answer.
  const reading = body[Symbol.asyncIterator]();
  for (let next = await reading.next(); !next.done; next = await reading.next()) {
    size += next.value.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(next.value);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): GraphQLError {
  return new GraphQLError(`The request has more than ${maxBytes} bytes; send less at a time`, {
    extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', http: { status: 413 } },
  });
}

import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * Bounds what is read of a request without files. Yoga's own bound would hold for uploads too, whose files may be many
 * and have bounds of their own.
 */
export function useBodyLimit(maxBytes: number): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser, fetchAPI }) {
      if (request.headers.get('content-type')?.startsWith('multipart/form-data')) return;
      const announced = request.headers.get('content-length');
      if (Number(announced) > maxBytes) throw tooLarge(maxBytes);
      const { body, url, method, headers } = request;
      // Of what is announced, Node lets no byte more through.
      if (announced !== null || !body || !requestParser) return;
      setRequestParser(async () =>
        requestParser(new fetchAPI.Request(url, { method, headers, body: await readBody(body, maxBytes) })),
      );
    },
  };
}

async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
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

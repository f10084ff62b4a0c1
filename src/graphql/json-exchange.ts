import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { sendNodeResponse } from '@whatwg-node/server';
import { readUtf8 } from './utf8.ts';

// What Yoga asks of the web platform's Request and Response where both bodies are JSON, without their streams: those cost
// more than all else of a small query.

/** JSON of a known length. */
export class JsonRequest {
  readonly method = 'POST';
  readonly headers: { get: (name: string) => string | null };
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;
  #json: Promise<unknown> | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.headers = { get: name => readHeader(request.headers, name) };
  }

  get url(): string {
    const { headers, url = '/' } = this.#request;
    return new URL(url, `http://${headers.host || 'localhost'}`).href;
  }

  /** Aborted when the client leaves. */
  get signal(): AbortSignal {
    this.#signal ??= this.#createSignal();
    return this.#signal;
  }

  #createSignal(): AbortSignal {
    const leaving = new AbortController();
    this.onLeft(() => leaving.abort());
    return leaving.signal;
  }

  /** Calls when the client leaves; answers how to make it stop. */
  onLeft(leave: () => void): () => void {
    const response = this.#response;
    const end = () => {
      if (!response.writableFinished) leave();
    };
    if (response.destroyed) end();
    // A stream that was ended amid its events is written to once more, which is no fault of anybody's.
    response.once('close', end).once('error', end);
    return () => response.off('close', end).off('error', end);
  }

  /** Rejects with a SyntaxError for what is not JSON, with a GraphQLError for what is not UTF-8. */
  json(): Promise<unknown> {
    this.#json ??= readBody(this.#request).then(body => JSON.parse(readUtf8(body)));
    return this.#json;
  }
}

export class JsonResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** A stream where a subscription is answered. */
  readonly body: string | Buffer | ReadableStream | null;

  constructor(body: JsonResponse['body'], { status = 200, headers = {} }: Partial<JsonResponse> = {}) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

export async function sendJson(
  { status, headers, body }: JsonResponse,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (response.destroyed) return;
  if (body && typeof body !== 'string' && !Buffer.isBuffer(body)) {
    await sendNodeResponse(new Response(body, { status, headers }), response, request, true);
    return;
  }
  const json = body ?? '';
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(json) }).end(json);
}

export function readHeader(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', () => {
        const [first = Buffer.alloc(0)] = chunks;
        resolve(chunks.length > 1 ? Buffer.concat(chunks) : first);
      })
      .once('error', reject)
      .once('close', () => {
        if (!request.complete) reject(new DOMException('The client left', 'AbortError'));
      });
  });
}

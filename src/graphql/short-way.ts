import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  type CORSOptions,
  getCORSHeadersByRequestAndOptions,
  type ServerAdapterInitialContext,
  sendNodeResponse,
} from '@whatwg-node/server';
import { YogaServer, type YogaServerOptions } from 'graphql-yoga';

// Yoga's adapter makes a Request and a Response of the web platform for each exchange, with streams for the bodies: for
// a small query they cost more than all else. What Yoga and its plugins ask of them for JSON is little, and here.

export type ShortWaySettings<ServerContext extends object> = YogaServerOptions<ServerContext, object> & {
  cors: CORSOptions;
};

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}

/** JSON of a known length; that goes the short way. */
export function isShort({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    headers['content-length'] !== undefined &&
    /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')
  );
}

/** Answers JSON posts as Yoga does with the same settings, by the same code and plugins. */
export function createShortWay<ServerContext extends object>(
  settings: ShortWaySettings<ServerContext>,
): RequestListener {
  const server = new YogaServer<ServerContext, object>({
    ...settings,
    fetchAPI: { Response: JsonResponse as unknown as typeof Response },
  });
  return async (req, res) => {
    const request = new JsonRequest(req, res) as unknown as Request;
    const answer = await server.handle(request, { req, res, waitUntil } as unknown as ServerContext &
      ServerAdapterInitialContext);
    const { body, status, headers } = answer as unknown as JsonResponse;
    const cors = settings.cors && getCORSHeadersByRequestAndOptions(request, settings.cors);
    send({ body, status, headers: { ...headers, ...cors } }, { req, res });
  };
}

/** Nothing of ours goes on after an answer. */
const waitUntil = () => {};

function send(
  { status, headers, body }: Pick<JsonResponse, 'status' | 'headers' | 'body'>,
  { req, res }: Exchange,
) {
  if (res.destroyed) return;
  if (body && typeof body !== 'string') {
    // A subscription.
    sendNodeResponse(new Response(body, { status, headers }), res, req, true);
    return;
  }
  const bytes = body ? Buffer.byteLength(body) : 0;
  res.writeHead(status, { ...headers, 'content-length': bytes }).end(body ?? '');
}

class JsonRequest {
  readonly method = 'POST';
  readonly headers: { get: (name: string) => string | null };
  readonly #exchange: Exchange;
  #signal: AbortSignal | undefined;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#exchange = { req, res };
    this.headers = { get: name => readHeader(req, name) };
  }

  get url(): string {
    const { headers, url } = this.#exchange.req;
    return new URL(url ?? '/', `http://${headers.host || 'localhost'}`).href;
  }

  /** Aborted when the client leaves. */
  get signal(): AbortSignal {
    this.#signal ??= createLeavingSignal(this.#exchange.res);
    return this.#signal;
  }

  async json(): Promise<unknown> {
    return JSON.parse(await readText(this.#exchange.req));
  }
}

function readHeader({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
}

function createLeavingSignal(response: ServerResponse): AbortSignal {
  const leaving = new AbortController();
  const leave = () => {
    if (!response.writableFinished) leaving.abort();
  };
  if (response.destroyed) leave();
  else response.once('close', leave);
  return leaving.signal;
}

const byteOrderMark = 0xfeff;

function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const finish = () => {
      const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString() ?? '';
      resolve(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text);
    };
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', finish)
      .once('close', () => {
        if (!request.complete) reject(new DOMException('The client left', 'AbortError'));
      })
      .once('error', reject);
  });
}

class JsonResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | ReadableStream | null;

  constructor(body: string | ReadableStream | null, { status = 200, headers = {} }: JsonResponseInit = {}) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

interface JsonResponseInit {
  status?: number;
  headers?: Record<string, string>;
}

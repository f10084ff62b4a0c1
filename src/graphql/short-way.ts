import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import {
  type CORSOptions,
  getCORSHeadersByRequestAndOptions,
  type ServerAdapterInitialContext,
} from '@whatwg-node/server';
import { YogaServer, type YogaServerOptions } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { Authentication } from '../access/authenticate.ts';
import type { Caller } from '../access/caller.ts';
import { isTracing } from '../tracing.ts';
import type { AskingRequest, Context } from './context.ts';
import { JsonRequest, JsonResponse, readHeader, sendJson } from './json-exchange.ts';
import {
  type KnownOutcome,
  type KnownQueries,
  type KnownQuery,
  type Taken,
  unknown,
} from './known-queries.ts';
import { timeHeader } from './time-extension.ts';
import { readUtf8 } from './utf8.ts';

/** What CORS tells the page that a request is from; false for nothing. */
export type FindCors = (request: { headers: Pick<Headers, 'get'> }) => CORSOptions;

export type ShortWaySettings<ServerContext extends object> = YogaServerOptions<ServerContext, object> & {
  cors: FindCors | false;
};

interface ShortWayOptions {
  known: KnownQueries;
  /** Of a body. */
  maxBytes: number;
  authenticate: Authentication['authenticate'];
  createContext: (asking: AskingRequest) => Context;
  /** Told what a mutation came to where nobody asks any more, and the answer failed. */
  onLost: (called: Promise<unknown>) => void;
}

/** A POST whose body is there as a whole. */
export interface WholePost {
  socket: Socket;
  headers: IncomingHttpHeaders;
  body: Buffer;
  signal: AbortSignal;
  /** Calls when the client leaves; answers how to make it stop. */
  onLeft(leave: () => void): () => void;
  /** However long the answer takes, its connection is not idle. */
  keepOpen(): void;
}

/** With 200. */
interface WholeAnswer {
  headers: Record<string, string>;
  body: string | Buffer;
}

export interface ShortWay {
  answer: RequestListener;
  /** Null, at once or later, for what `answer` is to have. Never rejects. */
  answerWhole(post: WholePost): Promise<WholeAnswer | null> | null;
}

/** Whether a request goes the short way: it brings JSON of a known length. */
export function isShort({ method, headers }: IncomingMessage): boolean {
  return method === 'POST' && hasJson(headers);
}

function hasJson(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-length'] !== undefined && /^application\/json(;|$)/.test(headers['content-type'] ?? '')
  );
}

/**
 * Answers JSON posts as Yoga does with the same settings. What is known to be good is executed at once; all else Yoga
 * itself answers, with all its plugins, though without the web platform's requests and responses.
 */
export function createShortWay<ServerContext extends object>(
  settings: ShortWaySettings<ServerContext>,
  options: ShortWayOptions,
): ShortWay {
  const server = new YogaServer<ServerContext, object>({
    ...settings,
    fetchAPI: { Response: JsonResponse as unknown as typeof Response },
  });
  /** By the header that asks for them: what Yoga made of it. */
  const contentTypes = new LRUCache<string, string>({ max: 100 });
  /** What was done for the next request of a connection, as far as it was answered by `answerWhole`. */
  const begun = new WeakMap<Socket, Taken>();

  async function answerByYoga(request: JsonRequest, exchange: object): Promise<JsonResponse> {
    const context = { ...exchange, waitUntil } as unknown as ServerContext & ServerAdapterInitialContext;
    const answer = await server.handle(request as unknown as Request, context);
    return answer as unknown as JsonResponse;
  }

  function learn(accept: string, { status, body, headers }: JsonResponse): void {
    const type = headers['Content-Type'];
    if (status === 200 && typeof body === 'string' && type) contentTypes.set(accept, type);
  }

  /** Undefined where the request is not for what is known. */
  function findContentType(headers: IncomingHttpHeaders): string | undefined {
    return headers[timeHeader] || isTracing() ? undefined : contentTypes.get(headers.accept ?? '');
  }

  function authenticate({ authorization, host = '' }: IncomingHttpHeaders): Promise<Caller> {
    const authenticated = options.authenticate(authorization ?? null, host);
    // Whoever needs to know will see it.
    authenticated.catch(() => {});
    return authenticated;
  }

  function findCorsHeaders(request: Pick<JsonRequest, 'headers'>): Record<string, string> | null {
    const cors = settings.cors ? settings.cors(request) : false;
    return cors ? getCORSHeadersByRequestAndOptions(request as Request, cors) : null;
  }

  async function answerKnown(
    request: JsonRequest,
    req: IncomingMessage,
    authenticated: Promise<Caller>,
  ): Promise<KnownOutcome> {
    const startedAt = performance.now();
    const bytes = req.headers['content-length'];
    const caller = await authenticated.catch(() => null);
    if (!caller || Number(bytes) > options.maxBytes) return unknown;
    const found = options.known.find(await request.json().catch(() => null));
    if (!found) return unknown;
    return options.known.execute(found, options.createContext({ request, caller }), {
      req,
      startedAt,
      onLeft: leave => request.onLeft(leave),
    });
  }

  async function answerFound(
    post: WholePost,
    found: KnownQuery,
    contentType: string,
  ): Promise<WholeAnswer | null> {
    const startedAt = performance.now();
    const caller = await authenticate(post.headers).catch(() => null);
    if (!caller) return null;
    const context = options.createContext({ request: post, caller });
    const cors = findCorsHeaders({ headers: { get: name => readHeader(post.headers, name) } });
    const onLeft = (leave: () => void) => post.onLeft(leave);
    // From here on nothing may fail: a mutation must not be executed again.
    const { answer, taken } = await options.known.execute(found, context, { req: post, startedAt, onLeft });
    if (answer === null) {
      if (taken?.called && post.socket.destroyed) options.onLost(taken.called);
      else if (taken) begun.set(post.socket, taken);
      return null;
    }
    return { headers: { 'Content-Type': contentType, ...cors }, body: answer };
  }

  return {
    async answer(req, res) {
      const request = new JsonRequest(req, res);
      const contentType = findContentType(req.headers);
      const authenticated = authenticate(req.headers);
      const known =
        takeBegun(begun, req.socket) ??
        (contentType === undefined ? unknown : await answerKnown(request, req, authenticated));
      const answer = known.answer
        ? new JsonResponse(known.answer, { headers: { 'Content-Type': contentType ?? '' } })
        : await answerByYoga(request, { req, res, taken: known.taken, authenticated });
      if (!contentType) learn(req.headers.accept ?? '', answer);
      const cors = findCorsHeaders(request);
      await sendJson(cors ? { ...answer, headers: { ...answer.headers, ...cors } } : answer, req, res);
    },
    answerWhole(post) {
      if (!hasJson(post.headers) || post.body.length > options.maxBytes) return null;
      const contentType = findContentType(post.headers);
      const found = contentType === undefined ? null : options.known.find(parse(post.body));
      if (contentType === undefined || !found) return null;
      // A query ends before a connection that is idle does.
      if (found.plan.isMutation) post.keepOpen();
      // What fails here fails there, too, where it is told.
      return answerFound(post, found, contentType).catch(() => null);
    },
  };
}

function takeBegun(begun: WeakMap<Socket, Taken>, socket: Socket): KnownOutcome | null {
  const taken = begun.get(socket);
  if (!taken) return null;
  begun.delete(socket);
  return { answer: null, taken };
}

/** Null for what is not JSON, or not UTF-8: whoever answers then says so. */
function parse(body: Buffer): unknown {
  try {
    return JSON.parse(readUtf8(body));
  } catch {
    return null;
  }
}

/** Nothing of ours goes on after an answer. */
const waitUntil = () => {};

import type { IncomingMessage, RequestListener } from 'node:http';
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
import { JsonRequest, JsonResponse, sendJson } from './json-exchange.ts';
import type { ExecuteKnown, KnownOutcome } from './known-queries.ts';
import { timeHeader } from './time-extension.ts';

export type ShortWaySettings<ServerContext extends object> = YogaServerOptions<ServerContext, object> & {
  cors: CORSOptions;
};

interface ShortWayOptions {
  executeKnown: ExecuteKnown;
  /** Of a body. */
  maxBytes: number;
  authenticate: Authentication['authenticate'];
  createContext: (asking: AskingRequest) => Context;
}

/** Whether a request goes the short way: it brings JSON of a known length. */
export function isShort({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    headers['content-length'] !== undefined &&
    /^application\/json(;|$)/.test(headers['content-type'] ?? '')
  );
}

/**
 * Answers JSON posts as Yoga does with the same settings. What is known to be good is executed at once; all else Yoga
 * itself answers, with all its plugins, though without the web platform's requests and responses.
 */
export function createShortWay<ServerContext extends object>(
  settings: ShortWaySettings<ServerContext>,
  options: ShortWayOptions,
): RequestListener {
  const server = new YogaServer<ServerContext, object>({
    ...settings,
    fetchAPI: { Response: JsonResponse as unknown as typeof Response },
  });
  /** By the header that asks for them: what Yoga made of it. */
  const contentTypes = new LRUCache<string, string>({ max: 100 });

  async function answerByYoga(request: JsonRequest, exchange: object): Promise<JsonResponse> {
    const context = { ...exchange, waitUntil } as unknown as ServerContext & ServerAdapterInitialContext;
    const answer = await server.handle(request as unknown as Request, context);
    return answer as unknown as JsonResponse;
  }

  function learn(accept: string, { status, body, headers }: JsonResponse): void {
    const type = headers['Content-Type'];
    if (status === 200 && typeof body === 'string' && type) contentTypes.set(accept, type);
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
    const params = await request.json().catch(() => null);
    return options.executeKnown(params, options.createContext({ request, caller }), {
      req,
      startedAt,
      onLeft: leave => request.onLeft(leave),
    });
  }

  return async (req, res) => {
    const request = new JsonRequest(req, res);
    const accept = req.headers.accept ?? '';
    const contentType = contentTypes.get(accept);
    const isPlain = contentType !== undefined && !req.headers[timeHeader] && !isTracing();
    const { authorization = null, host = '' } = req.headers;
    const authenticated = options.authenticate(authorization, host);
    // Whoever needs to know will see it.
    authenticated.catch(() => {});
    const known = isPlain ? await answerKnown(request, req, authenticated) : unknown;
    const answer = known.answer
      ? new JsonResponse(known.answer, { headers: { 'Content-Type': contentType ?? '' } })
      : await answerByYoga(request, { req, res, taken: known.taken, authenticated });
    if (!contentType) learn(accept, answer);
    const cors =
      settings.cors && getCORSHeadersByRequestAndOptions(request as unknown as Request, settings.cors);
    await sendJson(cors ? { ...answer, headers: { ...answer.headers, ...cors } } : answer, req, res);
  };
}

const unknown: KnownOutcome = { answer: null };

/** Nothing of ours goes on after an answer. */
const waitUntil = () => {};

import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http';
import { inRequest, type Logger } from './log.ts';
import { pathOf } from './routes.ts';
import { startRequestSpan } from './tracing.ts';
import type { AnswerWhole } from './whole-posts.ts';

/** Few, so that they can be labels. */
export type RouteName = 'graphql' | 'images' | 'sheet' | 'other';

export interface AnsweredRequest {
  route: RouteName;
  method: string;
  /** Null where the client left before there was an answer. */
  status: number | null;
  seconds: number;
}

export interface RequestWatch {
  log: Logger;
  onAnswered?: ((answered: AnsweredRequest) => void) | undefined;
}

/** Gives each request an id and a span, logs a line for it and tells how it was answered. */
export function watchRequests(handler: RequestListener, { log, onAnswered }: RequestWatch): RequestListener {
  return (request, response) => {
    const startedAt = performance.now();
    const id = requestIdOf(request.headers);
    const path = pathOf(request);
    const route = routeOf(path);
    const span = startRequestSpan(methodOf(request), routePaths[route], request.headers);
    response.setHeader('x-request-id', id);
    response.once('close', () => {
      const ms = performance.now() - startedAt;
      const status = response.headersSent ? response.statusCode : null;
      span?.end(status ?? 499);
      onAnswered?.({ route, method: methodOf(request), status, seconds: ms / 1_000 });
      const hasLeft = !response.writableFinished;
      logAnswer(log, { requestId: id, method: request.method, path, status, hasLeft, ms });
    });
    const answer = () => inRequest(id, () => handler(request, response));
    if (span) span.run(answer);
    else answer();
  };
}

/** The same for what goes past the HTTP server. It has no span: while somebody traces, nothing does. */
export function watchWholePosts(answer: AnswerWhole, { log, onAnswered }: RequestWatch): AnswerWhole {
  return post => {
    const id = requestIdOf(post.headers);
    const answering = inRequest(id, () => answer(post));
    if (!answering) return null;
    return answering.then(answered => {
      const hasLeft = !post.socket.writable;
      // The HTTP server is to have it, unless it is nobody's any more.
      if (!answered && !hasLeft) return null;
      const ms = performance.now() - post.arrivedAt;
      const status = hasLeft ? null : 200;
      onAnswered?.({ route: 'graphql', method: 'POST', status, seconds: ms / 1_000 });
      logAnswer(log, { requestId: id, method: 'POST', path: routePaths.graphql, status, hasLeft, ms });
      return answered && { ...answered, headers: { 'x-request-id': id, ...answered.headers } };
    });
  };
}

const routePaths: Record<RouteName, string> = {
  graphql: '/graphql',
  images: '/images/',
  sheet: '/sheet',
  other: '/',
};

function routeOf(path: string): RouteName {
  if (path === routePaths.graphql) return 'graphql';
  if (path.startsWith(routePaths.images)) return 'images';
  return path === routePaths.sheet ? 'sheet' : 'other';
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

/** Those that mean nothing here are as many as a client can think of. */
function methodOf({ method = '' }: IncomingMessage): string {
  return methods.has(method) ? method : 'other';
}

/** What a proxy calls it, so that its lines and ours are found together; not what would spoil them. */
function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:=+/-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Asked for every few seconds by machines. */
const polled = new Set(['/health', '/ready', '/metrics']);
const maxPathLength = 200;

/** Refusals for want of time are counted only: there may be thousands a second, when a line each would do harm. */
const isFailure = (status: number | null) => status !== null && status >= 500 && status !== 503;

/** A line costs as much as a small query, so those of ordinary answers are for who asks for them. */
const notableMs = 1_000;

interface Logged {
  requestId: string;
  method: string | undefined;
  path: string;
  /** Null where there was no answer. */
  status: number | null;
  hasLeft: boolean;
  ms: number;
}

function logAnswer(log: Logger, { requestId, method, path, status, hasLeft, ms }: Logged): void {
  const isNotable = !polled.has(path) && (isFailure(status) || ms >= notableMs);
  const level = isNotable ? 'info' : 'debug';
  if (!log.isLevelEnabled(level)) return;
  log[level](
    {
      requestId,
      method,
      path: shorten(path),
      status: status ?? undefined,
      ms: Math.round(ms * 10) / 10,
      ...(hasLeft && { left: true }),
    },
    'Answered',
  );
}

/** Of an image's address neither the signature, which the log hides, nor a file's name. */
function shorten(path: string): string {
  return path.replace(/^(\/images\/[^/]*\/[0-9a-f]{64}).*/, '$1').slice(0, maxPathLength);
}

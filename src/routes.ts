import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createGraphiQL } from './graphql/graphiql.ts';
import { formatUnavailable } from './graphql/mask-error.ts';
import { graphqlPath } from './graphql/server.ts';
import type { Logger } from './log.ts';
import { imagesPath } from './rendering/address.ts';
import { sampleTabs } from './sample/tabs.ts';
import { type SheetHandler, sheetPath } from './sheet/serve-sheet.ts';

export interface Routes {
  /** Null where only images are served. */
  graphql: RequestListener | null;
  /** The contact sheet; null where there is no API. */
  sheet: SheetHandler | null;
  /** Null where they are served elsewhere. */
  images: ((request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>) | null;
  /** What is amiss, in words for anybody; null where nothing is. */
  findFault: () => Promise<string | null>;
  /** Null where strangers could ask for them here. */
  metrics: RequestListener | null;
  hasGraphiQL: boolean;
  log: Logger;
}

type Answer = (request: IncomingMessage, response: ServerResponse, path: string) => unknown;

/** From a request's path to who answers it. */
export function createRequestHandler(routes: Routes): RequestListener {
  const answers: Record<string, Answer> = {
    '/health': (_request, response) => sendText(response, 200, 'ok'),
    '/ready': (_request, response) => sendReadiness(response, routes.findFault),
    ...(routes.metrics && { '/metrics': routes.metrics }),
    ...(routes.graphql && answersOfGraphql(routes.graphql, routes.hasGraphiQL)),
    ...(routes.sheet && { [sheetPath]: routes.sheet }),
  };
  return (request, response) => {
    // Yoga makes a URL of it, and answers a stack where that fails.
    if (!URL.canParse(`http://${request.headers.host || 'localhost'}`)) {
      return sendText(response, 400, 'The Host header names no host');
    }
    const path = pathOf(request);
    const answer = path.startsWith(imagesPath) ? routes.images : answers[path];
    Promise.try(() =>
      answer ? answer(request, response, path) : sendText(response, 404, 'Nothing is here'),
    ).catch(error => {
      routes.log.error({ err: error, path }, 'A request could not be answered');
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'Something went wrong on our side; it has been logged');
    });
  };
}

const starting = 'The service is starting; try again.';

/** While the service opens what it needs: it lives, and asks to come back. */
export function createStartingHandler(): RequestListener {
  return (request, response) => {
    if (pathOf(request) === '/health') return sendText(response, 200, 'ok');
    response.setHeader('retry-after', '1');
    const path = pathOf(request);
    if (path !== graphqlPath) return sendText(response, 503, starting);
    response.writeHead(503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(formatUnavailable(starting));
  };
}

function answersOfGraphql(graphql: RequestListener, hasGraphiQL: boolean): Record<string, Answer> {
  const graphiQL = createGraphiQL(graphqlPath, sampleTabs);
  return {
    '/': (_request, response) => response.writeHead(302, { location: graphqlPath }).end(),
    [graphqlPath]: (request, response) =>
      hasGraphiQL && wantsPage(request) ? sendPage(request, response, graphiQL) : graphql(request, response),
  };
}

/** As it is spelt; a proxy may send the whole address instead. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.startsWith('/') ? (url.split('?', 1)[0] ?? '/') : (URL.parse(url)?.pathname ?? '/');
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    .end(`${text}\n`);
}

async function sendReadiness(response: ServerResponse, findFault: Routes['findFault']): Promise<void> {
  const fault = await findFault();
  sendText(response, fault === null ? 200 : 503, fault ?? 'ready');
}

/** A browser that opens the endpoint, not a client that queries it by GET. */
function wantsPage({ method, url, headers }: IncomingMessage): boolean {
  const accepts = headers.accept?.includes('text/html') ?? false;
  return method === 'GET' && accepts && !new URLSearchParams(url?.split('?')[1]).has('query');
}

async function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  open: ReturnType<typeof createGraphiQL>,
): Promise<void> {
  const page = await open();
  const canGunzip = /\bgzip\b/.test(String(request.headers['accept-encoding']));
  const body = canGunzip ? page.gzipped : page.html;
  response
    .writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': body.length,
      'cache-control': 'no-cache',
      vary: 'Accept, Accept-Encoding',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      ...(canGunzip && { 'content-encoding': 'gzip' }),
    })
    .end(body);
}

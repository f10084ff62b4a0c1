import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createGraphiQL } from './graphql/graphiql.ts';
import { graphqlPath } from './graphql/server.ts';
import type { Logger } from './log.ts';
import { imagesPath } from './rendering/address.ts';
import { sampleTabs } from './sample/tabs.ts';

export interface Routes {
  graphql: RequestListener;
  images: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;
  /** Resolves when requests that need the database can be answered. */
  checkReady: () => Promise<void>;
  hasGraphiQL: boolean;
  log: Logger;
}

type Answer = (request: IncomingMessage, response: ServerResponse, path: string) => unknown;

/** From a request's path to who answers it. */
export function createRequestHandler(routes: Routes): RequestListener {
  const graphiQL = createGraphiQL(graphqlPath, sampleTabs);
  const answers: Record<string, Answer> = {
    '/': (_request, response) => response.writeHead(302, { location: graphqlPath }).end(),
    '/health': (_request, response) => sendText(response, 200, 'ok'),
    '/ready': (_request, response) => sendReadiness(response, routes.checkReady),
    [graphqlPath]: (request, response) =>
      routes.hasGraphiQL && wantsPage(request)
        ? sendPage(request, response, graphiQL)
        : routes.graphql(request, response),
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

/** As it is spelt; a proxy may send the whole address instead. */
function pathOf({ url = '/' }: IncomingMessage): string {
  return url.startsWith('/') ? (url.split('?', 1)[0] ?? '/') : (URL.parse(url)?.pathname ?? '/');
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    .end(`${text}\n`);
}

async function sendReadiness(response: ServerResponse, checkReady: () => Promise<void>): Promise<void> {
  const isReady = await checkReady().then(
    () => true,
    () => false,
  );
  if (isReady) sendText(response, 200, 'ready');
  else sendText(response, 503, 'the database does not answer');
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

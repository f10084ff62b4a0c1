import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderSheet } from './sheet-page.ts';
import { type SheetData, sheetQuery } from './sheet-query.ts';

export const sheetPath = '/sheet';

/** Asks the API as the visitor would, with the visitor's credentials. */
export type AskApi = (query: string, variables: object, visitor: IncomingMessage) => Promise<ApiAnswer>;

export interface ApiAnswer {
  /** None, or null, where there is nothing but errors. */
  data?: unknown;
  errors?: { message: string; extensions: { code: string } }[];
  /** The header, in seconds; null where it says nothing of it. */
  retryAfter: string | null;
}

export type SheetHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const imagesOnPage = 60;

/** Answers a page that shows the images of the store, made on the server of one GraphQL query for at most so many. */
export function createSheetHandler(ask: AskApi, maxPageSize: number): SheetHandler {
  const first = Math.min(imagesOnPage, maxPageSize);
  return async (request, response) => {
    const after = new URLSearchParams(request.url?.split('?')[1]).get('after');
    const answer = await ask(sheetQuery, { first, after }, request);
    if (!answer.data) return refuse(response, answer);
    response.writeHead(200, headers).end(renderSheet(answer.data as SheetData, sheetPath));
  };
}

/** What the visitor can mend, or wait for. */
const statusOfCode = new Map([
  ['BAD_USER_INPUT', 400],
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['THROTTLED', 429],
]);

/** In plain text: messages repeat what was asked for. */
function refuse(response: ServerResponse, { errors: [error] = [], retryAfter }: ApiAnswer): void {
  const status = statusOfCode.get(error?.extensions.code ?? '');
  const text = (status && error?.message) ?? 'The images cannot be shown at the moment; try again.';
  response
    .writeHead(status ?? 503, {
      ...headers,
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="packshot"' }),
      ...((status === undefined || status === 429) && { 'retry-after': retryAfter ?? '1' }),
    })
    .end(`${text}\n`);
}

/** Pictures may come from a renderer or a CDN on another host; nothing else may come at all. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

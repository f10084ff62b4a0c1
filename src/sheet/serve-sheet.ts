import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderSheet } from './sheet-page.ts';
import { type SheetData, sheetQuery } from './sheet-query.ts';

export const sheetPath = '/sheet';

/** Asks the API as the visitor would, with the visitor's credentials; null where it does not answer with data. */
export type AskApi = (
  query: string,
  variables: object,
  visitor: IncomingMessage,
) => Promise<{ status: number; data?: unknown }>;

const imagesOnPage = 60;

/** Answers a page that shows the images of the store, made on the server of one GraphQL query. */
export function createSheetHandler(ask: AskApi) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const after = new URLSearchParams(request.url?.split('?')[1]).get('after');
    const { status, data } = await ask(sheetQuery, { first: imagesOnPage, after }, request);
    if (status === 401) return refuse(response, 401, 'The sheet needs a credential with images:read');
    if (!data) return refuse(response, 503, 'The images cannot be shown at the moment');
    response.writeHead(200, headers).end(renderSheet(data as SheetData, sheetPath));
  };
}

function refuse(response: ServerResponse, status: 401 | 503, text: string): void {
  response
    .writeHead(status, {
      ...headers,
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="packshot"' } : { 'retry-after': '1' }),
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

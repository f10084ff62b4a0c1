import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../log.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { parseOriginalAddress } from './address.ts';

/** An address never shows anything else, so that it can be kept for ever. */
const cacheForEver = 'public, max-age=31536000, immutable';

/** On every answer: whatever the bytes are, a browser must not take them for a page or a script. */
const protectiveHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
};

/** Answers requests under /images/. Knows no database: an address tells all that it takes. */
export function createImageHandler(storage: Storage, log: Logger) {
  return async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    try {
      await serveImage(request, response, path, storage);
    } catch (error) {
      log.error({ err: error, path }, 'An image could not be served');
      if (response.headersSent) response.destroy();
      else refuse(response, 503, 'The image cannot be read at the moment', { 'retry-after': '5' });
    }
  };
}

async function serveImage(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  storage: Storage,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(response, 405, 'Only GET and HEAD are possible here', { allow: 'GET, HEAD' });
  }
  const address = parseOriginalAddress(path);
  if (!address) return refuse(response, 404, 'No such image');
  const etag = `"${address.hash}"`;
  const headers = { ...protectiveHeaders, etag, 'cache-control': cacheForEver };
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const key = originalKey(address.hash, address.extension);
  const opened = request.method === 'HEAD' ? null : await storage.read(key);
  const stored = opened ?? (await storage.stat(key));
  if (!stored) return refuse(response, 404, 'No such image');
  response.writeHead(200, { ...headers, 'content-type': address.mimeType, 'content-length': stored.size });
  if (opened) await send(opened.body, response);
  else response.end();
}

/** That a client leaves midway is no failure. */
async function send(body: Readable, response: ServerResponse): Promise<void> {
  let hasClientLeft = false;
  response.once('close', () => {
    hasClientLeft = !body.destroyed;
  });
  try {
    await pipeline(body, response);
  } catch (error) {
    if (!hasClientLeft) throw error;
  }
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const candidates = ifNoneMatch?.split(',').map(candidate => candidate.trim().replace(/^W\//, ''));
  return candidates?.includes(etag) ?? false;
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, {
      ...protectiveHeaders,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    })
    .end(`${message}\n`);
}

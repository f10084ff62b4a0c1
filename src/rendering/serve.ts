import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { create as formatDisposition } from 'content-disposition';
import type { Logger } from '../log.ts';
import { mimeTypeOf } from '../storage/formats.ts';
import { type Storage, StorageFailed } from '../storage/storage.ts';
import { type ImageAddress, parseAddress } from './address.ts';
import { freeIfSent, protectiveHeaders, refuse, sendBytes } from './answers.ts';
import { findEncoding } from './formats.ts';
import { negotiateEncoding } from './negotiate.ts';
import { Overloaded } from './renderer.ts';
import { formatRenditionKey } from './rendition-key.ts';
import type { Renditions } from './renditions.ts';
import { serveOriginal } from './serve-original.ts';
import type { Signer } from './signature.ts';

export interface ImageResources {
  /** Of originals. */
  storage: Storage;
  renditions: Renditions;
  signer: Signer;
  log: Logger;
}

type Of<Kind> = Extract<ImageAddress, { kind: Kind }>;

/** An address never shows anything else, so that it can be kept for ever. */
const cacheForEver = 'public, max-age=31536000, immutable';

class ClientLeft extends Error {}

/** Answers requests under /images/. Knows no database: an address tells all that it takes. */
export function createImageHandler(resources: ImageResources) {
  return async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    try {
      await serveImage(request, response, path, resources);
    } catch (error) {
      if (!(error instanceof ClientLeft)) answerFailure(response, error, path, resources.log);
    }
  };
}

async function serveImage(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  resources: ImageResources,
): Promise<void> {
  if (request.method === 'OPTIONS') return answerPreflight(response);
  // A query string would be another spelling, of which a cache in front keeps a copy of its own.
  const address = request.url?.includes('?') ? null : findAddress(path, resources.signer);
  if (!address) return refuse(response, 403, 'This address is not valid');
  // Before anything can go wrong, for errors bear it too.
  if (address.kind === 'rendition' && address.recipe.negotiated) response.setHeader('vary', 'Accept');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(response, 405, 'Only GET and HEAD are possible here', { allow: 'GET, HEAD, OPTIONS' });
  }
  if (address.kind === 'rendition') return serveRendition(request, response, address, resources);
  const headers = describeOriginal(address);
  if (isKnown(request, headers.etag)) return answerNotModified(response, headers);
  return serveOriginal(request, response, resources.storage, address, headers);
}

/** Null for one that is forged or has expired: nobody is told which. */
function findAddress(path: string, signer: Signer): ImageAddress | null {
  const address = parseAddress(path, signer);
  if (address === null || address === 'forged') return null;
  return address.kind === 'download' && address.expiresAt.getTime() <= Date.now() ? null : address;
}

/** Browsers ask before a page's own program may send an If-None-Match. */
function answerPreflight(response: ServerResponse): void {
  response
    .writeHead(204, {
      ...protectiveHeaders,
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': '*',
      'access-control-max-age': '86400',
    })
    .end();
}

async function serveRendition(
  request: IncomingMessage,
  response: ServerResponse,
  { hash, extension, recipe }: Of<'rendition'>,
  { renditions }: ImageResources,
): Promise<void> {
  const encoding = recipe.negotiated
    ? negotiateEncoding(request.headers.accept, recipe.encoding)
    : recipe.encoding;
  const wanted = { hash, extension, recipe: { ...recipe, encoding } };
  const key = formatRenditionKey(wanted);
  const headers = { ...protectiveHeaders, etag: `"${key}"`, 'cache-control': cacheForEver };
  if (isKnown(request, headers.etag)) return answerNotModified(response, headers);
  const described = { ...headers, 'content-type': findEncoding(encoding).mimeType };
  const recalled = renditions.recall(key, hash);
  if (recalled) return sendBytes(response, recalled, described);
  const found = await whileThere(response, signal => renditions.find(key, wanted, signal));
  if (!found) return refuse(response, 404, 'No such image');
  sendBytes(response, found.bytes, described);
  if (found.isSole) freeIfSent(response, found.bytes);
}

async function whileThere<Result>(
  response: ServerResponse,
  find: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const leaving = new AbortController();
  const onClose = () => leaving.abort(new ClientLeft());
  response.once('close', onClose);
  try {
    return await find(leaving.signal);
  } finally {
    response.off('close', onClose);
  }
}

function describeOriginal(address: Of<'original' | 'download'>): OutgoingHttpHeaders & { etag: string } {
  const { hash, extension } = address;
  const contentType = mimeTypeOf(extension) ?? 'application/octet-stream';
  const headers = { ...protectiveHeaders, etag: `"${hash}"`, 'content-type': contentType };
  if (address.kind === 'original') return { ...headers, 'cache-control': cacheForEver };
  const secondsLeft = Math.floor((address.expiresAt.getTime() - Date.now()) / 1_000);
  return {
    ...headers,
    'cache-control': `private, max-age=${secondsLeft}`,
    'content-disposition': formatDisposition(address.name),
  };
}

/** `*` stands for whatever there is, and an address is signed only for what there is. RFC 9110, 13.1.2. */
function isKnown({ headers }: IncomingMessage, etag: string): boolean {
  const known = headers['if-none-match']?.split(',').map(candidate => candidate.trim().replace(/^W\//, ''));
  return known !== undefined && (known.includes(etag) || known.includes('*'));
}

function answerNotModified(response: ServerResponse, headers: OutgoingHttpHeaders): void {
  const { 'content-type': _ofTheBody, ...others } = headers;
  response.writeHead(304, others).end();
}

function answerFailure(response: ServerResponse, error: unknown, path: string, log: Logger): void {
  const isOverload = error instanceof Overloaded;
  if (isOverload) log.debug({ path }, 'Too busy to make a rendition');
  else log.error({ err: error, path }, 'An image could not be served');
  if (response.headersSent) {
    response.destroy();
  } else if (isOverload) {
    refuse(response, 503, 'Too many images are asked for at the moment', {
      'retry-after': String(error.retryAfterSeconds),
    });
  } else if (error instanceof StorageFailed) {
    refuse(response, 503, 'The image cannot be read at the moment', { 'retry-after': '5' });
  } else {
    refuse(response, 500, 'The image could not be made');
  }
}

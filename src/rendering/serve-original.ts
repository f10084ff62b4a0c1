import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { originalKey } from '../storage/keys.ts';
import type { ByteRange, Storage, StoredObject } from '../storage/storage.ts';
import type { Original } from './address.ts';
import { beginAnswer, refuse } from './answers.ts';
import { parseByteRange } from './byte-range.ts';

/** Streams the bytes as they were stored, or a part of them. `headers` hold the ETag. */
export async function serveOriginal(
  request: IncomingMessage,
  response: ServerResponse,
  storage: Storage,
  { hash, extension }: Original,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const key = originalKey(hash, extension);
  if (request.method === 'HEAD') return answerHead(response, await storage.stat(key), headers);
  // RFC 9110, 13.1.5: a part of something else is of no use; a date never fits, for none is ever told.
  const ifRange = request.headers['if-range'];
  if (request.headers.range && (ifRange === undefined || ifRange === headers.etag)) {
    return sendRange(response, storage, key, request.headers.range, headers);
  }
  return sendWhole(response, storage, key, headers);
}

const notFound = 'No such image';

function answerHead(
  response: ServerResponse,
  stored: StoredObject | null,
  headers: OutgoingHttpHeaders,
): void {
  if (stored) {
    response.writeHead(200, { ...headers, 'accept-ranges': 'bytes', 'content-length': stored.size }).end();
  } else {
    refuse(response, 404, notFound);
  }
}

async function sendWhole(
  response: ServerResponse,
  storage: Storage,
  key: string,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const opened = await storage.read(key);
  if (!opened) return refuse(response, 404, notFound);
  const { body, size } = opened;
  await send(response, body, 200, { ...headers, 'accept-ranges': 'bytes', 'content-length': size });
}

async function sendRange(
  response: ServerResponse,
  storage: Storage,
  key: string,
  header: string,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const stored = await storage.stat(key);
  if (!stored) return refuse(response, 404, notFound);
  const range = parseByteRange(header, stored.size);
  if (range === null) return sendWhole(response, storage, key, headers);
  if (range === 'unsatisfiable') {
    const message = `The image has ${stored.size} bytes; none of them are in ${header}`;
    return refuse(response, 416, message, { 'content-range': `bytes */${stored.size}` });
  }
  const opened = await storage.read(key, range);
  if (!opened) return refuse(response, 404, notFound);
  await send(response, opened.body, 206, { ...headers, ...describeRange(range, stored.size) });
}

function describeRange({ start, end }: ByteRange, size: number): OutgoingHttpHeaders {
  return {
    'accept-ranges': 'bytes',
    'content-range': `bytes ${start}-${end}/${size}`,
    'content-length': end - start + 1,
  };
}

/** That a client leaves midway is no failure. */
async function send(
  response: ServerResponse,
  body: Readable,
  status: number,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  let hasClientLeft = response.destroyed;
  response.once('close', () => {
    hasClientLeft = !body.destroyed;
  });
  // A pipeline adds half a dozen listeners to those of whoever watches the response, in which Node sees a leak.
  response.setMaxListeners(20);
  try {
    beginAnswer(response, status, headers);
    await pipeline(body, response);
  } catch (error) {
    if (!hasClientLeft) throw error;
  } finally {
    body.destroy();
  }
}

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { freeBytes } from '../imaging/free-bytes.ts';

/** On every answer: whatever the bytes are, a browser must not take them for a page or a script. */
export const protectiveHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
};

/** A client that takes nothing of what is sent to it for so long, or twice that, is given up. */
const stallTimeoutMs = 30_000;

/** The whole picture, or its headers alone. */
export function sendBytes(response: ServerResponse, bytes: Buffer, headers: OutgoingHttpHeaders): void {
  beginAnswer(response, 200, { ...headers, 'content-length': bytes.length });
  // For HEAD too: Node leaves the body out.
  response.end(bytes);
}

/**
 * Gives back the memory of what was just sent, if the system has taken all of it. Without that, the garbage collector,
 * which marks the whole heap to find such bytes, is a third of the cost of a picture read from disk.
 */
export function freeIfSent(response: ServerResponse, bytes: Buffer): void {
  const isSent = response.writableEnded && response.socket !== null && response.writableLength === 0;
  if (isSent) freeBytes(bytes);
}

export function beginAnswer(response: ServerResponse, status: number, headers: OutgoingHttpHeaders): void {
  response.setTimeout(stallTimeoutMs);
  response.writeHead(status, headers);
}

/** An error, in words for whoever looks at it; not to be kept. */
export function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const text = `${message}\n`;
  response
    .writeHead(status, {
      ...protectiveHeaders,
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...headers,
    })
    .end(text);
}

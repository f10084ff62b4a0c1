import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';

// Reads heads of requests that leave no doubt of where they end, and of what they say.

/** Lines that a proxy may read otherwise, bodies whose length is not said once and plainly, and what is long by its nature. */
const doubtful = new RegExp(
  [
    /(?<!\r)\n|\r(?!\n)|\r\n[ \t]/,
    /\r\ncontent-length(?!:[ \t]*\d{1,9}[ \t]*\r\n)/,
    /\r\n(?:transfer-encoding|expect|upgrade|connection(?!: *keep-alive\r))/,
    /text\/event-stream|multipart\//,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

const lengthHeader = /\r\ncontent-length:[ \t]*(\d+)/gi;

/** A head that was looked at. */
export interface Head {
  /** In bytes, with the empty line. */
  length: number;
  bodyLength: number;
  /** Null where that is for the HTTP server to read. */
  headers: IncomingHttpHeaders | null;
  /** What a proxy calls the request, or null. */
  requestId: string | null;
}

const headEnd = Buffer.from('\r\n\r\n');
const maxHeadBytes = 4_096;
/** Those of a client are mostly the same to the letter, but for a length. */
const maxHeads = 1_000;

/** Answers a chunk's head where it is one whole request to `path` that leaves no doubt; else null. */
export function createHeadReader(path: string): (chunk: Buffer) => Head | null {
  const start = `POST ${path} HTTP/1.1\r\n`;
  const heads = new LRUCache<string, Head>({ max: maxHeads });
  const read = (text: string): Head | null => {
    if (!text.startsWith(start) || doubtful.test(text)) return null;
    const [length, ...others] = text.matchAll(lengthHeader);
    if (!length || others.length > 0) return null;
    const headers = readHeaders(text.slice(start.length, -headEnd.length));
    const [, requestId = null] = requestIdHeader.exec(text) ?? [];
    const head = { length: text.length, bodyLength: Number(length[1]), headers, requestId };
    heads.set(text, head);
    return head;
  };
  return chunk => {
    const headLength = chunk.indexOf(headEnd) + headEnd.length;
    if (headLength < headEnd.length || headLength > maxHeadBytes) return null;
    const text = chunk.toString('latin1', 0, headLength);
    const head = heads.get(text) ?? read(text);
    return head && head.length + head.bodyLength === chunk.length ? head : null;
  };
}

const getStart = 'GET /';

/** Whether a chunk is one whole request without a body. */
export function isWholeGet(chunk: Buffer): boolean {
  if (chunk.toString('latin1', 0, getStart.length) !== getStart) return false;
  const headLength = chunk.indexOf(headEnd) + headEnd.length;
  if (headLength !== chunk.length || headLength > maxHeadBytes) return false;
  const text = chunk.toString('latin1');
  return !doubtful.test(text) && text.search(lengthHeader) < 0;
}

const requestIdHeader = /\r\nx-request-id:[ \t]*([\w.:=+/-]{1,128})[ \t]*\r\n/i;

/** https://www.rfc-editor.org/rfc/rfc9110#name-fields */
const headerLine = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** Null where one comes twice, is spelt in a way that is not to be, or names no host. */
function readHeaders(text: string): IncomingHttpHeaders | null {
  const headers: IncomingHttpHeaders = Object.create(null);
  for (const line of text.split('\r\n')) {
    const [, name = '', value = ''] = headerLine.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === '' || key in headers) return null;
    headers[key] = trim(value);
  }
  return headers.host && URL.canParse(`http://${headers.host}`) ? headers : null;
}

/** Not by a regular expression: a client may send thousands of spaces, for each of which one would look at all others. */
function trim(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value[from])) from++;
  while (from < to && isBlank(value[to - 1])) to--;
  return value.slice(from, to);
}

const isBlank = (character: string | undefined) => character === ' ' || character === '\t';

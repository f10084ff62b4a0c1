import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';

/**
 * Refuses requests on the bare connection, and holds there those that have to wait, before Node's HTTP server makes objects
 * of them, which costs two to three times as much as a refusal. That is done only where there is no doubt: with a POST that
 * came whole, in one piece, after all that came before it on its connection was known to be whole and answered. Everything
 * else goes to the HTTP server as if nothing were here.
 */
export interface EarlyRefusals {
  /** For each connection that the HTTP server takes, before anything came on it. */
  watch(socket: Socket): void;
  /** To be told when a request of that connection has been answered. */
  noteAnswered(socket: Socket): void;
}

export interface EarlyRefusalOptions {
  /** Of the requests that may be refused or held; others are none of ours. */
  path: string;
  isExcess: () => boolean;
  /** Calls `begin` when it is the request's turn, maybe at once; that hands it to the HTTP server, if its client is still there. */
  take: (begin: () => void) => void;
  /** Calls `send` when it is the refusal's turn, maybe at once. */
  refuse: (send: () => void) => void;
  /** JSON. */
  body: string;
  onRefused: () => void;
}

/** Where a connection is: between two requests, within one that came whole, or nobody knows. */
type Place = 'between' | 'within' | 'unknown';

interface Line {
  place: Place;
  head: Head | null;
  /** Hands its last request on, or refuses it, when it is that one's turn. */
  delayed: (() => void) | null;
  /** The HTTP server has had a request of it. */
  hasAsked: boolean;
}

/** The HTTP server gives a connection a minute for its first request (`headersTimeout`), and is to have had one by then. */
const firstRequestMs = 30_000;

export function createEarlyRefusals(options: EarlyRefusalOptions): EarlyRefusals {
  const { path, isExcess, take, refuse, body, onRefused } = options;
  const readHead = createHeadReader(path);
  const formatRefusal = createRefusalFormat(body);
  const lines = new WeakMap<Socket, Line>();
  return {
    watch(socket) {
      const [feed, ...others] = socket.listeners('data');
      // Should another version of Node read connections in another way, all refusals are late ones.
      if (!feed || others.length > 0) return;
      const line: Line = { place: 'between', head: null, delayed: null, hasAsked: false };
      lines.set(socket, line);
      const openedAt = performance.now();
      const mayRefuse = () =>
        isExcess() &&
        !socket.writableNeedDrain &&
        (line.hasAsked || performance.now() - openedAt < firstRequestMs);
      const runDelayed = () => {
        const { delayed } = line;
        line.delayed = null;
        if (!socket.destroyed) delayed?.();
      };
      socket.on('data', chunk => {
        // A client that does not wait for its answer gets them in order.
        runDelayed();
        const head = line.place === 'between' && Buffer.isBuffer(chunk) ? readHead(chunk, line.head) : null;
        line.head = head;
        if (head && mayRefuse()) {
          onRefused();
          line.delayed = () => socket.write(formatRefusal(head.text), 'latin1');
          refuse(runDelayed);
          return;
        }
        line.place = head ? 'within' : 'unknown';
        line.hasAsked = true;
        if (!head) {
          feed.call(socket, chunk);
          return;
        }
        line.delayed = () => feed.call(socket, chunk);
        take(runDelayed);
      });
      socket.removeListener('data', feed as () => void);
    },
    noteAnswered(socket) {
      const line = lines.get(socket);
      if (line?.place === 'within') line.place = 'between';
    },
  };
}

/** Lines that a proxy may read otherwise, bodies whose length is not said once and plainly, and all that is long by its nature. */
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

/** A head that was looked at, and how long its body is. */
interface Head {
  text: string;
  bodyLength: number;
}

/** Each connection keeps its last one. */
const maxHeadBytes = 4_096;

/**
 * Answers a chunk's head where it is one whole request to `path` that leaves no doubt; else null. `last`: that of the same
 * connection, mostly the same to the letter.
 */
function createHeadReader(path: string): (chunk: Buffer, last: Head | null) => Head | null {
  const start = `POST ${path} HTTP/1.1\r\n`;
  const end = Buffer.from('\r\n\r\n');
  const read = (text: string): Head | null => {
    if (!text.startsWith(start) || doubtful.test(text)) return null;
    const [length, ...others] = text.matchAll(lengthHeader);
    return length && others.length === 0 ? { text, bodyLength: Number(length[1]) } : null;
  };
  return (chunk, last) => {
    const headLength = chunk.indexOf(end) + end.length;
    if (headLength < end.length || headLength > maxHeadBytes) return null;
    const text = chunk.toString('latin1', 0, headLength);
    const head = text === last?.text ? last : read(text);
    return head && headLength + head.bodyLength === chunk.length ? head : null;
  };
}

const requestId = /\r\nx-request-id:[ \t]*([\w.:=+/-]{1,128})[ \t]*\r\n/i;

/** Each character of it is a byte, as the HTTP server's own heads are sent. */
function createRefusalFormat(body: string): (head: string) => string {
  const bytes = Buffer.from(body);
  const fixed = [
    'HTTP/1.1 503 Service Unavailable',
    'content-type: application/json',
    `content-length: ${bytes.length}`,
    'cache-control: no-store',
    'retry-after: 1',
    'x-request-id: ',
  ].join('\r\n');
  const rest = `\r\n\r\n${bytes.toString('latin1')}`;
  return head => `${fixed}${requestId.exec(head)?.[1] ?? randomUUID()}${rest}`;
}

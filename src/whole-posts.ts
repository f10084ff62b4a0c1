import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { keepAliveMs } from './listen.ts';
import { createHeadReader, type Head, isWholeGet } from './post-head.ts';

/**
 * Takes requests from the bare connection, before Node's HTTP server makes objects of them, which costs more than most that
 * is done for a small query: refuses them, holds those that have to wait, and has answered what can be answered at once.
 * That is done only where there is no doubt: with a POST that came whole, in one piece, after all that came before it on its
 * connection was known to be whole and answered. Everything else goes to the HTTP server as if nothing were here.
 */
export interface WholePosts {
  /** For the HTTP server, before it listens. */
  watch(server: Server): void;
}

export interface WholePostsOptions {
  /** Of the requests that are taken; others are none of ours. */
  path: string;
  /** Whether one that came now is refused. */
  isExcess: () => boolean;
  /** Calls `send` when it is the refusal's turn, maybe at once. */
  refuse: (send: () => void) => void;
  /** JSON. */
  refusal: string;
  onRefused: () => void;
  /** When it is the request's turn, maybe at once, it is to be answered, and where that does not do, handed on. */
  take: (taken: TakenPost) => void;
  answer: AnswerWhole;
}

export interface TakenPost {
  /** Null: not here. Whether it was answered; never rejects. */
  answer(): Promise<boolean> | null;
  /** To the HTTP server, unless its client has left. */
  handOn(): void;
}

/** Null, at once or later, where the HTTP server is to have it. Never rejects. */
export type AnswerWhole = (post: WholePost) => Promise<WholeAnswer | null> | null;

/** With 200. */
export interface WholeAnswer {
  headers: Record<string, string>;
  body: string | Buffer;
}

/** A POST that came whole. */
export class WholePost {
  readonly socket: Socket;
  /** As the HTTP server would have them. Others share them. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** As `performance.now()` counts; it may have waited for its turn since. */
  readonly arrivedAt: number;
  #signal: AbortSignal | undefined;
  /** The connection's, in milliseconds; undefined while it has it. */
  #timeout: number | undefined;

  constructor(socket: Socket, headers: IncomingHttpHeaders, body: Buffer, arrivedAt: number) {
    this.socket = socket;
    this.headers = headers;
    this.body = body;
    this.arrivedAt = arrivedAt;
  }

  /** Calls when the client leaves; answers how to make it stop. */
  onLeft(leave: () => void): () => void {
    const { socket } = this;
    if (socket.destroyed) leave();
    else socket.once('close', leave);
    return () => socket.off('close', leave);
  }

  /** The HTTP server takes its connection for idle; from now on it does not close it for that. */
  keepOpen(): void {
    this.#timeout = this.socket.timeout;
    this.socket.setTimeout(0);
  }

  /** Undoes `keepOpen`. */
  restoreTimeout(): void {
    if (this.#timeout !== undefined) this.socket.setTimeout(this.#timeout);
    this.#timeout = undefined;
  }

  /** Aborted when the client leaves. */
  get signal(): AbortSignal {
    this.#signal ??= this.#createSignal();
    return this.#signal;
  }

  #createSignal(): AbortSignal {
    const leaving = new AbortController();
    this.socket.once('close', () => leaving.abort());
    return leaving.signal;
  }
}

/** The HTTP server gives a connection a minute for its first request (`headersTimeout`), and is to have had one by then. */
const firstRequestMs = 30_000;

export function createWholePosts(options: WholePostsOptions): WholePosts {
  const parts: Parts = {
    ...options,
    readHead: createHeadReader(options.path),
    formatRefusal: createRefusalFormat(options.refusal),
  };
  const lines = new WeakMap<Socket, Line>();
  return {
    watch(server) {
      server.on('connection', socket => {
        const [feed, ...others] = socket.listeners('data');
        // Should another version of Node read connections in another way, the HTTP server has all.
        if (feed && others.length === 0) lines.set(socket, new Line(socket, feed as Feed, parts));
      });
      server.on('request', ({ socket }, response) => lines.get(socket)?.follow(response));
    },
  };
}

interface Parts extends WholePostsOptions {
  readHead: ReturnType<typeof createHeadReader>;
  formatRefusal: (head: Head) => string;
}

/** What the HTTP server reads a connection by. */
type Feed = (this: Socket, chunk: Buffer) => void;

/** A connection. */
class Line {
  readonly #socket: Socket;
  readonly #feed: Feed;
  readonly #parts: Parts;
  readonly #openedAt = performance.now();
  /** Between two requests, within one that came whole, or nobody knows. */
  #place: 'between' | 'within' | 'unknown' = 'between';
  /** The HTTP server has had a request of it. */
  #hasAsked = false;
  /** Its last request waits for its turn, or is being answered here. */
  #isBusy = false;
  /** What came meanwhile. */
  #later: Buffer[] = [];

  constructor(socket: Socket, feed: Feed, parts: Parts) {
    this.#socket = socket;
    this.#feed = feed;
    this.#parts = parts;
    // No encoding is set, so that chunks are no text.
    socket.on('data', chunk => this.#read(chunk as Buffer));
    socket.removeListener('data', feed);
  }

  /** What the HTTP server answers. */
  follow(response: ServerResponse): void {
    if (this.#place !== 'within') return;
    response.once('close', () => {
      if (this.#place === 'within') this.#place = 'between';
    });
  }

  #read(chunk: Buffer): void {
    if (this.#isBusy) {
      // A client that does not wait for its answer gets them in order.
      this.#later.push(chunk);
      this.#socket.pause();
      return;
    }
    const isNext = this.#place === 'between';
    const head = isNext ? this.#parts.readHead(chunk) : null;
    if (!head) {
      this.#place = isNext && isWholeGet(chunk) ? 'within' : 'unknown';
      this.#feedServer(chunk);
      return;
    }
    this.#isBusy = true;
    if (this.#mayRefuse()) this.#refuse(head);
    else this.#take(head, chunk);
  }

  #mayRefuse(): boolean {
    return (
      this.#parts.isExcess() &&
      !this.#socket.writableNeedDrain &&
      (this.#hasAsked || performance.now() - this.#openedAt < firstRequestMs)
    );
  }

  #refuse(head: Head): void {
    const { onRefused, refuse, formatRefusal } = this.#parts;
    onRefused();
    refuse(() => {
      if (this.#socket.writable) this.#socket.write(formatRefusal(head), 'latin1');
      this.#goOn(chunk => this.#read(chunk));
    });
  }

  #take(head: Head, chunk: Buffer): void {
    const arrivedAt = performance.now();
    this.#parts.take({
      answer: () => this.#answer(head, chunk, arrivedAt),
      handOn: () => {
        this.#place = this.#later.length === 0 ? 'within' : 'unknown';
        this.#feedServer(chunk);
        const goOn = () => this.#goOn(later => this.#feedServer(later));
        // The HTTP server has paused then, and fails if it is given more before its client has read.
        if (this.#later.length > 0 && this.#socket.writableNeedDrain) this.#socket.once('drain', goOn);
        else goOn();
      },
    });
  }

  #answer({ headers, length }: Head, chunk: Buffer, arrivedAt: number): Promise<boolean> | null {
    const socket = this.#socket;
    if (!headers || !this.#hasAsked || !socket.writable || socket.writableNeedDrain) return null;
    const post = new WholePost(socket, headers, chunk.subarray(length), arrivedAt);
    const answering = this.#parts.answer(post);
    if (!answering) return null;
    return answering.then(answer => {
      post.restoreTimeout();
      if (!answer) return false;
      if (socket.writable) sendAnswer(socket, answer);
      this.#goOn(later => this.#read(later));
      return true;
    });
  }

  #goOn(read: (chunk: Buffer) => void): void {
    this.#isBusy = false;
    if (this.#later.length === 0) return;
    const chunks = this.#later;
    this.#later = [];
    this.#socket.resume();
    for (const chunk of chunks) read(chunk);
  }

  #feedServer(chunk: Buffer): void {
    this.#hasAsked = true;
    if (!this.#socket.destroyed) this.#feed.call(this.#socket, chunk);
  }
}

/** Each character of it is a byte, as the HTTP server's own heads are sent. */
function createRefusalFormat(body: string): (head: Head) => string {
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
  return ({ requestId }) => `${fixed}${requestId ?? randomUUID()}${rest}`;
}

/** What goes out with the head in one piece; more is not copied for that. */
const maxCopiedBytes = 65_536;

function sendAnswer(socket: Socket, { headers, body }: WholeAnswer): void {
  const length = Buffer.byteLength(body);
  let head = 'HTTP/1.1 200 OK\r\n';
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  head += `content-length: ${length}\r\nDate: ${dateNow()}\r\n${keepAlive}\r\n\r\n`;
  if (typeof body === 'string') {
    // Where there is a byte for each character, all are ASCII.
    socket.write(head + body, length === body.length ? 'latin1' : 'utf8');
  } else if (length <= maxCopiedBytes) {
    const whole = Buffer.allocUnsafe(head.length + length);
    whole.write(head, 'latin1');
    body.copy(whole, head.length);
    socket.write(whole);
  } else {
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }
}

const keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveMs / 1_000}`;

let dateSecond = 0;
let dateText = '';

/** As the Date header has it. */
function dateNow(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1_000).toUTCString();
  }
  return dateText;
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (response: ServerResponse, request: IncomingMessage) => unknown;

/** A shop's picture host on 127.0.0.1, which notes what is asked of it. */
export interface SourceServer {
  /** Also by the name localhost, which counts as another host. */
  url(path: string, host?: string): string;
  /** What the path answers from now on: bytes, or a function that answers. */
  put(path: string, answer: Buffer | Answer): void;
  /** When each request for the path came, in milliseconds. */
  timesOf(path: string): number[];
  /** The most requests under way at one moment, by the host that they named. */
  mostAtOnce(host: string): number;
  /** How many requests are under way now. */
  countOpen(): number;
  close(): Promise<void>;
}

export async function openSourceServer(): Promise<SourceServer> {
  const answers = new Map<string, Buffer | Answer>();
  const times = new Map<string, number[]>();
  const open = new Map<string, number>();
  const most = new Map<string, number>();
  const note = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    const host = request.headers.host?.split(':')[0] ?? '';
    times.set(path, [...(times.get(path) ?? []), performance.now()]);
    open.set(host, (open.get(host) ?? 0) + 1);
    most.set(host, Math.max(most.get(host) ?? 0, open.get(host) ?? 0));
    response.once('close', () => open.set(host, (open.get(host) ?? 1) - 1));
  };
  const server = createServer((request, response) => {
    note(request, response);
    const answer = answers.get(request.url ?? '');
    if (answer === undefined) response.writeHead(404).end();
    else if (typeof answer === 'function') answer(response, request);
    else response.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (path, host = '127.0.0.1') => `http://${host}:${port}${path}`,
    put: (path, answer) => answers.set(path, answer),
    timesOf: path => times.get(path) ?? [],
    mostAtOnce: host => most.get(host) ?? 0,
    countOpen: () => [...open.values()].reduce((sum, count) => sum + count, 0),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Answers only once `release` is called, with `bytes`. */
export function holdBack(bytes: Buffer): { answer: Answer; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    answer: response => promise.then(() => response.end(bytes)),
    release: () => resolve(),
  };
}

/** Answers after `delayMs`. */
export function delay(bytes: Buffer, delayMs: number): Answer {
  return response => {
    setTimeout(() => response.end(bytes), delayMs);
  };
}

import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Listening {
  port: number;
  /** Takes no more requests and waits for those under way, `graceMs` at the most. */
  close(graceMs: number): Promise<void>;
}

/**
 * Longer than the minute for which proxies keep an idle connection: else one sends a request down a connection that
 * is just being closed here, and its client is told of a bad gateway.
 */
const keepAliveMs = 75_000;

/** How long idle connections stay open at a stop: a request may be on its way down one of them. */
const lingerMs = 500;

/**
 * How many connections may wait to be taken. Where more come, as under a rush of clients, they try again after one, three
 * and seven seconds (tcp(7)), while refusing them would take a millisecond; the system may set a lower bound.
 */
const backlog = 4_096;

/** Serves `handler`; a port that is taken is an error that says so. */
export async function listen(
  handler: RequestListener,
  host: string,
  port: number,
  setting = 'PORT',
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, handler);
  const close = prepareClose(server);
  server.listen({ port, host, backlog });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Error(`Port ${port} of ${host} is taken; set ${setting} to another one`, { cause: error });
    }
    throw error;
  }
  return { port: (server.address() as AddressInfo).port, close };
}

/**
 * Node waits for connections, not for requests: also for those that asked nothing yet (browsers open some ahead),
 * and it goes on answering a client that keeps its connection, until the grace is over and cuts it off.
 */
function prepareClose(server: Server): Listening['close'] {
  const unused = new Set<Socket>();
  const answering = new Set<ServerResponse>();
  let isClosing = false;
  let hasLingered = false;
  server.on('connection', socket => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.prependListener('request', (request, response) => {
    unused.delete(request.socket);
    answering.add(response);
    if (isClosing) endConnectionAfter(response);
    response.once('close', () => {
      answering.delete(response);
      if (hasLingered) setImmediate(() => server.closeIdleConnections());
    });
  });
  const endIdle = () => {
    hasLingered = true;
    server.closeIdleConnections();
    for (const socket of unused) socket.destroy();
  };
  return async graceMs => {
    if (isClosing) return;
    isClosing = true;
    // Whoever is connected, but not taken yet, would be cut off. Between these two turns of the event loop they are taken.
    await nextTurn();
    await nextTurn();
    const closed = once(server, 'close');
    // Takes no more connections; that of an HTTP server would also end the idle ones at once.
    NetServer.prototype.close.call(server);
    answering.forEach(endConnectionAfter);
    const lingering = setTimeout(endIdle, Math.min(lingerMs, graceMs));
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(lingering);
    clearTimeout(timer);
  };
}

function endConnectionAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

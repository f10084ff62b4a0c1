import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  type ListenOptions as NetListenOptions,
  Server as NetServer,
  type Socket,
} from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface Listening {
  port: number;
  /**
   * Takes no more requests and waits for those under way, `graceMs` at the most. `others`: settled when those are answered
   * that the HTTP server does not know of.
   */
  close(graceMs: number, others?: Promise<void>): Promise<void>;
}

/**
 * Longer than the minute for which proxies keep an idle connection: else one sends a request down a connection that
 * is just being closed here, and its client is told of a bad gateway.
 */
export const keepAliveMs = 75_000;

/** How long idle connections stay open at a stop: a request may be on its way down one of them. */
const lingerMs = 500;

/**
 * How many connections may wait to be taken. Where more come, as under a rush of clients, they try again after one, three
 * and seven seconds (tcp(7)), while refusing them would take a millisecond; the system may set a lower bound.
 */
const backlog = 4_096;

/**
 * In one turn of the event loop libuv takes one connection of each listening socket (since its 1.45), so that under load,
 * when turns are long, those that come together would wait for seconds. Linux spreads them over sockets that share a port.
 */
const socketCount = process.platform === 'linux' ? 32 : 1;

export interface ListenOptions {
  /** Which setting the port is from. */
  setting?: string;
  /** Told of the server before it listens. */
  onServer?: (server: Server) => void;
}

/** Serves `handler`; a port that is taken is an error that says so. */
export async function listen(
  handler: RequestListener,
  host: string,
  port: number,
  { setting = 'PORT', onServer }: ListenOptions = {},
): Promise<Listening> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, handler);
  onServer?.(server);
  const others = Array.from({ length: socketCount - 1 }, () => openInto(server));
  const sockets = [server, ...others];
  const close = prepareClose(server, sockets);
  const reusePort = others.length > 0;
  try {
    if (reusePort && port !== 0) await listenAlone(server, host, port);
    else await listenOn(server, { host, port, reusePort });
    const { port: found } = server.address() as AddressInfo;
    for (const other of others) await listenOn(other, { host, port: found, reusePort });
    return { port: found, close };
  } catch (error) {
    for (const socket of sockets) socket.close();
    if (isTaken(error)) {
      throw new Error(`Port ${port} of ${host} is taken; set ${setting} to another one`, { cause: error });
    }
    throw error;
  }
}

/** Connections of another listening socket, with the options of those of an HTTP server. */
function openInto(server: Server): NetServer {
  return new NetServer({ allowHalfOpen: true, noDelay: true }, socket => server.emit('connection', socket));
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/**
 * Listens with a socket that others may share its port with. Fails where anybody listens already, also another process of
 * this service, which would share the port, too.
 */
async function listenAlone(server: NetServer, host: string, port: number): Promise<void> {
  const turn = await takeTurn(port);
  try {
    await checkFree(host, port);
    await listenOn(server, { host, port, reusePort: true });
  } finally {
    turn.close();
  }
}

/** A turn takes a millisecond or two; after five seconds its process stands still. */
const turnRetryMs = 5;
const maxTurnTries = 1_000;

/** Two processes that look at a port at once would both find it free. The turn lasts until what is answered is closed. */
async function takeTurn(port: number): Promise<NetServer> {
  for (let tries = 1; ; tries++) {
    const turn = new NetServer();
    try {
      // An abstract socket (unix(7)) is no file, goes with its process, and is known wherever the port is.
      await listenOn(turn, { path: `\0packshot listens on ${port}` });
      return turn;
    } catch (error) {
      if (tries === maxTurnTries || !isTaken(error)) throw error;
      await sleep(turnRetryMs);
    }
  }
}

/** A socket that shares its port with none can only be bound where there is no other. */
async function checkFree(host: string, port: number): Promise<void> {
  const probe = new NetServer();
  await listenOn(probe, { host, port });
  probe.close();
  await once(probe, 'close');
}

async function listenOn(server: NetServer, options: NetListenOptions): Promise<void> {
  server.listen({ ...options, backlog });
  await once(server, 'listening');
}

/** At a stop, for clients that go on connecting. */
const maxTurns = 1_000;

/**
 * Node waits for connections, not for requests: also for those that asked nothing yet (browsers open some ahead),
 * and it goes on answering a client that keeps its connection, until the grace is over and cuts it off.
 */
function prepareClose(server: Server, sockets: NetServer[]): Listening['close'] {
  const unused = new Set<Socket>();
  const answering = new Set<ServerResponse>();
  let isClosing = false;
  let hasLingered = false;
  let taken = 0;
  server.on('connection', socket => {
    taken++;
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
  /** Whoever is connected, but not taken yet, would be cut off. Between two turns of the event loop some are taken. */
  const takeWaiting = async () => {
    await nextTurn();
    for (let before = -1, turns = 0; taken !== before && turns < maxTurns; turns++) {
      before = taken;
      await nextTurn();
    }
  };
  return async (graceMs, others = Promise.resolve()) => {
    if (isClosing) return;
    isClosing = true;
    await takeWaiting();
    // Takes no more connections; that of an HTTP server would also end the idle ones at once.
    for (const socket of sockets) NetServer.prototype.close.call(socket);
    const closed = Promise.all(sockets.map(socket => once(socket, 'close')));
    answering.forEach(endConnectionAfter);
    const isOver = new AbortController();
    void others.then(() => sleep(Math.min(lingerMs, graceMs), undefined, isOver)).then(endIdle, () => {});
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    isOver.abort();
    clearTimeout(timer);
  };
}

function endConnectionAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

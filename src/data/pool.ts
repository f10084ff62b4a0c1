import { findAbandonment } from './abandonment.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { createSession, type Driver } from './session.ts';
import { DatabaseUnavailable } from './unavailable.ts';
import { createWaitingLine, type WaitingOptions } from './waiting-line.ts';

// postgres.js has a pool of its own, but waits in it without limit for a free connection and for an answer.

export interface PoolOptions extends ConnectionOptions, WaitingOptions {
  /** Connections at the most; they are made when they are needed. */
  size: number;
  /** Called for each request that got no connection. */
  onRefused?: (() => void) | undefined;
}

export interface PoolCounts {
  /** Connections. */
  inUse: number;
  /** Requests. */
  waiting: number;
  /** Connections at the most. */
  limit: number;
}

export interface Pool {
  driver: Driver;
  counts(): PoolCounts;
  /** Lets what runs finish for `graceMs` at the most; waiting requests are refused. */
  close(graceMs: number): Promise<void>;
}

/** After a connection could not be made, requests are refused for so long without another try. */
const retryConnectMs = 100;

export function openPool(url: string, options: PoolOptions): Pool {
  const shared: Driver['options'] = { parsers: {}, serializers: {} };
  const connections = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting = createWaitingLine<Connection>(
    options,
    reason => new DatabaseUnavailable(`No connection to the database: ${reason}`),
  );
  let isClosed = false;
  let absentUntil = 0;

  function acquire(): Connection | Promise<Connection> {
    if (isClosed) throw new DatabaseUnavailable('The service is stopping');
    findAbandonment()?.throwIfAbandoned();
    const free = idle.pop();
    if (free) return free;
    if (performance.now() < absentUntil) throw new DatabaseUnavailable('The database cannot be reached');
    return connections.size < options.size ? connect() : waiting.wait();
  }

  function connect(): Connection {
    const connection = new Connection(url, options, shared, () => {
      const at = idle.indexOf(connection);
      if (at >= 0) {
        idle.splice(at, 1);
        discard(connection);
      }
    });
    connections.add(connection);
    return connection;
  }

  function release(connection: Connection): void {
    if (connection.isBroken || performance.now() > connection.retireAt) {
      replace(connection);
      return;
    }
    if (!waiting.hand(connection)) idle.push(connection);
  }

  function replace(connection: Connection): void {
    discard(connection);
    if (connection.wasRefused) {
      absentUntil = performance.now() + retryConnectMs;
      waiting.refuseAll(new DatabaseUnavailable('The database cannot be reached'));
    }
    if (waiting.count() > 0) waiting.hand(connect());
  }

  function discard(connection: Connection): void {
    connections.delete(connection);
    connection.destroy();
  }

  function acquireOrTell(): Connection | Promise<Connection> {
    const tell = (error: unknown) => {
      options.onRefused?.();
      throw error;
    };
    try {
      const acquired = acquire();
      return acquired instanceof Connection ? acquired : acquired.catch(tell);
    } catch (error) {
      return tell(error);
    }
  }

  async function use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = await acquireOrTell();
    try {
      return await work(connection);
    } finally {
      release(connection);
    }
  }

  return {
    driver: {
      options: shared,
      ...createSession((text, parameters) => use(connection => connection.run(text, parameters))),
      begin: run => use(connection => connection.transact(run)),
    },
    counts: () => ({
      inUse: connections.size - idle.length,
      waiting: waiting.count(),
      limit: options.size,
    }),
    async close(graceMs) {
      isClosed = true;
      waiting.refuseAll(new DatabaseUnavailable('The service is stopping'));
      await Promise.all([...connections].map(connection => connection.close(graceMs)));
    },
  };
}

import { findAbandonment } from './abandonment.ts';
import { Connection, type ConnectionOptions, createAnswer, type Driver } from './connection.ts';
import { DatabaseUnavailable } from './unavailable.ts';

// postgres.js has a pool of its own, but waits in it without limit for a free connection and for an answer.

export interface PoolOptions extends ConnectionOptions {
  /** Connections at the most; they are made when they are needed. */
  size: number;
  /** For a free connection; past it DatabaseUnavailable is thrown. */
  waitMs: number;
  /** Requests that may wait at once; more are refused without delay. */
  maxWaiting: number;
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
  const waiting: Waiter[] = [];
  let isClosed = false;
  let absentUntil = 0;

  function acquire(): Connection | Promise<Connection> {
    if (isClosed) throw new DatabaseUnavailable('The service is stopping');
    const abandonment = findAbandonment();
    abandonment?.throwIfAbandoned();
    const free = idle.pop();
    if (free) return free;
    if (performance.now() < absentUntil) throw new DatabaseUnavailable('The database cannot be reached');
    if (connections.size < options.size) return connect();
    if (waiting.length >= options.maxWaiting) {
      throw new DatabaseUnavailable(`${waiting.length} requests wait for the database already`);
    }
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject, timer: setTimeout(expire, options.waitMs) };
      function expire() {
        withdraw(waiter);
        reject(new DatabaseUnavailable(`No connection to the database was free for ${options.waitMs} ms`));
      }
      abandonment?.onAbandoned(reason => {
        withdraw(waiter);
        reject(reason);
      });
      waiting.push(waiter);
    });
  }

  function withdraw(waiter: Waiter): void {
    const at = waiting.indexOf(waiter);
    if (at >= 0) waiting.splice(at, 1);
    clearTimeout(waiter.timer);
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
    if (connection.isBroken) {
      replace(connection);
      return;
    }
    const next = waiting.shift();
    clearTimeout(next?.timer);
    if (next) next.resolve(connection);
    else idle.push(connection);
  }

  function replace(connection: Connection): void {
    discard(connection);
    if (connection.wasRefused) {
      absentUntil = performance.now() + retryConnectMs;
      refuseWaiting('The database cannot be reached');
    }
    const next = waiting.shift();
    clearTimeout(next?.timer);
    next?.resolve(connect());
  }

  function refuseWaiting(reason: string): void {
    for (const { timer, reject } of waiting.splice(0)) {
      clearTimeout(timer);
      reject(new DatabaseUnavailable(reason));
    }
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
      unsafe: (text, parameters) =>
        createAnswer(asArrays => use(connection => connection.run(text, parameters, asArrays))),
      query: (text, parameters) =>
        use(connection => connection.run(text, parameters, true) as Promise<unknown[][]>),
      begin: run => use(connection => connection.transact(run)),
    },
    counts: () => ({
      inUse: connections.size - idle.length,
      waiting: waiting.length,
      limit: options.size,
    }),
    async close(graceMs) {
      isClosed = true;
      refuseWaiting('The service is stopping');
      await Promise.all([...connections].map(connection => connection.close(graceMs)));
    },
  };
}

interface Waiter {
  resolve(connection: Connection): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

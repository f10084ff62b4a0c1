import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import { openPool, type PoolOptions } from './pool.ts';

export type Database = PostgresJsDatabase;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];
/** Data functions take either: what they read and write is then part of the transaction, or not. */
export type Connection = Database | Transaction;

export interface DatabaseOptions extends Partial<Omit<PoolOptions, 'size'>> {
  maxConnections: number;
}

export interface OpenDatabase {
  db: Database;
  /** Rejects unless the database answers within a second. */
  ping(): Promise<void>;
  /** Lets running statements finish for at most five seconds. */
  close(): Promise<void>;
}

/** As requests want it: what cannot be answered soon is refused soon. */
const forRequests = { waitMs: 1_000, maxWaiting: 1_000, statementMs: 5_000 };

/** Opens a pool; connects when first used, so the database may be absent now. */
export function openDatabase(url: string, { maxConnections, ...options }: DatabaseOptions): OpenDatabase {
  const pool = openPool(url, { ...forRequests, ...options, size: maxConnections });
  return {
    db: drizzle(pool.driver as unknown as postgres.Sql),
    ping: () => withDeadline(pool.driver.unsafe('select 1', []), 1_000),
    close: () => pool.close(5_000),
  };
}

/** A statement that is built once for each connection that it runs on. */
export function statement<Prepared>(build: (db: Connection) => Prepared): (db: Connection) => Prepared {
  const ofShape = statementByShape(build);
  return db => ofShape(db, {});
}

/**
 * A statement whose text depends on a few choices: built once for each connection and choice.
 * `shape` has the choices as primitive values, always in the same order.
 */
export function statementByShape<Shape extends object, Prepared>(
  build: (db: Connection, shape: Shape) => Prepared,
): (db: Connection, shape: Shape) => Prepared {
  const built = new WeakMap<Connection, Map<string, Prepared>>();
  return (db, shape) => {
    const ofConnection = built.get(db) ?? new Map<string, Prepared>();
    built.set(db, ofConnection);
    const key = Object.values(shape).join();
    const prepared = ofConnection.get(key) ?? build(db, shape);
    ofConnection.set(key, prepared);
    return prepared;
  };
}

/** A Postgres array literal: the driver, told not to ask for types, cannot write arrays itself. */
export function formatArray(values: readonly (string | number | boolean | null)[]): string {
  const items = values.map(value =>
    typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value),
  );
  return `{${items.join(',')}}`;
}

async function withDeadline(query: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`The database did not answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    await Promise.race([query, promise]);
  } finally {
    clearTimeout(timer);
  }
}

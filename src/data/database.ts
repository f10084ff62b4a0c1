import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import { lastMigrationHash } from './migrate.ts';
import { openPool, type PoolCounts, type PoolOptions } from './pool.ts';
import type { Driver } from './session.ts';

export type Database = PostgresJsDatabase;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];
/** Data functions take either: what they read and write is then part of the transaction, or not. */
export type Connection = Database | Transaction;

export interface DatabaseOptions extends Partial<Omit<PoolOptions, 'size'>> {
  maxConnections: number;
}

export interface OpenDatabase {
  db: Database;
  /** Rejects unless the database answers within a second; false where it lacks migrations of this code. */
  ping(): Promise<boolean>;
  counts(): PoolCounts;
  /** Lets running statements finish for at most five seconds. */
  close(): Promise<void>;
}

/** As requests want it: what cannot be answered soon is refused soon. */
export const forRequests = { waitMs: 1_000, maxWaiting: 1_000, statementMs: 5_000 };

/** Opens a pool; connects when first used, so the database may be absent now. */
export function openDatabase(url: string, { maxConnections, ...options }: DatabaseOptions): OpenDatabase {
  const pool = openPool(url, { ...forRequests, ...options, size: maxConnections });
  return {
    db: drizzle(pool.driver as unknown as postgres.Sql),
    ping: () => withDeadline(hasMigrations(pool.driver), 1_000),
    counts: pool.counts,
    close: () => pool.close(5_000),
  };
}

/** A Postgres array literal: the driver, told not to ask for types, cannot write arrays itself. */
export function formatArray(values: readonly (string | number | boolean | null)[]): string {
  const items = values.map(value => {
    if (typeof value === 'string') return `"${escapeItem(value)}"`;
    // Of a row that was read without it.
    if (value === undefined) throw new Error('A value that was not read cannot be written');
    return String(value);
  });
  return `{${items.join(',')}}`;
}

/** Most need none, and a look costs less than a replacement of nothing. */
function escapeItem(item: string): string {
  return /["\\]/.test(item) ? item.replace(/["\\]/g, '\\$&') : item;
}

/** Those of a later version may be there too: services are replaced one after the other. */
async function hasMigrations({ unsafe }: Driver): Promise<boolean> {
  const known = 'select 1 from drizzle.__drizzle_migrations where hash = $1';
  const rows = await unsafe(known, [lastMigrationHash()]).values();
  return Array.isArray(rows) && rows.length > 0;
}

async function withDeadline<Result>(query: Promise<Result>, timeoutMs: number): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`The database did not answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([query, promise]);
  } finally {
    clearTimeout(timer);
  }
}

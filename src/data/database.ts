import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import type { Driver } from './connection.ts';
import { lastMigrationHash } from './migrate.ts';
import { openPool, type PoolCounts, type PoolOptions } from './pool.ts';
import { createRowReader } from './row-reader.ts';

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
const forRequests = { waitMs: 1_000, maxWaiting: 1_000, statementMs: 5_000 };

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

/** A statement that is built once, whatever it runs on. */
export function statement<Prepared extends object>(
  build: (db: Connection) => Prepared,
): (db: Connection) => Prepared {
  const ofShape = statementByShape(build);
  return db => ofShape(db, {});
}

/**
 * A statement whose text depends on a few choices: built once for each choice.
 * `shape` has the choices as primitive values, always in the same order.
 */
export function statementByShape<Shape extends object, Prepared extends object>(
  build: (db: Connection, shape: Shape) => Prepared,
): (db: Connection, shape: Shape) => Prepared {
  const built = new Map<string, Prepared>();
  return (db, shape) => {
    const key = Object.values(shape).join();
    const prepared = built.get(key) ?? readFast(build(unconnected, shape));
    built.set(key, prepared);
    return runOn(db, prepared);
  };
}

/** To build statements with. */
const unconnected: Connection = drizzle.mock();

/** What Drizzle's prepared statements have inside. */
interface Prepared {
  client: unknown;
  fields?: Parameters<typeof createRowReader>[0];
  customResultMapper?: ReturnType<typeof createRowReader>;
}

/**
 * The statement on another connection: Drizzle itself can only build it anew for each, and a transaction is a new one
 * each time.
 */
function runOn<Statement extends object>(db: Connection, prepared: Statement): Statement {
  const { client } = db._.session as unknown as Pick<Prepared, 'client'>;
  return Object.create(prepared, { client: { value: client } });
}

function readFast<Statement extends object>(prepared: Statement): Statement {
  const inside = prepared as unknown as Prepared;
  const reader = inside.fields && createRowReader(inside.fields);
  if (reader) inside.customResultMapper = reader;
  return prepared;
}

/** A Postgres array literal: the driver, told not to ask for types, cannot write arrays itself. */
export function formatArray(values: readonly (string | number | boolean | null)[]): string {
  const items = values.map(value =>
    typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value),
  );
  return `{${items.join(',')}}`;
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

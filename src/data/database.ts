import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

export type Database = PostgresJsDatabase;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];
/** Data functions take either: what they read and write is then part of the transaction, or not. */
export type Connection = Database | Transaction;

export interface DatabaseOptions {
  maxConnections: number;
  /** Called with the text of each statement sent, BEGIN and COMMIT included. */
  onStatement?: (text: string) => void;
}

export interface OpenDatabase {
  db: Database;
  /** Rejects unless the database answers within a second. */
  ping(): Promise<void>;
  /** Lets running statements finish for at most five seconds. */
  close(): Promise<void>;
}

/** Opens a pool; connects when first used, so the database may be absent now. */
export function openDatabase(url: string, options: DatabaseOptions): OpenDatabase {
  const { onStatement } = options;
  const client = postgres(url, {
    max: options.maxConnections,
    fetch_types: false,
    connect_timeout: 5,
    backoff: () => 0.2,
    onnotice: () => {},
    connection: {
      application_name: 'packshot',
      TimeZone: 'UTC',
      lock_timeout: 2_000,
      // A process that is frozen amid a change must not keep others from the product.
      idle_in_transaction_session_timeout: 15_000,
    },
    ...(onStatement && { debug: (_connection: number, text: string) => onStatement(text) }),
  });
  return {
    db: drizzle(prepareAll(client as unknown as Driver) as unknown as postgres.Sql),
    ping: () => withDeadline(client`select 1`, 1_000),
    close: () => client.end({ timeout: 5 }),
  };
}

/** What Drizzle uses of postgres.js. */
interface Driver {
  options: object;
  unsafe(text: string, parameters: unknown[], options: object): unknown;
  begin(run: (transaction: Driver) => unknown): Promise<unknown>;
  savepoint(run: (transaction: Driver) => unknown): Promise<unknown>;
}

/**
 * Drizzle asks the driver to parse unnamed statements anew each time, at the price of a round trip.
 * The service's statements have few texts, so all of them are prepared, once a connection.
 */
function prepareAll(driver: Driver): Driver {
  return {
    options: driver.options,
    unsafe: (text, parameters, options) => driver.unsafe(text, parameters, { ...options, prepare: true }),
    begin: run => driver.begin(transaction => run(prepareAll(transaction))),
    savepoint: run => driver.savepoint(transaction => run(prepareAll(transaction))),
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

import postgres from 'postgres';
import { DataRows } from './data-rows.ts';
import { RowSocket, RowsAside } from './row-socket.ts';
import { decodeAsArrays, decodeAsObjects, type Received } from './row-values.ts';
import { breaksConnection, DatabaseUnavailable } from './unavailable.ts';

// A connection of postgres.js that broke while bytes were on their way to it never works again (porsager/postgres
// issues 1066, 1154, 1208). So each is a client of its own, used by one request at a time, and thrown away at the
// first doubt.

export interface ConnectionOptions {
  /** For a statement; Postgres gives it up by then, or else the connection is given up a little later. */
  statementMs: number;
  /** Called with the text of each statement sent, BEGIN and COMMIT included. */
  onStatement?: ((text: string) => void) | undefined;
  watch?: StatementWatch | undefined;
}

/** Called when a statement begins, with its text, which holds no values; what it gives is called when it has ended. */
export type StatementWatch = (text: string) => (error?: unknown) => void;

/** Where statements are sent: to any free connection, or in a transaction. */
export interface Session {
  /** As Drizzle asks postgres.js. */
  unsafe(text: string, parameters: unknown[]): Answer;
  query(text: string, parameters: unknown[]): Promise<Received>;
}

/** With what Drizzle uses of postgres.js. */
export interface Driver extends Session {
  options: { parsers: Record<string, unknown>; serializers: Record<string, unknown> };
  begin<Result>(run: (transaction: Transacting) => Promise<Result>): Promise<Result>;
}

export interface Transacting extends Session {
  savepoint<Result>(run: (transaction: Transacting) => Promise<Result>): Promise<Result>;
}

/** Rows as objects, or as arrays where `values` is called before the next tick. */
type Answer = Promise<unknown> & { values(): Promise<unknown> };

/** What a connection and a transaction have in common. */
type Sending = Pick<postgres.Sql, 'unsafe'>;

/** Postgres is given a head start to end a statement by itself, which keeps the connection. */
const answerGraceMs = 1_000;

/** One connection, for one request at a time. */
export class Connection {
  /** It must not be used again. */
  isBroken = false;
  /** It could not even be made. */
  wasRefused = false;
  readonly #client: postgres.Sql;
  /** Null where the driver gets all rows. */
  readonly #rowsAside: RowsAside | null;
  readonly #answerMs: number;
  readonly #watch: StatementWatch | undefined;
  /** Ends a transaction whose statement was given up, though the driver would wait on. */
  #giveUp: (error: Error) => void = () => {};

  constructor(url: string, options: ConnectionOptions, shared: Driver['options'], onClose: () => void) {
    const { statementMs, onStatement } = options;
    this.#watch = options.watch;
    this.#answerMs = statementMs + answerGraceMs;
    this.#rowsAside = canSetRowsAside(url) ? new RowsAside() : null;
    this.#client = postgres(url, {
      max: 1,
      fetch_types: false,
      ...(this.#rowsAside && { socket: connectWith(this.#rowsAside) }),
      connect_timeout: 5,
      onnotice: () => {},
      onclose: () => {
        this.isBroken = true;
        onClose();
      },
      connection: {
        application_name: 'packshot',
        TimeZone: 'UTC',
        lock_timeout: 2_000,
        // Statements are written so that one plan is right whatever the parameters; a plan for each execution takes as
        // long as a page of ten images.
        plan_cache_mode: 'force_generic_plan',
        statement_timeout: statementMs,
        // A process that is frozen amid a change must not keep others from the product.
        idle_in_transaction_session_timeout: 15_000,
      },
      ...(onStatement && { debug: (_connection: number, text: string) => onStatement(text) }),
    });
    Object.assign(this.#client.options.parsers, shared.parsers);
    Object.assign(this.#client.options.serializers, shared.serializers);
  }

  run(text: string, parameters: unknown[]): Promise<Received> {
    return this.#runOn(this.#client, text, parameters);
  }

  async transact<Result>(run: (transaction: Transacting) => Promise<Result>): Promise<Result> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    this.#giveUp = reject;
    const clock = new Clock(() => this.#expire(), this.#answerMs);
    try {
      clock.start();
      const work = this.#client.begin(async session => {
        clock.stop();
        try {
          return await this.#runIn(session, run);
        } finally {
          clock.start();
        }
      });
      return (await Promise.race([work, givenUp])) as Result;
    } catch (error) {
      throw this.#note(error);
    } finally {
      clock.stop();
      this.#giveUp = () => {};
    }
  }

  /** What runs may finish for `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await this.#client.end({ timeout: graceMs / 1_000 });
  }

  destroy(): void {
    this.#client.end({ timeout: 0 }).catch(() => {});
  }

  /** `run` with a transaction or a part of one, of which the driver makes an end as soon as it is over. */
  async #runIn<Result>(
    session: postgres.TransactionSql,
    run: (transaction: Transacting) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await run({
        unsafe: (text, parameters) => createAnswer(() => this.#runOn(session, text, parameters)),
        query: (text, parameters) => this.#runOn(session, text, parameters),
        savepoint: async part => (await session.savepoint(inner => this.#runIn(inner, part))) as never,
      });
    } finally {
      if (this.isBroken) await this.#forsake();
    }
  }

  /**
   * Drizzle asks the driver to parse unnamed statements anew each time, at the price of a round trip. The service's
   * statements have few texts, so all of them are prepared, once a connection.
   */
  #runOn(session: Sending, text: string, parameters: unknown[]): Promise<Received> {
    if (this.isBroken)
      return Promise.reject(new DatabaseUnavailable('The connection to the database was lost'));
    let end = this.#watch?.(text);
    const query = session.unsafe(text, parameters as postgres.ParameterOrJSON<never>[], { prepare: true });
    const { promise, resolve, reject } = Promise.withResolvers<Received>();
    const clock = new Clock(() => {
      const error = this.#expire();
      finish(error);
      reject(error);
    }, this.#answerMs);
    const finish = (error?: unknown) => {
      clock.stop();
      end?.(error);
      end = undefined;
    };
    clock.start();
    const received = query
      .raw()
      .then(answer => ({ rows: this.#takeRows(answer), columns: answer.columns ?? [] }));
    received.then(
      answer => {
        finish();
        resolve(answer);
      },
      error => {
        finish(error);
        reject(this.#note(error));
      },
    );
    return promise;
  }

  #takeRows(answer: readonly (Buffer | null)[][]): DataRows {
    const [first] = answer;
    if (!first) return new DataRows();
    return this.#rowsAside && first.length > 0 ? this.#rowsAside.take(first) : DataRows.of(answer);
  }

  /**
   * Ends a transaction on a connection that is lost, and never comes back: the driver would go on with COMMIT or
   * ROLLBACK, and throw where nobody can catch it.
   */
  #forsake(): Promise<never> {
    this.#giveUp(new DatabaseUnavailable('The connection to the database was lost'));
    return new Promise(() => {});
  }

  /** The server may be frozen, or gone without a word. */
  #expire(): Error {
    const error = new DatabaseUnavailable(`The database did not answer within ${this.#answerMs} ms`);
    this.isBroken = true;
    this.#giveUp(error);
    return error;
  }

  #note(error: unknown): unknown {
    if (breaksConnection(error)) {
      this.isBroken = true;
      this.wasRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
    }
    return error;
  }
}

/** Not where there are several hosts, of which the driver chooses one, and not where what comes is encrypted. */
function canSetRowsAside(url: string): boolean {
  const { host, ssl, target_session_attrs } = postgres(url).options;
  return host.length === 1 && !ssl && !target_session_attrs;
}

/** How the driver asks for a connection. */
function connectWith(aside: RowsAside) {
  return ({ host: [host = ''], port: [port = 0], path }: Pick<Parsed, 'host' | 'port' | 'path'>) => {
    const socket = new RowSocket(aside);
    // Not at once: the driver listens for errors only when it has the socket.
    setImmediate(() => (path ? socket.connect(path) : socket.connect(port, host)));
    // The driver's errors name them.
    return Object.assign(socket, { host, port });
  };
}

type Parsed = postgres.ParsedOptions;

/** Calls once when it was started and not stopped for so long. */
class Clock {
  readonly #onExpire: () => void;
  readonly #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(onExpire: () => void, timeoutMs: number) {
    this.#onExpire = onExpire;
    this.#timeoutMs = timeoutMs;
  }

  start(): void {
    this.#timer = setTimeout(this.#onExpire, this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

export function createAnswer(run: () => Promise<Received>): Answer {
  let asArrays = false;
  const answer = Promise.resolve()
    .then(run)
    .then(received => (asArrays ? decodeAsArrays(received) : decodeAsObjects(received)));
  const values = () => {
    asArrays = true;
    return answer;
  };
  return Object.assign(answer, { values });
}

import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { DataRows } from './data-rows.ts';
import { RowSocket, RowsAside } from './row-socket.ts';
import type { Received } from './row-values.ts';
import type { Driver, Transacting } from './session.ts';
import { runTransaction } from './transaction.ts';
import { breaksConnection, DatabaseUnavailable } from './unavailable.ts';

// A connection of postgres.js that broke while bytes were on their way to it never works again (porsager/postgres
// issues 1066, 1154, 1208). So each is a client of its own, used by one request at a time, and thrown away at the
// first doubt.

export interface ConnectionOptions {
  /** For a statement; Postgres gives it up by then, or else the connection is given up a little later. */
  statementMs: number;
  /** A connection is used for half of that at least, and not much longer than that; an hour unless set. */
  lifetimeMs?: number;
  /** Called with the text of each statement sent, BEGIN and COMMIT included. */
  onStatement?: ((text: string) => void) | undefined;
  watch?: StatementWatch | undefined;
}

/** Called when a statement begins, with its text, which holds no values; what it gives is called when it has ended. */
export type StatementWatch = (text: string) => (error?: unknown) => void;

/** What a connection and a transaction have in common. */
type Sending = Pick<postgres.Sql, 'unsafe'>;

/** As long as the driver would: what a backend keeps of statements and tables grows with its age. */
const usualLifetimeMs = 60 * 60 * 1_000;

/** Postgres is given a head start to end a statement by itself, which keeps the connection. */
const answerGraceMs = 1_000;

/** One connection, for one request at a time. */
export class Connection {
  /** It must not be used again. */
  isBroken = false;
  /** It could not even be made. */
  wasRefused = false;
  /** As `performance.now()` counts; after that another is to take its place. */
  readonly retireAt: number;
  readonly #client: postgres.Sql;
  /** Null where the driver gets all rows. */
  readonly #rowsAside: RowsAside | null;
  readonly #answerMs: number;
  readonly #watch: StatementWatch | undefined;
  /** It answered at least once. */
  #isMade = false;
  /** Statements. */
  #unanswered = 0;
  /** Of the last transaction, however it ended. */
  #ended: Promise<unknown> = Promise.resolve();
  /** Ends a transaction whose connection is lost, or whose statement was given up, though the driver would wait on. */
  #giveUp: (error: Error) => void = () => {};

  constructor(url: string, options: ConnectionOptions, shared: Driver['options'], onClose: () => void) {
    const { statementMs, onStatement, lifetimeMs = usualLifetimeMs } = options;
    // Not all at the same time.
    this.retireAt = performance.now() + lifetimeMs * (0.5 + Math.random() / 2);
    this.#watch = options.watch;
    this.#answerMs = statementMs + answerGraceMs;
    this.#rowsAside = canSetRowsAside(url) ? new RowsAside() : null;
    this.#client = postgres(url, {
      max: 1,
      fetch_types: false,
      ...(this.#rowsAside && { socket: connectWith(this.#rowsAside) }),
      connect_timeout: 5,
      // Else the driver ends it by itself, which does not go together with reserving it; the pool sees to that.
      max_lifetime: null,
      onnotice: () => {},
      onclose: () => {
        this.isBroken = true;
        this.#giveUp(createLoss());
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

  /** All of it or nothing. */
  async transact<Result>(run: (transaction: Transacting) => Promise<Result>): Promise<Result> {
    const { promise: lost, reject } = Promise.withResolvers<never>();
    this.#giveUp = reject;
    const transaction = Promise.race([this.#transactAlone(run), lost]);
    this.#ended = transaction.catch(() => {});
    try {
      return await transaction;
    } catch (error) {
      throw this.#note(error);
    } finally {
      this.#giveUp = () => {};
    }
  }

  /** What runs may finish for `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs;
    // The driver never ends a connection that was reserved when it was told to.
    await Promise.race([this.#ended, delay(graceMs, undefined, { ref: false })]);
    await this.#client.end({ timeout: Math.max(deadline - performance.now(), 0) / 1_000 });
  }

  destroy(): void {
    this.#client.end({ timeout: 0 }).catch(() => {});
  }

  async #transactAlone<Result>(run: (transaction: Transacting) => Promise<Result>): Promise<Result> {
    const { session, begun } = await this.#begin();
    const tell = async (text: string) => (await this.#send(session, text, [])).command;
    try {
      return await runTransaction(
        {
          begun,
          send: (text, parameters) => this.#runOn(session, text, parameters),
          commit: () => tell('commit'),
          rollback: () => this.#undo(tell),
        },
        run,
      );
    } finally {
      // The driver sends a statement again whose result has other types since it was prepared, behind all that it has sent.
      if (this.#unanswered > 0) this.isBroken = true;
      if (!this.isBroken) session.release();
    }
  }

  async #undo(tell: (text: string) => Promise<string>): Promise<void> {
    try {
      await tell('rollback');
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }

  async #begin(): Promise<{ session: postgres.ReservedSql; begun: Promise<unknown> }> {
    if (this.#isMade) {
      const session = await this.#reserve();
      return { session, begun: this.#send(session, 'begin', []) };
    }
    // The driver never comes back with one that it has to make for this, where it asks for no types.
    await this.#send(this.#client, 'begin', []);
    return { session: await this.#reserve(), begun: Promise.resolve() };
  }

  async #reserve(): Promise<postgres.ReservedSql> {
    const clock = new Clock(() => this.#expire(), this.#answerMs);
    clock.start();
    try {
      return await this.#client.reserve();
    } finally {
      clock.stop();
    }
  }

  #runOn(session: Sending, text: string, parameters: unknown[]): Promise<Received> {
    const received = this.#send(session, text, parameters);
    if (this.#watch) {
      const end = this.#watch(text);
      received.then(() => end(), end);
    }
    return received;
  }

  /**
   * Drizzle asks the driver to parse unnamed statements anew each time, at the price of a round trip. The service's
   * statements have few texts, so all of them are prepared, once a connection.
   */
  #send(session: Sending, text: string, parameters: unknown[]): Promise<Received> {
    if (this.isBroken) return Promise.reject(createLoss());
    const query = session.unsafe(text, parameters as postgres.ParameterOrJSON<never>[], { prepare: true });
    const { promise, resolve, reject } = Promise.withResolvers<Received>();
    const clock = new Clock(() => reject(this.#expire()), this.#answerMs);
    const finish = () => {
      clock.stop();
      this.#unanswered -= 1;
    };
    clock.start();
    this.#unanswered += 1;
    const received = query.raw().then(answer => ({
      rows: this.#takeRows(answer),
      columns: answer.columns ?? [],
      command: answer.command,
    }));
    received.then(
      answer => {
        finish();
        this.#isMade = true;
        resolve(answer);
      },
      error => {
        finish();
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

function createLoss(): Error {
  return new DatabaseUnavailable('The connection to the database was lost');
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

import type { Received } from './row-values.ts';
import { createSession, type Send, type Session, type Transacting } from './session.ts';

/** One transaction on one connection, whose statements are answered in the order in which they are sent. */
export interface Line {
  /** Settles when BEGIN, which was sent, is answered. */
  begun: Promise<unknown>;
  send: Send;
  /** What Postgres says became of it: COMMIT, or ROLLBACK where a statement had failed. */
  commit(): Promise<string>;
  rollback(): Promise<unknown>;
}

/**
 * Runs what the transaction says, and commits it, or undoes it where anything failed, even where `run` went on. `run` may
 * end while its last statement is still to be answered: COMMIT goes out behind it, and fails with it.
 */
export async function runTransaction<Result>(
  line: Line,
  run: (transaction: Transacting) => Promise<Result>,
): Promise<Result> {
  const statements = new Statements(line);
  const whole = new Part((text, parameters) => statements.send(text, parameters));
  try {
    const result = await whole.run(run);
    const outcome = await statements.commit();
    whole.throwIfFailed();
    if (outcome !== 'COMMIT')
      throw new Error(`A statement of the transaction failed; it ended with ${outcome}`);
    return result;
  } catch (error) {
    // Where that fails, the connection is lost, and the transaction with it.
    await statements.rollback().catch(() => {});
    throw whole.findCause(error);
  }
}

/** All that is sent between BEGIN and the end. */
class Statements {
  readonly #line: Line;
  readonly #unanswered = new Set<Promise<unknown>>();
  #hasBegun = false;
  #isHeldUp = false;
  /** Nothing else is sent. */
  #isOver = false;
  /** COMMIT was answered, as ROLLBACK where a statement had failed. */
  #hasEnded = false;

  constructor(line: Line) {
    this.#line = line;
    line.begun.then(
      () => {
        this.#hasBegun = true;
      },
      // It is told where it is waited for.
      () => {},
    );
  }

  /**
   * The driver would wait for the answer to BEGIN. What only reads goes out at once, a round trip earlier: where BEGIN
   * should fail, it has read for nothing. All else, and what comes behind it, waits until a transaction has begun.
   */
  send(text: string, parameters: unknown[]): Promise<Received> {
    if (this.#isOver) return Promise.reject(new Error(`The transaction is over; it is too late for ${text}`));
    const { begun, send } = this.#line;
    this.#isHeldUp = !this.#hasBegun && (this.#isHeldUp || !onlyReads.test(text));
    const received = this.#isHeldUp ? begun.then(() => send(text, parameters)) : send(text, parameters);
    const forget = () => this.#unanswered.delete(received);
    this.#unanswered.add(received);
    received.then(forget, forget);
    return received;
  }

  /** When all that was held up has been sent. */
  async commit(): Promise<string> {
    this.#isOver = true;
    try {
      await this.#line.begun;
      const outcome = await this.#line.commit();
      this.#hasEnded = true;
      return outcome;
    } finally {
      await Promise.allSettled(this.#unanswered);
    }
  }

  /**
   * Unless it was committed. Where BEGIN or COMMIT failed, nobody knows whether there is a transaction: Postgres only
   * warns where there is none, but one that is left open would fail all that its connection is asked for.
   */
  async rollback(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled([this.#line.begun]);
    if (!this.#hasEnded) await this.#line.rollback();
    await Promise.allSettled(this.#unanswered);
  }
}

/** What it locks or sets, it does for the transaction; without one nothing stays of it. */
const onlyReads = /^\s*select\s/i;

/** A transaction, or what of it can fail by itself. */
class Part implements Transacting {
  readonly unsafe: Session['unsafe'];
  readonly query: Send;
  readonly #send: Send;
  readonly #savepoints: { count: number };
  #failure: { error: unknown } | null = null;

  constructor(send: Send, savepoints = { count: 0 }) {
    this.#send = send;
    this.#savepoints = savepoints;
    const { unsafe, query } = createSession((text, parameters) => {
      const received = send(text, parameters);
      received.catch(error => {
        this.#failure ??= { error };
      });
      return received;
    });
    this.unsafe = unsafe;
    this.query = query;
  }

  async savepoint<Result>(run: (part: Transacting) => Promise<Result>): Promise<Result> {
    this.#savepoints.count += 1;
    const name = `part_${this.#savepoints.count}`;
    await this.query(`savepoint ${name}`, []);
    try {
      return await new Part(this.#send, this.#savepoints).run(run);
    } catch (error) {
      await this.query(`rollback to ${name}`, []);
      throw error;
    }
  }

  async run<Result>(run: (part: Transacting) => Promise<Result>): Promise<Result> {
    const result = await run(this);
    this.throwIfFailed();
    return result;
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Behind a statement that failed, all others are refused for that alone. */
  findCause(error: unknown): unknown {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const isRefused = cause instanceof Error && 'code' in cause && cause.code === refusedAsFailed;
    return isRefused ? (this.#failure?.error ?? error) : error;
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: in_failed_sql_transaction. */
const refusedAsFailed = '25P02';

import { createSession, type Send, type Session, type Transacting } from './session.ts';

/** One transaction on one connection, whose statements are answered in the order in which they are sent. */
export interface Line {
  /** Settles when BEGIN, which was sent, is answered. */
  begun: Promise<unknown>;
  send: Send;
  commit(): Promise<unknown>;
}

/**
 * Runs what the transaction says, and commits it; where this throws, it is still to be undone. `run` may end while its
 * last statement is still to be answered: COMMIT goes out behind it, and fails with it. A statement that failed fails
 * all, even where `run` went on.
 */
export async function runTransaction<Result>(
  line: Line,
  run: (transaction: Transacting) => Promise<Result>,
): Promise<Result> {
  const whole = new Part(sendBehind(line));
  const result = await whole.run(run);
  await line.begun;
  await line.commit();
  whole.throwIfFailed();
  return result;
}

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
}

/**
 * The driver would wait for the answer to BEGIN. What only reads goes out at once, a round trip earlier: where BEGIN
 * should fail, it has read for nothing. All else, and what comes behind it, waits until a transaction has begun.
 */
function sendBehind({ begun, send }: Line): Send {
  let mustWait = false;
  let hasBegun = false;
  begun.then(
    () => {
      hasBegun = true;
    },
    // It is told where it is waited for.
    () => {},
  );
  return (text, parameters) => {
    if (hasBegun) return send(text, parameters);
    mustWait ||= !onlyReads.test(text);
    return mustWait ? begun.then(() => send(text, parameters)) : send(text, parameters);
  };
}

/** What it locks or sets, it does for the transaction; without one nothing stays of it. */
const onlyReads = /^\s*select\s/i;

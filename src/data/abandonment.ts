import { AsyncLocalStorage } from 'node:async_hooks';

/** As much of an AbortSignal as reads look at. */
export interface Abandonment {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void;
}

const abandonment = new AsyncLocalStorage<Abandonment | undefined>();

/** Runs a read for which nobody waits any more once `signal` is aborted: it then gets no connection to the database. */
export function runAbandonable<Result>(signal: Abandonment, read: () => Result): Result {
  return abandonment.run(signal, read);
}

/** Runs a read for which all of these wait; undefined stands for who never gives up. */
export function runForAll<Result>(all: readonly (Abandonment | undefined)[], read: () => Result): Result {
  const [first, ...others] = all;
  if (others.length === 0) return abandonment.run(first, read);
  const known = all.filter(each => each !== undefined);
  return abandonment.run(known.length < all.length ? undefined : new JointAbandonment(known), read);
}

/** Of the read under way, if it may be given up. */
export function findAbandonment(): Abandonment | undefined {
  return abandonment.getStore();
}

/** When the last has given up. Not an AbortSignal: most reads never wait, and listening to each would cost them more. */
class JointAbandonment implements Abandonment {
  readonly #all: readonly Abandonment[];

  constructor(all: readonly Abandonment[]) {
    this.#all = all;
  }

  get aborted(): boolean {
    return this.#all.every(({ aborted }) => aborted);
  }

  get reason(): unknown {
    return this.#all[0]?.reason;
  }

  throwIfAborted(): void {
    if (this.aborted) this.#all[0]?.throwIfAborted();
  }

  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void {
    const tell = () => {
      if (this.aborted) listener();
    };
    for (const each of this.#all) each.addEventListener(type, tell, options);
  }
}

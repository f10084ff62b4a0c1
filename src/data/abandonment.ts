import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Whether anybody waits for what is being read. As an AbortController, for a fraction of its price: each query has one.
 */
export class Abandonment {
  /** Why nobody waits any more; undefined while somebody does. */
  reason: Error | undefined;
  readonly #listeners = new Set<(reason: Error) => void>();

  abandon(reason: Error): void {
    if (this.reason) return;
    this.reason = reason;
    for (const listener of this.#listeners) listener(reason);
  }

  throwIfAbandoned(): void {
    if (this.reason) throw this.reason;
  }

  /** Answers how to listen no more. */
  onAbandoned(listener: (reason: Error) => void): () => void {
    if (this.reason) listener(this.reason);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What was read, unless nobody waits for it by then. */
  race<Result>(reading: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.onAbandoned(reject);
      reading.then(resolve, reject);
    });
  }
}

/** Of what several wait for: abandoned when all of them have left, with the reason of the last. */
export function joinAbandonments(each: readonly (Abandonment | undefined)[]): Abandonment | undefined {
  const all = each.filter(abandonment => abandonment !== undefined);
  if (all.length < each.length || all.length === 0) return undefined;
  if (all.length === 1) return all[0];
  const joint = new Abandonment();
  let waiting = all.length;
  const leave = (reason: Error) => {
    waiting--;
    if (waiting === 0) joint.abandon(reason);
  };
  for (const abandonment of all) abandonment.onAbandoned(leave);
  return joint;
}

const underWay = new AsyncLocalStorage<Abandonment | undefined>();

/** Runs a read that may be abandoned: from then on it gets no connection to the database. */
export function runAbandonable<Result>(abandonment: Abandonment | undefined, read: () => Result): Result {
  return underWay.run(abandonment, read);
}

/** Of the read under way, if it may be given up. */
export function findAbandonment(): Abandonment | undefined {
  return underWay.getStore();
}

import { AsyncLocalStorage } from 'node:async_hooks';

const abandonment = new AsyncLocalStorage<AbortSignal>();

/** Runs a read for which nobody waits any more once `signal` is aborted: it then gets no connection to the database. */
export function runAbandonable<Result>(signal: AbortSignal, read: () => Result): Result {
  return abandonment.run(signal, read);
}

/** Runs what others wait for, too. */
export function runUnabandoned<Result>(read: () => Result): Result {
  return abandonment.exit(read);
}

/** Of the read under way, if it may be given up. */
export function findAbandonment(): AbortSignal | undefined {
  return abandonment.getStore();
}

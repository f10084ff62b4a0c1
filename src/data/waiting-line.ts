import { findAbandonment } from './abandonment.ts';
import { DatabaseUnavailable } from './unavailable.ts';

export interface WaitingOptions {
  /** For a free connection; past it DatabaseUnavailable is thrown. */
  waitMs: number;
  /** Requests that may wait at once; more are refused without delay. */
  maxWaiting: number;
}

/** Requests that wait for a connection, or for their turn to take one: first come, first served, for a bounded time. */
export interface WaitingLine<Place> {
  /** @throws {DatabaseUnavailable}, or rejects with it or with why the request was given up */
  wait(): Promise<Place>;
  /** Gives a place to the first; false where nobody waits. */
  hand(place: Place): boolean;
  refuseAll(reason: string): void;
  count(): number;
}

export function createWaitingLine<Place>({ waitMs, maxWaiting }: WaitingOptions): WaitingLine<Place> {
  const waiting: Waiter<Place>[] = [];

  function withdraw(waiter: Waiter<Place>): void {
    const at = waiting.indexOf(waiter);
    if (at >= 0) waiting.splice(at, 1);
    clearTimeout(waiter.timer);
  }

  return {
    wait() {
      if (waiting.length >= maxWaiting) {
        throw new DatabaseUnavailable(`${waiting.length} requests wait for the database already`);
      }
      return new Promise((resolve, reject) => {
        const waiter = { resolve, reject, timer: setTimeout(expire, waitMs) };
        function expire() {
          withdraw(waiter);
          reject(new DatabaseUnavailable(`No connection to the database was free for ${waitMs} ms`));
        }
        findAbandonment()?.onAbandoned(reason => {
          withdraw(waiter);
          reject(reason);
        });
        waiting.push(waiter);
      });
    },
    hand(place) {
      const first = waiting.shift();
      clearTimeout(first?.timer);
      first?.resolve(place);
      return first !== undefined;
    },
    refuseAll(reason) {
      for (const { timer, reject } of waiting.splice(0)) {
        clearTimeout(timer);
        reject(new DatabaseUnavailable(reason));
      }
    },
    count: () => waiting.length,
  };
}

interface Waiter<Place> {
  resolve(place: Place): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Runs work when it is its turn. */
export type TakeTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** So many run at once; the others wait in line. */
export function createTurns(atOnce: number, options: WaitingOptions): TakeTurn {
  const line = createWaitingLine<void>(options);
  let running = 0;
  return async work => {
    if (running < atOnce) running++;
    // Whoever ends hands his turn on.
    else await line.wait();
    try {
      return await work();
    } finally {
      if (!line.hand()) running--;
    }
  };
}

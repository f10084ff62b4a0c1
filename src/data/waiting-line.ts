import { findAbandonment } from './abandonment.ts';

export interface WaitingOptions {
  /** For a place; whoever waits longer is refused. */
  waitMs: number;
  /** Requests that may wait at once; more are refused without delay. */
  maxWaiting: number;
}

/** Requests that wait for a connection, or for their turn: first come, first served, for a bounded time. */
export interface WaitingLine<Place> {
  /** @throws what `refuse` makes, or rejects with it, or with why the request was given up */
  wait(): Promise<Place>;
  /** Gives a place to the first; false where nobody waits. */
  hand(place: Place): boolean;
  refuseAll(error: Error): void;
  count(): number;
}

/** @param refuse told why there is no place */
export function createWaitingLine<Place>(
  { waitMs, maxWaiting }: WaitingOptions,
  refuse: (reason: string) => Error,
): WaitingLine<Place> {
  const waiting: Waiter<Place>[] = [];

  function withdraw(waiter: Waiter<Place>): void {
    const at = waiting.indexOf(waiter);
    if (at >= 0) waiting.splice(at, 1);
    clearTimeout(waiter.timer);
  }

  return {
    wait() {
      if (waiting.length >= maxWaiting) throw refuse(`${waiting.length} requests wait already`);
      return new Promise((resolve, reject) => {
        const waiter = { resolve, reject, timer: setTimeout(expire, waitMs) };
        function expire() {
          withdraw(waiter);
          reject(refuse(`none was free for ${waitMs} ms`));
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
    refuseAll(error) {
      for (const { timer, reject } of waiting.splice(0)) {
        clearTimeout(timer);
        reject(error);
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

/** Waits for a turn; answers how to end it. */
export type TakeTurn = () => Promise<() => void>;

/** So many have one at a time; the others wait in line. */
export function createTurns(
  atOnce: number,
  options: WaitingOptions,
  refuse: (reason: string) => Error,
): TakeTurn {
  const line = createWaitingLine<void>(options, refuse);
  let taken = 0;
  const end = () => {
    if (!line.hand()) taken--;
  };
  return async () => {
    if (taken < atOnce) taken++;
    // Whoever ends hands his turn on.
    else await line.wait();
    return end;
  };
}

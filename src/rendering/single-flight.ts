/** Work that is done once, however many ask for it at once. */
export interface SingleFlight<Result> {
  /**
   * What the work under way for `key` gives, or what `start` begins. Who leaves, by aborting his signal, gets its reason
   * at once; when all have left, the signal of the work aborts, and who asks then gets work begun anew.
   */
  run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

interface Flight<Result> {
  result: Promise<Result>;
  waiting: number;
  stopping: AbortController;
}

export function createSingleFlight<Result>(): SingleFlight<Result> {
  const flights = new Map<string, Flight<Result>>();

  const begin = (key: string, start: (signal: AbortSignal) => Promise<Result>): Flight<Result> => {
    const stopping = new AbortController();
    const result = start(stopping.signal).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    const flight = { result, waiting: 0, stopping };
    flights.set(key, flight);
    return flight;
  };

  const leave = (key: string, flight: Flight<Result>, reason: unknown) => {
    if (--flight.waiting > 0 || flights.get(key) !== flight) return;
    flights.delete(key);
    flight.stopping.abort(reason);
  };

  return {
    async run(key, signal, start) {
      signal.throwIfAborted();
      const flight = flights.get(key) ?? begin(key, start);
      flight.waiting++;
      const { promise: left, reject } = Promise.withResolvers<never>();
      const onAbort = () => {
        reject(signal.reason);
        leave(key, flight, signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([flight.result, left]);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

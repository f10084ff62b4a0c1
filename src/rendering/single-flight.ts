/** Work that is done once, however many ask for it at once. */
export interface SingleFlight<Result> {
  /**
   * What the work under way for `key` gives, or what `start` begins. Who leaves, by aborting his signal, gets its reason
   * at once; when all have left, the signal of the work aborts. Who asks then gets what the work gives all the same, or
   * work begun anew where it stopped.
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

  const join = async (flight: Flight<Result>, signal: AbortSignal): Promise<Result> => {
    flight.waiting++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => {
      reject(signal.reason);
      if (--flight.waiting === 0) flight.stopping.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  };

  return {
    async run(key, signal, start) {
      for (;;) {
        signal.throwIfAborted();
        const flight = flights.get(key) ?? begin(key, start);
        const wasStopped = flight.stopping.signal.aborted;
        try {
          return await join(flight, signal);
        } catch (error) {
          if (!wasStopped || error !== flight.stopping.signal.reason) throw error;
        }
      }
    },
  };
}

/** Too much to do at the moment. */
export class Overloaded extends Error {
  override name = 'Overloaded';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('Too many pictures are being made at the moment');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface QueueOptions {
  concurrency: number;
  /** Nobody waits longer; who is likely to have to is refused at once. */
  maxWaitMs: number;
}

/** Lets so many run at once; the others wait in order. */
export interface Queue {
  /**
   * Work whose `signal` aborts while it waits is not begun, and fails with the signal's reason.
   * @throws {Overloaded} instead of calling `work`
   */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
  /** How long one that came now would wait, going by those of late. */
  expectedWaitMs(): number;
  counts(): { running: number; waiting: number };
  /** Refuses those that wait and those still to come, and ends when those that run have. */
  close(): Promise<void>;
}

interface Waiting {
  start(): void;
  refuse(): void;
}

/** Of one run, before the first has ended. */
const assumedRunMs = 50;

/** Weight of the newest run in the mean: some thirty of late decide. */
const newestWeight = 0.05;

export function openQueue({ concurrency, maxWaitMs }: QueueOptions): Queue {
  const waiting = new Set<Waiting>();
  const running = new Set<Promise<unknown>>();
  let free = concurrency;
  let meanRunMs = assumedRunMs;
  let isClosed = false;

  const expectedWaitMs = () => (free > 0 ? 0 : ((waiting.size + 1) * meanRunMs) / concurrency);
  const overloaded = () => new Overloaded(Math.min(Math.max(Math.ceil(expectedWaitMs() / 1_000), 1), 60));

  const waitForPlace = async (signal?: AbortSignal) => {
    signal?.throwIfAborted();
    if (isClosed || expectedWaitMs() > maxWaitMs) throw overloaded();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // At once out of the line: a place passed to who no longer waits would be lost.
    const leave = (reason: unknown) => {
      waiting.delete(entry);
      reject(reason);
    };
    const entry: Waiting = { start: resolve, refuse: () => leave(overloaded()) };
    const onAbort = () => leave(signal?.reason);
    const timer = setTimeout(entry.refuse, maxWaitMs);
    signal?.addEventListener('abort', onAbort);
    waiting.add(entry);
    await promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
  };

  const passPlace = () => {
    const [next] = waiting;
    if (!next) free += 1;
    else {
      waiting.delete(next);
      next.start();
    }
  };

  const runInPlace = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      meanRunMs += newestWeight * (performance.now() - startedAt - meanRunMs);
      passPlace();
    }
  };

  return {
    expectedWaitMs,
    counts: () => ({ running: running.size, waiting: waiting.size }),
    async run(work, signal) {
      if (free > 0 && !isClosed) free -= 1;
      else await waitForPlace(signal);
      const run = runInPlace(work);
      running.add(run);
      return run.finally(() => running.delete(run));
    },
    async close() {
      isClosed = true;
      for (const entry of waiting) entry.refuse();
      await Promise.allSettled(running);
    },
  };
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface LatencyProbe {
  /** The time below which 99 of 100 answers stayed, in milliseconds. */
  stop(): Promise<number>;
}

export interface LatencyProbeOptions {
  url: string;
  query: string;
  pauseMs: number;
}

/** Asks the same over and over, one at a time. */
export function startLatencyProbe(options: LatencyProbeOptions): LatencyProbe {
  const thread = new Worker(new URL('./latency-probe-thread.ts', import.meta.url), { workerData: options });
  const told = once(thread, 'message');
  return {
    async stop() {
      thread.postMessage('stop');
      const [times]: number[][] = await told;
      const sorted = (times ?? []).sort((one, other) => one - other);
      return sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
    },
  };
}

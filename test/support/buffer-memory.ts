import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The most bytes in buffers, over those at the start, while `work` ran; garbage does not count. */
export async function measurePeak(work: () => Promise<void>): Promise<number> {
  setFlagsFromString('--expose-gc');
  // A busy machine would sweep late, and garbage would count.
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  const gc: () => void = runInNewContext('gc');
  const measure = () => {
    gc();
    return process.memoryUsage().arrayBuffers;
  };
  const before = measure();
  let peak = before;
  let isDone = false;
  const working = work().finally(() => {
    isDone = true;
  });
  while (!isDone) {
    peak = Math.max(peak, measure());
    // Collecting takes its time; the work needs turns in between.
    await wait(30);
  }
  await working;
  return peak - before;
}

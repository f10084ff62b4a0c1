import { setTimeout as sleep } from 'node:timers/promises';
import { claimImports, type ImportTask, releaseImport } from '../data/import-queue.ts';
import { inSpan } from '../tracing.ts';
import { createBodyMemory } from './body-memory.ts';
import { type ImportOptions, importImage } from './import-image.ts';

export interface WorkerOptions extends Omit<ImportOptions, 'bodies'> {
  concurrency: number;
  maxPerHost: number;
  leaseMs: number;
  pollMs: number;
  /** `outcome`: stored, an error's code, or broken_off. */
  onImport?: ((outcome: string, seconds: number) => void) | undefined;
}

export interface Worker {
  /** Looks for work at once, as after a change that brought some. */
  wake(): void;
  /** False where it has stopped looking for work, though nobody closed it. */
  isAlive(): boolean;
  countRunning(): number;
  /** Claims no more, breaks off what is under way and hands it back. */
  close(): Promise<void>;
}

/** Of what may run at once, so much must be free before more is claimed: a claim costs as much for one as for several. */
const claimedAtOnce = 1 / 4;
/** As long as it may take until the database is well again. */
const brokenOffDelayMs = 5_000;
/** Looking for work waits for a connection and an answer, each for a bounded time; longer than both. */
const longestLookMs = 240_000;

/** Imports what is due until it is closed. Any number of workers may run, in any number of processes. */
export function startWorker(options: WorkerOptions): Worker {
  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  const bodies = createBodyMemory(options.concurrency);
  let wakeUp = new AbortController();
  let lookedAt = performance.now();
  const ended = work();
  return {
    wake: () => wakeUp.abort(),
    isAlive: () => running.size > 0 || performance.now() - lookedAt < longestLookMs,
    countRunning: () => running.size,
    async close() {
      closing.abort();
      wakeUp.abort();
      await ended;
      await Promise.all(running);
    },
  };

  async function work(): Promise<void> {
    while (!closing.signal.aborted) {
      const isBusy = await claimSome();
      if (isBusy) continue;
      await sleep(options.pollMs, undefined, { signal: wakeUp.signal }).catch(() => {});
      wakeUp = new AbortController();
    }
  }

  /** True when there may be more to claim at once. */
  async function claimSome(): Promise<boolean> {
    lookedAt = performance.now();
    const tasks = await claim(options.concurrency - running.size);
    for (const task of tasks) start(task);
    if (tasks.length === 0) return false;
    while (running.size > options.concurrency * (1 - claimedAtOnce)) await Promise.race(running);
    return true;
  }

  async function claim(limit: number): Promise<ImportTask[]> {
    try {
      return await claimImports(options.db, {
        limit,
        leaseMs: options.leaseMs,
        maxPerHost: options.maxPerHost,
      });
    } catch (error) {
      options.log.error({ err: error }, 'Looking for images to import failed; it is tried again');
      return [];
    }
  }

  function start(task: ImportTask): void {
    const done = run(task).finally(() => {
      running.delete(done);
      wakeUp.abort();
    });
    running.add(done);
  }

  async function run(task: ImportTask): Promise<void> {
    const startedAt = performance.now();
    const outcome = await inSpan('import', { 'packshot.image.id': task.id }, () => attempt(task));
    options.onImport?.(outcome, (performance.now() - startedAt) / 1_000);
  }

  async function attempt(task: ImportTask): Promise<string> {
    try {
      return await importImage(task, { ...options, bodies }, closing.signal);
    } catch (error) {
      const isStopping = closing.signal.aborted;
      if (!isStopping) options.log.error({ err: error, imageId: task.id }, 'Importing an image broke off');
      // It is not the image's fault. If this fails too, the lease ends by itself, and the image is due again then.
      await releaseImport(options.db, task, isStopping ? 0 : brokenOffDelayMs).catch(() => {});
      return 'broken_off';
    }
  }
}

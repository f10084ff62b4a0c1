import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import type { Server } from './embedded-server.ts';

export interface SupervisorOptions {
  /** Must end what is left of the server before, and answer one on the same port. */
  start: () => Promise<Server>;
  /** Ends the supervision and the server. */
  signal: AbortSignal;
  log: Logger;
}

const firstDelayMs = 200;
const maxDelayMs = 10_000;
const recoveredAfterMs = 30_000;

/** Starts a server anew whenever one ends by itself; settles when the signal has come and the last has ended. */
export async function keepRunning(first: Server, options: SupervisorOptions): Promise<void> {
  const { signal, log } = options;
  const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  let server: Server | null = first;
  let failures = 0;
  while (server) {
    const startedAt = performance.now();
    const ended = await Promise.race([server.ended, aborted]);
    if (signal.aborted) return server.stop();
    log.warn({ ended }, 'the embedded PostgreSQL ended by itself; starting it again');
    failures = performance.now() - startedAt < recoveredAfterMs ? failures + 1 : 0;
    server = await startAgain(failures, options);
  }
}

/** Null when the signal came first. */
async function startAgain(
  failures: number,
  { start, signal, log }: SupervisorOptions,
): Promise<Server | null> {
  for (let tries = failures; ; tries++) {
    try {
      await sleep(delayMs(tries), undefined, { signal });
      return await start();
    } catch (error) {
      if (signal.aborted) return null;
      log.warn({ err: error }, 'the embedded PostgreSQL did not start; trying again');
    }
  }
}

/** Nothing at first: most often the server was killed, and is well. */
function delayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(firstDelayMs * 2 ** (failures - 1), maxDelayMs);
}

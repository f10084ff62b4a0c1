import { type ChildProcess, fork } from 'node:child_process';
import { type Logger, outsideRequests } from '../log.ts';
import { ImportError } from './import-error.ts';
import type { ImageLimits } from './inspect.ts';
import type { MeasuredImage } from './measure-image.ts';
import { writeParcel } from './parcels.ts';

export interface MeasureProcessOptions {
  /** What it runs. */
  program: string;
  limits: ImageLimits;
  /** After so long without work it ends. */
  idleMs: number;
  log: Logger;
}

export type MeasureAnswer =
  | { id: number; measured: MeasuredImage; failure?: never }
  | { id: number; measured?: never; failure: MeasureFailure };

/** An error, as far as it travels. */
export interface MeasureFailure {
  /** Null for what is no ImportError, so a mistake of ours. */
  code: ImportError['code'] | null;
  message: string;
  permanent: boolean;
  /** For logs only; null where the message says all. */
  reason: string | null;
}

export interface MeasureProcess {
  /** @throws {MeasureProcessEnded} where another image may be to blame */
  measure(bytes: Buffer): Promise<MeasuredImage>;
  hasEnded(): boolean;
  end(): Promise<void>;
}

/** The process ended before it answered. */
export class MeasureProcessEnded extends Error {
  override name = 'MeasureProcessEnded';
}

interface Pending {
  resolve(measured: MeasuredImage): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

export function forkMeasureProcess({ program, limits, idleMs, log }: MeasureProcessOptions): MeasureProcess {
  const child = outsideRequests(() => forkProgram(program, limits));
  const pending = new Map<number, Pending>();
  const exited = Promise.withResolvers<void>();
  const idle = setTimeout(endIfIdle, idleMs).unref();
  let hasEnded = false;
  let lastId = 0;
  child.on('message', ({ id, measured, failure }: MeasureAnswer) => {
    take(id, ({ resolve, reject }) => (failure ? reject(createError(failure)) : resolve(measured)));
  });
  child.on('exit', (code, signal) => {
    end(`it ended with ${signal ?? code}`);
    exited.resolve();
  });
  child.stdin?.on('error', error => end(error.message));
  child.on('error', error => {
    end(error.message);
    // One that could not be started never exits.
    if (child.pid === undefined) exited.resolve();
  });
  return {
    measure(bytes) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject, timer: setTimeout(expire, limits.timeoutMs, id) });
        if (child.stdin) writeParcel(child.stdin, id, bytes);
      });
    },
    hasEnded: () => hasEnded,
    end() {
      end('the service is stopping', 'debug');
      return exited.promise;
    },
  };

  function take(id: number, settle: (pending: Pending) => void): void {
    const taken = pending.get(id);
    if (!taken) return;
    pending.delete(id);
    clearTimeout(taken.timer);
    idle.refresh();
    settle(taken);
  }

  /** A decoder that takes too long keeps its thread, which nothing but the end of the process gets free. */
  function expire(id: number): void {
    const error = createTooSlow(limits);
    take(id, ({ reject }) => reject(error));
    end(error.message);
  }

  function endIfIdle(): void {
    if (pending.size === 0) end('it has had nothing to do', 'debug');
  }

  function end(reason: string, level: 'warn' | 'debug' = 'warn'): void {
    if (hasEnded) return;
    hasEnded = true;
    log[level]({ reason, images: pending.size }, 'The process that measures images is at its end');
    for (const id of pending.keys()) take(id, ({ reject }) => reject(new MeasureProcessEnded(reason)));
    clearTimeout(idle);
    child.kill('SIGKILL');
  }
}

function forkProgram(program: string, limits: ImageLimits): ChildProcess {
  return fork(program, [JSON.stringify(limits)], {
    execArgv: ['--max-semi-space-size=4'],
    // Nothing of the service's own, for it reads no storage and has few threads: what environmentOfDecoder() says of
    // secrets holds here, too. What there is makes malloc give large blocks back at once (mallopt(3)).
    env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1000000' },
    stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    // In a session of its own, whose priority can be lowered; and Ctrl-C in a terminal is for the service alone.
    detached: true,
  });
}

function createError({ code, message, permanent, reason }: MeasureFailure): Error {
  if (code === null) return new Error(message);
  return new ImportError(code, message, { permanent, ...(reason !== null && { cause: new Error(reason) }) });
}

/** Not permanent: perhaps the machine was busy. */
function createTooSlow({ timeoutMs }: ImageLimits): ImportError {
  return new ImportError('CORRUPT_IMAGE', `image takes longer than ${timeoutMs} ms to decode`, {
    permanent: false,
  });
}

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Environment, environmentOfDecoder } from '../imaging/decoder-environment.ts';
import { type Logger, outsideRequests } from '../log.ts';
import type { RenderRequest } from './renderer.ts';

/** What a render process is started with. */
export interface RenderProcessOptions {
  /** Of originals: the setting, and the folder that goes with it. */
  storage: string;
  storageDirectory: string;
  concurrency: number;
  /** Of an original. */
  maxPixels: number;
  /** For originals made smaller, of which further renditions are made. */
  maxReductionBytes: number;
  /** For the making of one picture. */
  timeoutMs: number;
  /** To start, and beyond the time of a picture: who has not answered by then hangs. */
  graceMs: number;
  logLevel: string;
}

export interface RenderQuestion {
  id: number;
  request: RenderRequest;
}

export interface RenderAnswer {
  id: number;
  /** Null when there is no such original. */
  bytes?: Uint8Array | null;
  failure?: 'too slow' | 'storage' | 'picture';
  /** For the log. */
  message?: string;
}

export interface RenderProcess {
  /** Fails only where the process dies, or is killed, for it gave no answer in time. */
  ask(request: RenderRequest): Promise<RenderAnswer>;
  /** Ends it when it has answered; it must not be asked again. */
  retire(): void;
  /** Ends it at once. */
  kill(): void;
}

const program = fileURLToPath(new URL('./render-process.ts', import.meta.url));

/** @param environment of the service, of which it gets what it needs */
export function forkRenderProcess(
  options: RenderProcessOptions,
  environment: Environment,
  log: Logger,
  onEnd: () => void,
): RenderProcess {
  // Detached, so in a session of its own, whose priority can be lowered.
  const child = outsideRequests(() =>
    fork(program, [JSON.stringify(options)], {
      execArgv: ['--max-semi-space-size=8'],
      env: environmentOfDecoder(environment, options.storage),
      serialization: 'advanced',
      detached: true,
    }),
  );
  const waiting = new Map<number, PromiseWithResolvers<RenderAnswer>>();
  let isRetired = false;
  let lastId = 0;

  const end = (reason: object) => {
    if (!isRetired) log.error(reason, 'The process that makes renditions has died');
    isRetired = true;
    onEnd();
    for (const { reject } of waiting.values())
      reject(new Error('The process that makes renditions has died'));
  };
  child.once('exit', (code, signal) => end({ code, signal }));
  child.once('error', error => end({ err: error }));
  child.on('message', (answer: RenderAnswer) => waiting.get(answer.id)?.resolve(answer));

  const endIfDone = () => {
    if (isRetired && waiting.size === 0) child.kill('SIGKILL');
  };

  return {
    async ask(request) {
      const id = ++lastId;
      const answered = Promise.withResolvers<RenderAnswer>();
      waiting.set(id, answered);
      const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs + options.graceMs);
      // That it cannot be sent is told by the exit, too.
      child.send({ id, request } satisfies RenderQuestion, () => {});
      try {
        return await answered.promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
        endIfDone();
      }
    },
    retire() {
      isRetired = true;
      endIfDone();
    },
    kill() {
      isRetired = true;
      child.kill('SIGKILL');
    },
  };
}

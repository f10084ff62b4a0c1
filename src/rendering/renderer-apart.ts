import type { Environment } from '../imaging/decoder-environment.ts';
import type { Logger } from '../log.ts';
import { StorageFailed } from '../storage/storage.ts';
import {
  forkRenderProcess,
  type RenderAnswer,
  type RenderProcess,
  type RenderProcessOptions,
} from './fork-render-process.ts';
import { Overloaded, openQueue, type Queue } from './queue.ts';
import type { Renderer, RenderRequest } from './renderer.ts';

export interface RendererApartOptions
  extends Omit<RenderProcessOptions, 'timeoutMs' | 'graceMs' | 'logLevel'> {
  /** Of the service. */
  environment: Environment;
  log: Logger;
  /** How long a request waits for its turn. */
  maxWaitMs: number;
  /** For the making of one picture, reading the original included. */
  timeoutMs?: number;
  /** To start, and beyond that time, before the process is killed. */
  graceMs?: number;
}

export interface RendererApart extends Renderer {
  counts: Queue['counts'];
}

const retryAfterDeathSeconds = 5;

/** Wait in the process, so that it need not wait for this one whenever it has made a picture. */
const readyToBegin = 2;

/** Makes renditions in a process of its own, which is started for the first of them, and anew after it died. */
export function openRendererApart(options: RendererApartOptions): RendererApart {
  const { environment, log, maxWaitMs, timeoutMs = 20_000, graceMs = 10_000, ...others } = options;
  const queue = openQueue({ concurrency: options.concurrency + readyToBegin, maxWaitMs });
  let running: RenderProcess | null = null;
  let isClosed = false;

  const forget = (ended: RenderProcess) => {
    if (running === ended) running = null;
  };

  const start = (): RenderProcess => {
    const settings = { ...others, timeoutMs, graceMs, logLevel: log.level };
    const started = forkRenderProcess(settings, environment, log, () => forget(started));
    return started;
  };

  const ask = async (request: RenderRequest): Promise<RenderAnswer> => {
    if (isClosed) throw new Error('The renderer is closed');
    running ??= start();
    const asked = running;
    const answer = await asked.ask(request);
    if (answer.failure === 'too slow') {
      // A decoder that hangs cannot be stopped but with its process.
      asked.retire();
      forget(asked);
    }
    return answer;
  };

  /** Once more where the process died, for another picture may have been the cause; then not at once. */
  const askTwice = (request: RenderRequest): Promise<RenderAnswer> =>
    ask(request)
      .catch(() => ask(request))
      .catch(() => Promise.reject(new Overloaded(retryAfterDeathSeconds)));

  return {
    counts: queue.counts,
    async render(request, signal) {
      const answer = await queue.run(() => askTwice(request), signal);
      if (answer.failure === 'too slow') throw new Overloaded(Math.ceil(timeoutMs / 1_000));
      return readAnswer(answer);
    },
    /** Without waiting for what is under way: the server, closed before, had nobody left who wants it. */
    async close() {
      isClosed = true;
      running?.kill();
      await queue.close();
    },
  };
}

function readAnswer({ bytes, failure, message }: RenderAnswer): Buffer | null {
  if (failure === 'storage') throw new StorageFailed(message);
  if (failure === 'picture') throw new Error(`The rendition could not be made: ${message}`);
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null;
}

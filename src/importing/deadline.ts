export interface Deadline {
  signal: AbortSignal;
  close(): void;
}

/**
 * A signal that aborts after `ms`, or with `outer` and its reason. Not AbortSignal.any: it keeps every
 * signal alive for as long as the outer one lives.
 */
export function openDeadline(ms: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  const timer = setTimeout(() => controller.abort(new Error(`nothing within ${ms} ms`)), ms);
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    close() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

/** For work that knows no signal, such as a DNS lookup: stops waiting, the work itself runs on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', abort));
}

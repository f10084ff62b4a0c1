/** Work that nobody waits for: few at a time, and what comes while too much waits is left undone. */
export interface Backlog {
  /** False when it will not be done. `work` must not fail. */
  add(bytes: number, work: () => Promise<void>): boolean;
  /** Takes no more; ends when all is done, or after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

export function createBacklog(concurrency: number, maxBytes: number): Backlog {
  const waiting: { bytes: number; work: () => Promise<void> }[] = [];
  let bytesWaiting = 0;
  let running = 0;
  let isClosed = false;
  const { promise: done, resolve: setDone } = Promise.withResolvers<void>();

  const runOn = async () => {
    running++;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await next.work();
      bytesWaiting -= next.bytes;
    }
    running--;
    if (isClosed && running === 0) setDone();
  };

  return {
    add(bytes, work) {
      if (isClosed || (bytesWaiting > 0 && bytesWaiting + bytes > maxBytes)) return false;
      bytesWaiting += bytes;
      waiting.push({ bytes, work });
      if (running < concurrency) void runOn();
      return true;
    },
    async close(timeoutMs) {
      isClosed = true;
      if (running === 0) return;
      const timer = setTimeout(setDone, timeoutMs);
      await done;
      clearTimeout(timer);
    },
  };
}

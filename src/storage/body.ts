import { finished, Readable, Transform } from 'node:stream';
import { describeFailure, StorageFailed } from './storage.ts';

/**
 * To be called before anything is awaited: a source that fails while nobody reads it yet would end the process.
 * Its reader learns of that error all the same.
 */
export function holdSource(body: Uint8Array | Readable): void {
  if (!(body instanceof Readable)) return;
  if (body.readableEnded) {
    throw new Error('the stream to store was read to its end before; pass an unread one');
  }
  body.on('error', () => {});
}

/** Lets go of the source and says why the write failed; the source's own words may carry an address. */
export function abandonWrite(key: string, body: Uint8Array | Readable, error: unknown): StorageFailed {
  if (!(body instanceof Readable)) return describeFailure(`write "${key}"`, error);
  const isSourceAtFault = body.errored === error;
  body.destroy();
  return isSourceAtFault
    ? new StorageFailed(`could not write "${key}": the source failed`, { cause: error })
    : describeFailure(`write "${key}"`, error);
}

export interface BodyPromise {
  key: string;
  bytes: number;
  /** How long the source may keep a waiting reader without a byte; a reader that does not wait costs nothing. */
  stallTimeoutMs?: number;
}

/** Passes `source` on, and errors where it breaks, stalls, or ends with other than the bytes promised. */
export function createWholeBody(source: Readable, { key, bytes, stallTimeoutMs }: BodyPromise): Readable {
  let received = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      done(
        received === bytes ? null : new StorageFailed(`"${key}" ended after ${received} of ${bytes} bytes`),
      );
    },
  });
  finished(source, error => {
    if (error) body.destroy(describeFailure(`read on in "${key}"`, error));
  });
  finished(body, () => source.destroy());
  if (stallTimeoutMs) watchForStall(body, stallTimeoutMs, () => (received < bytes ? received : null));
  return source.pipe(body);
}

/** `countReceived` answers null once all is there. Fails `body` after one to two times `timeoutMs` of silence. */
function watchForStall(body: Transform, timeoutMs: number, countReceived: () => number | null): void {
  let before: number | null = null;
  const timer = setInterval(() => {
    const received = body.writableNeedDrain ? null : countReceived();
    if (received !== null && received === before) {
      body.destroy(new StorageFailed(`no byte came within ${timeoutMs} ms`));
    }
    before = received;
  }, timeoutMs);
  timer.unref();
  finished(body, () => clearInterval(timer));
}

import { Readable } from 'node:stream';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';

/** One that does nothing but close. */
export function failing(storage: Pick<Storage, 'close'>): Storage {
  const { close } = storage;
  return { write: fail, read: fail, readBytes: fail, stat: fail, remove: fail, list: failToList, close };
}

async function fail(): Promise<never> {
  throw new StorageFailed('could not read', { cause: new Error('EIO on 10.0.0.9') });
}

// biome-ignore lint/correctness/useYield: it fails before there is anything to tell
async function* failToList(): AsyncGenerator<never> {
  await fail();
}

/** Gives a thousand bytes and breaks off. */
export function breakOff(): Readable {
  let isFirst = true;
  return new Readable({
    read() {
      if (isFirst) this.push(Buffer.alloc(1_000));
      else this.destroy(new Error('EIO midway'));
      isFirst = false;
    },
  });
}

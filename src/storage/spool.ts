import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { StorageFailed } from './storage.ts';

const chunkBytes = 64 * 1024;

/** A stream that was read to its end, to be sent any number of times. */
export interface Spool {
  size: number;
  createStream(): Readable;
  close(): Promise<void>;
}

/** Reads `source` into a file without a name: its bytes go with the process, however that ends. */
export async function openSpool(directory: string, source: Readable): Promise<Spool> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const path = join(directory, `spool-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await rm(path);
    await file.writeFile(source);
    return createSpool(file, (await file.stat()).size);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function createSpool(file: FileHandle, size: number): Spool {
  return {
    size,
    // FileHandle.createReadStream would close the file when one stream of several is destroyed.
    createStream: () => Readable.from(readFrom(file, size), { objectMode: false }),
    close: async () => file.close(),
  };
}

async function* readFrom(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  let position = 0;
  while (position < size) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
    if (bytesRead === 0) throw new StorageFailed(`the spool ended after ${position} of ${size} bytes`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

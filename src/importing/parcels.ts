import type { Writable } from 'node:stream';

// How bytes go to another process: a number and their length, 32 bits each, then they themselves. The IPC channel would
// do, but it copies them three times on the way, which 20 MB must not be.

const headBytes = 8;

/** Copies nothing: the bytes must stay as they are until they are through. */
export function writeParcel(stream: Writable, id: number, bytes: Buffer): void {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(id);
  head.writeUInt32LE(bytes.length, 4);
  stream.cork();
  stream.write(head);
  stream.write(bytes);
  stream.uncork();
}

/** Takes a stream chunk by chunk, however it is cut, and hands out each parcel once it is whole. */
export function createParcelReader(onParcel: (id: number, bytes: Buffer) => void): (chunk: Buffer) => void {
  const head = Buffer.alloc(headBytes);
  let filling = head;
  let size = 0;
  return chunk => {
    let at = 0;
    do {
      const copied = chunk.copy(filling, size, at);
      at += copied;
      size += copied;
      if (size < filling.length) return;
      const full = filling;
      filling = full === head ? Buffer.allocUnsafeSlow(head.readUInt32LE(4)) : head;
      size = 0;
      if (full !== head) onParcel(head.readUInt32LE(), full);
      // Nothing comes after the head of a parcel without bytes, and it is whole all the same.
    } while (at < chunk.length || filling.length === 0);
  };
}

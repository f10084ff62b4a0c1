/** Gives the memory back at once, without the garbage collector. Nobody may look at the bytes any more. */
export function freeBytes(bytes: Buffer): void {
  // A part of Node's pool of buffers, which must never be freed, is at most half of it.
  if (bytes.buffer instanceof ArrayBuffer && bytes.length * 2 > bytes.buffer.byteLength) {
    bytes.buffer.transfer(0);
  }
}

import { crc32 } from 'node:zlib';

// A mark of the layout, the length of what follows, and a checksum over the key and what follows.
const mark = 0x706b7331;
export const sealBytes = 12;

/** What is stored for `key`, so that `unseal` can tell a torn, zeroed or misplaced object from a whole one. */
export function seal(key: string, bytes: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(sealBytes);
  header.writeUInt32BE(mark, 0);
  header.writeUInt32BE(bytes.length, 4);
  header.writeUInt32BE(crc32(bytes, crc32(key)), 8);
  return Buffer.concat([header, bytes]);
}

/** Null when it is not what `seal` gave for this key. */
export function unseal(key: string, sealed: Buffer): Buffer | null {
  if (sealed.length < sealBytes || sealed.readUInt32BE(0) !== mark) return null;
  const bytes = sealed.subarray(sealBytes);
  const isWhole =
    sealed.readUInt32BE(4) === bytes.length && sealed.readUInt32BE(8) === crc32(bytes, crc32(key));
  return isWhole ? bytes : null;
}

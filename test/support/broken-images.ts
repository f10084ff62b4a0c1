import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';

interface Header {
  width: number;
  height: number;
  /** Bits a channel. */
  depth?: number;
  /** 0 grey, 2 RGB, 6 RGBA. */
  colourType?: number;
  interlaced?: boolean;
}

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

/** `pixels` are compressed rows; what the header claims is not checked against them. */
export function png(header: Header, pixels: Buffer, extra: readonly Buffer[] = []): Buffer {
  const { width, height, depth = 8, colourType = 2, interlaced = false } = header;
  const kind = Buffer.from([depth, colourType, 0, 0, interlaced ? 1 : 0]);
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', Buffer.concat([uint32(width), uint32(height), kind])),
    ...extra,
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A zlib stream that unpacks to so many zeros, at a thousandth of the size, made without packing them all. */
export function packedZeros(bytes: number): Buffer {
  const block = 1024 * 1024;
  const packed = deflateRawSync(Buffer.alloc(block), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const whole = Math.floor(bytes / block);
  return Buffer.concat([
    Buffer.from([0x78, 0xda]),
    Buffer.alloc(packed.length * whole, packed),
    deflateRawSync(Buffer.alloc(bytes % block), { level: 9 }),
    // Adler-32 of zeros
    uint32((bytes % 65_521) * 65_536 + 1),
  ]);
}

export function tinyPng(extra: readonly Buffer[] = []): Buffer {
  return png({ width: 10, height: 10 }, deflateSync(Buffer.alloc(10 * 31)), extra);
}

/** 300 KB that unpack to 2.5 thousand million pixels. */
export function pixelBomb(): Buffer {
  return png({ width: 50_000, height: 50_000, depth: 1, colourType: 0 }, packedZeros(50_000 * 6_251));
}

export function thinPng(): Buffer {
  return png({ width: 1, height: 1_000_000, colourType: 0 }, packedZeros(2_000_000));
}

/** Claims 25 megapixels, holds ten rows. */
export function lyingPng(): Buffer {
  return png({ width: 5_000, height: 5_000 }, packedZeros(10 * 15_001));
}

/** Within the limits, and the costliest file that is: 200 MB of pixels that must be there at once. */
export function heaviestPng(): Buffer {
  const bytes = 5_000 * 5_000 * 8 + 100_000;
  return png({ width: 5_000, height: 5_000, depth: 16, colourType: 6, interlaced: true }, packedZeros(bytes));
}

export function textBomb(): Buffer {
  const texts = Array.from({ length: 100_000 }, (_, index) => pngChunk('tEXt', Buffer.from(`k${index}\0v`)));
  return tinyPng(texts);
}

/** Each text unpacks to 1 GB. */
export function packedTextBomb(): Buffer {
  const text = Buffer.concat([Buffer.from('k\0\0'), packedZeros(1_000_000_000)]);
  return tinyPng(Array.from({ length: 10 }, () => pngChunk('zTXt', text)));
}

export function packedProfileBomb(): Buffer {
  return tinyPng([pngChunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), packedZeros(1_000_000_000)]))]);
}

export function jpegSegment(code: number, data: Buffer): Buffer {
  const size = data.length + 2;
  return Buffer.concat([Buffer.from([0xff, code, size >> 8, size & 255]), data]);
}

/** Puts segments behind the first two bytes of a JPEG. */
export function withSegments(jpeg: Buffer, segments: Buffer): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), segments, jpeg.subarray(2)]);
}

export function repeat(block: Buffer, totalBytes: number): Buffer {
  return Buffer.alloc(Math.floor(totalBytes / block.length) * block.length, block);
}

/** A directory of nothing but pointers to itself. */
export function exifPointers(count: number): Buffer {
  const directory = Buffer.alloc(2 + count * 12 + 4);
  directory.writeUInt16LE(count, 0);
  for (let at = 2; at + 12 < directory.length; at += 12) {
    directory.writeUInt16LE(0x8769, at);
    directory.writeUInt16LE(4, at + 2);
    directory.writeUInt32LE(1, at + 4);
    directory.writeUInt32LE(8, at + 8);
  }
  return Buffer.concat([Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1'), directory]);
}

/** A black grey-scale JPEG in which each scan refines one coefficient by one bit; 883 are the most. */
export function manyScansJpeg(side: number, scans: number): Buffer {
  const blocks = Math.ceil(side / 8) ** 2;
  const size = [side >> 8, side & 255];
  // 16,384 empty blocks in a code of 15 bits
  const emptyScan = zeroBits(Math.ceil(blocks / 16_384) * 15);
  const parts = [
    Buffer.from([0xff, 0xd8]),
    jpegSegment(0xdb, Buffer.from([0, ...Array<number>(64).fill(1)])),
    jpegSegment(0xc2, Buffer.from([8, ...size, ...size, 1, 1, 0x11, 0])),
    jpegSegment(0xc4, Buffer.from([0x00, 1, ...Array<number>(15).fill(0), 0])),
    jpegSegment(0xc4, Buffer.from([0x10, 1, ...Array<number>(15).fill(0), 0xe0])),
    jpegSegment(0xda, Buffer.from([1, 1, 0, 0, 0, 0])),
    zeroBits(blocks),
  ];
  for (let scan = 1; scan < scans; scan += 1) {
    const coefficient = 1 + Math.floor((scan - 1) / 14);
    const bit = 13 - ((scan - 1) % 14);
    const approximation = bit === 13 ? bit : ((bit + 1) << 4) | bit;
    parts.push(jpegSegment(0xda, Buffer.from([1, 1, 0, coefficient, coefficient, approximation])), emptyScan);
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xd9])]);
}

/** Claims more rows than its scan holds. */
export function lyingJpeg(jpeg: Buffer, height: number): Buffer {
  const lying = Buffer.from(jpeg);
  lying.writeUInt16BE(height, lying.indexOf(Buffer.from([0xff, 0xc0])) + 5);
  return lying;
}

export function gif(width: number, height: number, frames: number): Buffer {
  const head = Buffer.from('GIF89a\0\0\0\0\x80\0\0\0\0\0\xff\xff\xff', 'latin1');
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  const frame = Buffer.from('21f90400010000002c00000000010001000002024401003b', 'hex').subarray(0, -1);
  return Buffer.concat([head, Buffer.alloc(frame.length * frames, frame), Buffer.from(';')]);
}

/** Repeats one lossless frame of 1 × 1 pixels. */
export function animatedWebp(frames: number): Buffer {
  const pixel = riffChunk('VP8L', Buffer.from('2f000000000710fd8ffe0722a2ff01', 'hex'));
  const frame = riffChunk('ANMF', Buffer.concat([Buffer.alloc(12), Buffer.from([10, 0, 0, 0]), pixel]));
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    riffChunk('VP8X', Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    riffChunk('ANIM', Buffer.alloc(6)),
    Buffer.alloc(frame.length * frames, frame),
  ]);
  return riffChunk('RIFF', body);
}

/** The first tenth, two tenths … nine tenths of a file. */
export function truncations(bytes: Buffer): Buffer[] {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].map(tenths =>
    bytes.subarray(0, Math.floor((bytes.length * tenths) / 10)),
  );
}

function riffChunk(type: string, data: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(type), size, data, Buffer.alloc(data.length % 2)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Zero bits, padded with ones to whole bytes. */
function zeroBits(count: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(count / 8));
  const rest = count % 8;
  if (rest !== 0) bytes[bytes.length - 1] = 255 >> rest;
  return bytes;
}

import type { ImageType } from './file-type.ts';
import { ImportError } from './import-error.ts';

/*
 * Pixels, bytes and time are limited elsewhere. These are costs that none of those limits sees: they
 * arise while a file is opened, or inside one call that sharp's timeout cannot interrupt.
 */

/** libjpeg goes over all blocks once a scan: 2,647 scans in 290 KB took 16 s. Honest files hold some ten. */
const maxJpegScans = 100;

/** libjpeg keeps 280 bytes for each: 20 MB of empty segments took 1.4 GB. ICC profiles need up to 255. */
const maxJpegSegments = 2_000;

/** Stuffed bytes and restarts too; only so that counting the others cannot hold up the main thread. */
const maxJpegMarkers = 1_000_000;

/** libwebp seeks each frame from the first: 80,000 in 4 MB took 15 s at each opening. */
const maxWebpFrames = 2_000;

/**
 * libexif reads a whole directory anew for each pointer to it: 64 KB of them took 3 s at each opening.
 * Honest files hold three; 64 KB of noise hold six by chance.
 */
const maxExifPointers = 100;

/** libexif reads no further. */
const maxExifBytes = 64 * 1024;

/** The tags that lead to further directories, in both byte orders. */
const exifPointers: ReadonlySet<number> = new Set([0x8769, 0x6987, 0x8825, 0x2588, 0xa005, 0x05a0]);

/** 'ANMF', read as a little-endian number. */
const frameChunk = 0x464d4e41;

const startOfScan = 0xda;
const endOfImage = 0xd9;
const sequentialFrames: ReadonlySet<number> = new Set([0xc0, 0xc1]);

/**
 * Refuses files whose structure alone makes a decoder expensive, and GIFs that are cut short, of which only the first
 * frame is decoded; call it before the first decoder.
 */
export function checkStructure(bytes: Buffer, format: ImageType['format']): void {
  if (format === 'jpeg') checkSegments(bytes);
  if (format === 'webp') checkFrames(bytes);
  if (format === 'gif') checkBlocks(bytes);
}

/** @param exif as the decoder hands it out, so after the first opening: such a file costs that once. */
export function checkExif(exif: Buffer): void {
  const end = Math.min(exif.length, maxExifBytes) - 1;
  let pointers = 0;
  for (let at = 0; at < end; at += 1) if (exifPointers.has(exif.readUInt16BE(at))) pointers += 1;
  if (pointers > maxExifPointers) throw tooMany('EXIF pointers', maxExifPointers);
}

function checkSegments(bytes: Buffer): void {
  const counts = { markers: 0, segments: 0, scans: 0 };
  let loneScanComponents: number | undefined;
  for (const at of readMarkers(bytes)) {
    const code = bytes.readUInt8(at);
    countMarker(counts, code);
    if (code === endOfImage) return;
    if (sequentialFrames.has(code)) loneScanComponents = bytes[at + 8];
    // One scan with all components of a sequential frame is all that libjpeg reads.
    if (code === startOfScan && bytes[at + 3] === loneScanComponents) return;
  }
}

function countMarker(counts: { markers: number; segments: number; scans: number }, code: number): void {
  counts.markers += 1;
  if (!standsAlone(code)) counts.segments += 1;
  if (code === startOfScan) counts.scans += 1;
  if (counts.scans > maxJpegScans) throw tooMany('scans', maxJpegScans);
  if (counts.segments > maxJpegSegments) throw tooMany('segments', maxJpegSegments);
  if (counts.markers > maxJpegMarkers) throw tooMany('markers', maxJpegMarkers);
}

/** Where marker codes are (ITU T.81, annex B), found as libjpeg does: it skips what lies between segments. */
function* readMarkers(bytes: Buffer): Generator<number> {
  let at = bytes.indexOf(0xff, 2);
  while (at !== -1) {
    while (bytes[at] === 0xff) at += 1;
    if (at + 3 > bytes.length) return;
    yield at;
    const segmentBytes = standsAlone(bytes.readUInt8(at)) ? 0 : bytes.readUInt16BE(at + 1);
    at = bytes.indexOf(0xff, at + 1 + segmentBytes);
  }
}

/** A stuffed byte, TEM or a restart: no segment follows. */
function standsAlone(code: number): boolean {
  return code <= 0x01 || (code >= 0xd0 && code <= 0xd7);
}

function checkFrames(bytes: Buffer): void {
  let frames = 0;
  let at = 12;
  while (at + 8 <= bytes.length) {
    if (bytes.readUInt32LE(at) === frameChunk) frames += 1;
    if (frames > maxWebpFrames) {
      throw new ImportError(
        'DIMENSIONS_TOO_LARGE',
        `animation has too many frames; at most ${maxWebpFrames}`,
      );
    }
    const size = bytes.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
  }
}

const gif = { header: 13, extension: 0x21, image: 0x2c, imageHeader: 10 };

/** Goes over the blocks up to the trailer (GIF89a specification, 17 to 27); what is no block is left to the decoder. */
function checkBlocks(bytes: Buffer): void {
  let at = gif.header + colourTableBytes(bytes[gif.header - 3]);
  for (;;) {
    const code = bytes[at];
    if (code === undefined) {
      throw new ImportError('CORRUPT_IMAGE', 'image is damaged or cut short; a whole file is needed');
    }
    if (code === gif.extension) at = skipData(bytes, at + 2);
    else if (code === gif.image) {
      // The table of the image, and a byte that says how its data are coded.
      at = skipData(bytes, at + gif.imageHeader + colourTableBytes(bytes[at + gif.imageHeader - 1]) + 1);
    } else return;
  }
}

/** Each part of the data begins with its length; one of none ends them. */
function skipData(bytes: Buffer, from: number): number {
  let at = from;
  for (let length = bytes[at]; length; length = bytes[at]) at += 1 + length;
  return at + 1;
}

function colourTableBytes(flags = 0): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function tooMany(things: string, limit: number): ImportError {
  return new ImportError('CORRUPT_IMAGE', `image holds too many ${things}; at most ${limit}`);
}

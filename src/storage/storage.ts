import type { Readable } from 'node:stream';

export interface StoredObject {
  size: number;
  modifiedAt: Date;
}

/** Both ends count, as in HTTP. An end past the last byte means the last byte. */
export interface ByteRange {
  start: number;
  end: number;
}

/** `size` is that of the whole object, also for a range. Whoever asked reads `body` or destroys it. */
export interface StoredBody extends StoredObject {
  body: Readable;
}

export interface ChangeOptions {
  /** False for what can be made again: faster, but a crash of the machine may undo it, or leave it empty or torn. */
  durable?: boolean;
}

/**
 * Where bytes rest. A failure other than absence is a StorageFailed; a bad key or range, a mistake of the
 * calling code, is a plain Error. A key must not be a folder of another ("a" beside "a/b").
 */
export interface Storage {
  /**
   * Whole or absent, never partly there: after the promise resolves the bytes survive a crash. Writing a key
   * again replaces it atomically. A failing or short source leaves nothing (an old object stays) and is
   * destroyed.
   */
  write(key: string, body: Uint8Array | Readable, options?: ChangeOptions): Promise<void>;
  /**
   * Null when absent; a RangeError when the range starts past the end. The stream errors if the object breaks
   * midway, and shows the object as it was at the call even if it is written again meanwhile.
   */
  read(key: string, range?: ByteRange): Promise<StoredBody | null>;
  /**
   * As `read`, but all at once and at less cost, for what is small; more bytes are a failure. The memory is the caller's
   * alone, no part of a pool.
   */
  readBytes(key: string, maxBytes: number): Promise<Buffer | null>;
  /** Null when absent. */
  stat(key: string): Promise<StoredObject | null>;
  /** Absent is no error. */
  remove(key: string, options?: ChangeOptions): Promise<void>;
  /** Keys that start with `prefix` ('' for all), in no promised order, in flat memory. */
  list(prefix: string): AsyncIterable<{ key: string } & StoredObject>;
  close(): Promise<void>;
}

/** The message names the deed, the key and a code; paths, hosts and upstream texts are in the cause alone. */
export class StorageFailed extends Error {
  override name = 'StorageFailed';
}

/** Turns what was caught during `deed` ("read the object …") into the port's error. */
export function describeFailure(deed: string, cause: unknown): StorageFailed {
  return cause instanceof StorageFailed
    ? cause
    : new StorageFailed(`could not ${deed}: ${findCode(cause)}`, { cause });
}

function findCode(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown reason';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

// A segment starts with a letter or digit: that shuts out "..", hidden files and what looks like an option.
const segment = '[a-z0-9][a-z0-9._-]*';
const keyPattern = new RegExp(`^${segment}(/${segment})*$`);
const prefixPattern = new RegExp(`^(${segment}/)*(${segment})?$`);
const maxKeyCharacters = 255;

export function isKey(text: string): boolean {
  return text.length <= maxKeyCharacters && keyPattern.test(text) && !text.includes('..');
}

export function checkKey(key: string): void {
  if (!isKey(key)) {
    throw new Error(
      `storage key is ${JSON.stringify(key.slice(0, 300))}; it must be at most ${maxKeyCharacters} of a-z 0-9 . _ - ` +
        'in segments parted by "/", each starting with a letter or digit, without ".."',
    );
  }
}

export function checkPrefix(prefix: string): void {
  if (prefix.length > maxKeyCharacters || !prefixPattern.test(prefix) || prefix.includes('..')) {
    throw new Error(
      `storage prefix is ${JSON.stringify(prefix.slice(0, 300))}; it must be the start of a key, or ''`,
    );
  }
}

export function checkRange({ start, end }: ByteRange): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`range is ${start} to ${end}; it must be whole numbers, 0 <= start <= end`);
  }
}

export function createTooLarge(key: string, size: number, maxBytes: number): StorageFailed {
  return new StorageFailed(`"${key}" has ${size} bytes; at most ${maxBytes} are read at once`);
}

export function createRangePastEnd(key: string, { start }: ByteRange): RangeError {
  return new RangeError(`range starts at ${start}, past the end of "${key}"`);
}

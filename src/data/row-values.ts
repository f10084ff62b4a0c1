import type postgres from 'postgres';
import { type DataRows, readInt32 } from './data-rows.ts';

// What the values of rows are in JavaScript: as the driver would have them, and what Drizzle makes of that.

export type Column = Pick<postgres.Column<string>, 'name' | 'type' | 'parser'>;

/** A value's bytes are those between the two. */
export type ReadValue = (bytes: Buffer, from: number, to: number) => unknown;

/** Postgres' numbers of its own types; enumerations have others in each database. */
export const typeNumbers = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  varchar: 1043,
  timestamptz: 1184,
  jsonb: 3802,
};

const readText: ReadValue = (bytes, from, to) => bytes.toString('utf8', from, to);
const readAscii: ReadValue = (bytes, from, to) => bytes.toString('latin1', from, to);
const readNumber: ReadValue = (bytes, from, to) => Number(bytes.toString('latin1', from, to));
export const readInteger = (bytes: Buffer, from: number, to: number): number => {
  const isNegative = bytes[from] === minus;
  let value = 0;
  for (let at = isNegative ? from + 1 : from; at < to; at++)
    value = value * 10 + (bytes[at] as number) - zero;
  return isNegative ? -value : value;
};
const minus = '-'.charCodeAt(0);
const zero = '0'.charCodeAt(0);
const readJson: ReadValue = (bytes, from, to) => JSON.parse(bytes.toString('utf8', from, to));

const readers = new Map<number, ReadValue>([
  [typeNumbers.bool, (bytes, from) => bytes[from] === 't'.charCodeAt(0)],
  // Hashes, which are told in hex, as Postgres writes it behind `\x`.
  [typeNumbers.bytea, (bytes, from, to) => bytes.toString('latin1', from + 2, to)],
  [typeNumbers.int8, readAscii],
  [typeNumbers.int2, readInteger],
  [typeNumbers.int4, readInteger],
  [typeNumbers.text, readText],
  [typeNumbers.oid, readInteger],
  [typeNumbers.json, readJson],
  [typeNumbers.float4, readNumber],
  [typeNumbers.float8, readNumber],
  [typeNumbers.varchar, readText],
  [typeNumbers.timestamptz, readAscii],
  [typeNumbers.jsonb, readJson],
]);

/** Postgres gives types that a database defines numbers from here on. */
const firstOwnType = 16_384;

/** For values that are few and come again, as those of an enumeration: mostly the one of the row before. */
function createRepeating(read: ReadValue): ReadValue {
  let known = Buffer.alloc(0);
  let value: unknown;
  return (bytes, from, to) => {
    if (!equals(bytes, from, to, known)) {
      known = Buffer.from(bytes.subarray(from, to));
      value = read(bytes, from, to);
    }
    return value;
  };
}

function equals(bytes: Buffer, from: number, to: number, known: Buffer): boolean {
  if (to - from !== known.length) return false;
  for (let at = 0; at < known.length; at++) if (bytes[from + at] !== known[at]) return false;
  return known.length > 0;
}

/** As the driver reads what is not among these. */
export function findReader({ type, parser }: Column): ReadValue {
  const reader = readers.get(type);
  if (reader) return reader;
  if (type >= firstOwnType && !parser) return createRepeating(readText);
  return parser ? (bytes, from, to) => parser(bytes.toString('utf8', from, to)) : readText;
}

/** What a statement answered. */
export interface Received {
  rows: DataRows;
  columns: readonly Column[];
  /** What Postgres says it did, such as SELECT or COMMIT. */
  command: string;
}

export function decodeAsArrays({ rows, columns }: Received): unknown[][] {
  const readers = columns.map(findReader);
  return rows.starts.map((start, row) => readAll(rows.buffers[row] as Buffer, start, readers));
}

export function decodeAsObjects(received: Received): Record<string, unknown>[] {
  const names = received.columns.map(({ name }) => name);
  return decodeAsArrays(received).map(values =>
    Object.fromEntries(values.map((value, at) => [names[at], value])),
  );
}

function readAll(bytes: Buffer, start: number, readers: readonly ReadValue[]): unknown[] {
  let at = start;
  return readers.map(read => {
    const length = readInt32(bytes, at);
    const from = at + 4;
    at = from + Math.max(length, 0);
    return length < 0 ? null : read(bytes, from, at);
  });
}

import { typeNumbers } from '../data/row-values.ts';
import { PlanFailed } from './plan-failed.ts';

// Values of rows are written into an answer as the bytes that Postgres sent, which is UTF-8 text for each.

/**
 * Writes the value between the two as JSON; answers where it ends in `to`. There is room for six times its length and
 * for thirty bytes.
 */
export type WriteValue = (to: Buffer, at: number, bytes: Buffer, from: number, end: number) => number;

const code = (character: string) => character.charCodeAt(0);
const quote = code('"');
const backslash = code('\\');
const zero = code('0');

/** What JSON has a letter for, by what it stands for. */
const shortEscapes = new Map(
  ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt'].map(([character = '', letter = '']) => [
    code(character),
    code(letter),
  ]),
);

const writeText: WriteValue = (to, start, bytes, from, end) => {
  let at = start;
  to[at++] = quote;
  for (let index = from; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte >= 0x20 && byte !== quote && byte !== backslash) to[at++] = byte;
    else at = writeEscaped(to, at, byte);
  }
  to[at++] = quote;
  return at;
};

function writeEscaped(to: Buffer, at: number, byte: number): number {
  const letter = shortEscapes.get(byte);
  if (letter === undefined) return at + to.write(`\\u${byte.toString(16).padStart(4, '0')}`, at, 'latin1');
  to[at] = backslash;
  to[at + 1] = letter;
  return at + 2;
}

const writeAsItIs: WriteValue = (to, start, bytes, from, end) => {
  let at = start;
  for (let index = from; index < end; index++) to[at++] = bytes[index] as number;
  return at;
};

/** What has nothing to be escaped. */
const writeQuoted: WriteValue = (to, at, bytes, from, end) => {
  to[at] = quote;
  const last = writeAsItIs(to, at + 1, bytes, from, end);
  to[last] = quote;
  return last + 1;
};

/** Postgres writes `\x` before the digits. */
const writeHex: WriteValue = (to, at, bytes, from, end) => writeQuoted(to, at, bytes, from + 2, end);

const writeBoolean: WriteValue = (to, at, bytes, from) =>
  at + to.write(bytes[from] === code('t') ? 'true' : 'false', at, 'latin1');

const places = { endOfYear: 4, time: 11, fraction: 20 };
const utc = '+00'.length;

/**
 * `2024-10-17 07:48:05.12+00` as `"2024-10-17T07:48:05.120Z"`. What is less than a millisecond is cut off, as elsewhere.
 * @throws {PlanFailed} for years of more or fewer than four digits
 */
const writeTime: WriteValue = (to, start, bytes, from, end) => {
  const digitsEnd = end - utc;
  const isPlain =
    bytes[from] !== zero &&
    bytes[from + places.endOfYear] === code('-') &&
    bytes[from + places.time - 1] === code(' ') &&
    bytes[digitsEnd] === code('+');
  if (!isPlain) throw new PlanFailed();
  let at = start;
  to[at++] = quote;
  at = writeAsItIs(to, at, bytes, from, from + places.time - 1);
  to[at++] = code('T');
  at = writeAsItIs(to, at, bytes, from + places.time, from + places.fraction - 1);
  to[at++] = code('.');
  for (let digit = 0; digit < 3; digit++) {
    const place = from + places.fraction + digit;
    to[at++] = place < digitsEnd ? (bytes[place] as number) : zero;
  }
  to[at++] = code('Z');
  to[at++] = quote;
  return at;
};

const { bool, bytea, int2, int4, int8, text, timestamptz, varchar } = typeNumbers;

/** By the names of GraphQL's types, then by the numbers of Postgres'. */
const writers: Readonly<Record<string, ReadonlyMap<number, WriteValue>>> = {
  ID: new Map([
    [int8, writeQuoted],
    [text, writeText],
  ]),
  String: new Map([
    [text, writeText],
    [varchar, writeText],
    [bytea, writeHex],
  ]),
  URL: new Map([[text, writeText]]),
  Locale: new Map([[text, writeText]]),
  Int: new Map([
    [int2, writeAsItIs],
    [int4, writeAsItIs],
  ]),
  Boolean: new Map([[bool, writeBoolean]]),
  DateTime: new Map([[timestamptz, writeTime]]),
};

/** Numbers of types that a database has defined itself are not below. */
const firstOwnNumber = 16_384;

/** Null where a value of the one type is not written as one of the other. */
export function findWriteValue(typeName: string, isEnum: boolean, type: number): WriteValue | null {
  if (isEnum) return type >= firstOwnNumber ? writeText : null;
  return writers[typeName]?.get(type) ?? null;
}

import type { SigningBatch } from '../rendering/address.ts';

// An answer as bytes. What is written into it as it came from the database need not become text before.

const leastBytes = 1_024;
const none = Buffer.alloc(0);

/** What answers were put together in: memory that is new each time costs large ones more than what is written there. */
const spare: Buffer[] = [];
const maxSpare = 4;
const maxSpareBytes = 1_048_576;

export class AnswerBytes {
  /** What is beyond `length` is of no meaning. Others take its place as it grows. */
  bytes: Buffer = none;
  length = 0;
  /** Of addresses in it, which are signed when all is written; null where there are none. */
  unsigned: SigningBatch | null = null;

  /** Makes sure that so many more have room. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    if (this.bytes === none) this.bytes = spare.pop() ?? none;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2, leastBytes));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** What is written here is of no use any more; others may write over it. */
  release(): void {
    if (this.bytes.length > 0 && this.bytes.length <= maxSpareBytes && spare.length < maxSpare)
      spare.push(this.bytes);
    this.bytes = none;
    this.length = 0;
    this.unsigned = null;
  }

  /** Of characters of ASCII alone. */
  putAscii(text: string): void {
    this.reserve(text.length);
    for (let at = 0; at < text.length; at++) this.bytes[this.length++] = text.charCodeAt(at);
  }

  /** As `JSON.stringify`. */
  putJson(value: unknown): void {
    const text = JSON.stringify(value);
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }

  putBytes(bytes: Buffer, from: number, to: number): void {
    this.reserve(to - from);
    this.length += bytes.copy(this.bytes, this.length, from, to);
  }
}

/** A part of an answer that is written already, in `AnswerBytes` of its own request. */
export class Written {
  readonly from: number;
  readonly to: number;

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }
}

/** The JSON of an answer, some of whose values are parts of `written`. */
export function formatAnswer(answer: object, written: AnswerBytes): Buffer | string {
  if (written.length === 0) return JSON.stringify(answer);
  written.unsigned?.sign(written.bytes);
  const out = new AnswerBytes();
  // It leaves with the answer, so that none is taken that is to be used again.
  out.bytes = Buffer.allocUnsafe(Math.max(Math.ceil(written.length * 1.125), leastBytes));
  put(answer, out, written);
  return out.bytes.subarray(0, out.length);
}

function put(value: unknown, out: AnswerBytes, written: AnswerBytes): void {
  if (value instanceof Written) out.putBytes(written.bytes, value.from, value.to);
  else if (Array.isArray(value)) putList(value, out, written);
  else if (isPlainObject(value)) putObject(value, out, written);
  else out.putJson(value);
}

function putList(values: readonly unknown[], out: AnswerBytes, written: AnswerBytes): void {
  out.putAscii('[');
  for (let at = 0; at < values.length; at++) {
    if (at > 0) out.putAscii(',');
    put(values[at], out, written);
  }
  out.putAscii(']');
}

function putObject(value: Record<string, unknown>, out: AnswerBytes, written: AnswerBytes): void {
  let before = '{"';
  for (const key in value) {
    // Names of GraphQL are ASCII, and nothing in them is to be escaped.
    out.putAscii(before);
    out.putAscii(key);
    out.putAscii('":');
    put(value[key], out, written);
    before = ',"';
  }
  out.putAscii(before === '{"' ? '{}' : '}');
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

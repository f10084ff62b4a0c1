import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** The first of a list signs; all of them verify, so that keys can be changed while addresses are about. */
export interface SigningKey {
  id: string;
  secret: string;
}

export interface Signer {
  /** `<key id>.<22 characters>` */
  sign(path: string): string;
  /** Signs what lies between `from` and `end` of the bytes, and writes the signature at `at`; answers where it ends. */
  signWritten(bytes: Buffer, at: number, from: number, end: number): number;
  /** Of a signature; ASCII alone. */
  length: number;
  /** In constant time. */
  verify(signature: string, path: string): boolean;
}

/** In base64url: 132 bits of HMAC-SHA256. */
const signatureLength = 22;
const blockBytes = 64;
const digestBytes = 32;
/** More than any address that is signed; only a forged one is longer. */
const maxShortBytes = 4_096;

/** Less than a microsecond for an address: a query signs thousands. */
export function createSigner(keys: readonly SigningKey[]): Signer {
  const [first] = keys;
  if (!first) throw new Error('There is no key to sign with');
  const digests = new Map(keys.map(({ id, secret }) => [id, new KeyedDigest(secret)]));
  const digest = new KeyedDigest(first.secret);
  const prefix = `${first.id}.`;
  return {
    sign: path => prefix + digest.ofText(path),
    signWritten(bytes, at, from, end) {
      const digestAt = putAscii(bytes, at, prefix);
      return putAscii(bytes, digestAt, digest.ofBytes(bytes, from, end));
    },
    length: prefix.length + signatureLength,
    verify(signature, path) {
      const dot = signature.indexOf('.');
      const expected = digests.get(signature.slice(0, dot))?.ofText(path);
      return expected !== undefined && isEqual(signature.slice(dot + 1), expected);
    },
  };
}

/**
 * HMAC-SHA256 as RFC 2104 spells it out, with both pads made once and two one-shot hashes: a `createHmac` for each
 * text takes more than twice as long.
 */
class KeyedDigest {
  readonly #key: Buffer;
  /** The key's pad, and behind it what is digested. */
  readonly #inner = Buffer.alloc(blockBytes + maxShortBytes);
  readonly #outer = Buffer.alloc(blockBytes + digestBytes);
  /** The beginnings of `inner`, by their length: making one takes as long as copying what is in it. */
  readonly #beginnings: Buffer[] = [];

  constructor(secret: string) {
    this.#key =
      Buffer.byteLength(secret) > blockBytes ? hash('sha256', secret, 'buffer') : Buffer.from(secret);
    for (let at = 0; at < blockBytes; at++) {
      this.#inner[at] = (this.#key[at] ?? 0) ^ 0x36;
      this.#outer[at] = (this.#key[at] ?? 0) ^ 0x5c;
    }
  }

  ofText(text: string): string {
    if (text.length * 3 > maxShortBytes) return this.#ofLong(text);
    return this.#finish(blockBytes + this.#inner.write(text, blockBytes));
  }

  ofBytes(bytes: Buffer, from: number, end: number): string {
    if (end - from > maxShortBytes) return this.#ofLong(bytes.subarray(from, end));
    return this.#finish(blockBytes + bytes.copy(this.#inner, blockBytes, from, end));
  }

  #finish(end: number): string {
    this.#beginnings[end] ??= this.#inner.subarray(0, end);
    this.#outer.write(hash('sha256', this.#beginnings[end], 'binary'), blockBytes, 'latin1');
    return shorten(hash('sha256', this.#outer, 'base64url'));
  }

  #ofLong(text: string | Buffer): string {
    return shorten(createHmac('sha256', this.#key).update(text).digest('base64url'));
  }
}

/** For a few characters faster than what is native. */
function putAscii(to: Buffer, start: number, text: string): number {
  for (let at = 0; at < text.length; at++) to[start + at] = text.charCodeAt(at);
  return start + text.length;
}

function shorten(digest: string): string {
  return digest.slice(0, signatureLength);
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** The first of a list signs; all of them verify, so that keys can be changed while addresses are about. */
export interface SigningKey {
  id: string;
  secret: string;
}

export interface Signer {
  /** `<key id>.<22 characters>` */
  sign(path: string): string;
  /** For texts that end alike, in ASCII, behind that many bytes of their own. */
  prepare(ownBytes: number, ending: string): SignPrepared;
  /** Of a signature; ASCII alone. */
  length: number;
  /** In constant time. */
  verify(signature: string, path: string): boolean;
}

/** Signs the text whose own bytes begin at `from`, and writes the signature at `at`. There must be room for it. */
export type SignPrepared = (to: Buffer, at: number, bytes: Buffer, from: number) => void;

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
    sign: path => prefix + shorten(digest.ofText(path)),
    prepare(ownBytes, ending) {
      const digestPrepared = digest.prepare(ownBytes, ending);
      return (to, at, bytes, from) => {
        putLatin1(to, at, prefix, prefix.length);
        putLatin1(to, at + prefix.length, digestPrepared(bytes, from), signatureLength);
      };
    },
    length: prefix.length + signatureLength,
    verify(signature, path) {
      const dot = signature.indexOf('.');
      const expected = digests.get(signature.slice(0, dot))?.ofText(path);
      return expected !== undefined && isEqual(signature.slice(dot + 1), shorten(expected));
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

  /** In base64url. */
  ofText(text: string): string {
    if (text.length * 3 > maxShortBytes) {
      return createHmac('sha256', this.#key).update(text).digest('base64url');
    }
    const end = blockBytes + this.#inner.write(text, blockBytes);
    this.#beginnings[end] ??= this.#inner.subarray(0, end);
    return this.#finish(this.#beginnings[end]);
  }

  /** Digests the text that has these own bytes, from `from` on, before an ending in ASCII. */
  prepare(ownBytes: number, ending: string): (bytes: Buffer, from: number) => string {
    const inner = Buffer.alloc(blockBytes + ownBytes + ending.length);
    this.#inner.copy(inner, 0, 0, blockBytes);
    inner.write(ending, blockBytes + ownBytes, 'latin1');
    return (bytes, from) => {
      putBytes(inner, blockBytes, bytes, from, ownBytes);
      return this.#finish(inner);
    };
  }

  #finish(inner: Buffer): string {
    putLatin1(this.#outer, blockBytes, hash('sha256', inner, 'binary'), digestBytes);
    return hash('sha256', this.#outer, 'base64url');
  }
}

/** For as few characters faster than what is native. */
function putLatin1(to: Buffer, start: number, text: string, count: number): void {
  for (let at = 0; at < count; at++) to[start + at] = text.charCodeAt(at);
}

/** Likewise. */
export function putBytes(to: Buffer, start: number, bytes: Buffer, from: number, count: number): void {
  for (let at = 0; at < count; at++) to[start + at] = bytes[from + at] as number;
}

function shorten(digest: string): string {
  return digest.slice(0, signatureLength);
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** The first of a list signs; all of them verify, so that keys can be changed while addresses are about. */
export interface SigningKey {
  id: string;
  secret: string;
}

export interface Signer {
  /** `<key id>.<22 characters>` */
  sign(path: string): string;
  /** In constant time. */
  verify(signature: string, path: string): boolean;
}

/** In base64url: 132 bits of HMAC-SHA256. */
const signatureLength = 22;
const blockBytes = 64;
const digestBytes = 32;
/** More than any address that is signed; only a forged one is longer. */
const maxShortBytes = 4_096;

/** About a microsecond and a half for an address: a query signs thousands. */
export function createSigner(keys: readonly SigningKey[]): Signer {
  const [first] = keys.map(({ id, secret }) => ({ id, digest: createDigest(secret) }));
  if (!first) throw new Error('There is no key to sign with');
  const digests = new Map(keys.map(({ id, secret }) => [id, createDigest(secret)]));
  return {
    sign: path => `${first.id}.${first.digest(path)}`,
    verify(signature, path) {
      const dot = signature.indexOf('.');
      const digest = digests.get(signature.slice(0, dot));
      return digest !== undefined && isEqual(signature.slice(dot + 1), digest(path));
    },
  };
}

/**
 * HMAC-SHA256 as RFC 2104 spells it out, with both pads made once and two one-shot hashes: a `createHmac` for each
 * text takes two to three times as long.
 */
function createDigest(secret: string): (text: string) => string {
  const key = Buffer.byteLength(secret) > blockBytes ? hash('sha256', secret, 'buffer') : Buffer.from(secret);
  const inner = Buffer.alloc(blockBytes + maxShortBytes);
  const outer = Buffer.alloc(blockBytes + digestBytes);
  for (let at = 0; at < blockBytes; at++) {
    inner[at] = (key[at] ?? 0) ^ 0x36;
    outer[at] = (key[at] ?? 0) ^ 0x5c;
  }
  return text => {
    if (text.length * 3 > maxShortBytes)
      return shorten(createHmac('sha256', key).update(text).digest('base64url'));
    const end = blockBytes + inner.write(text, blockBytes);
    outer.write(hash('sha256', inner.subarray(0, end), 'hex'), blockBytes, 'hex');
    return shorten(hash('sha256', outer, 'base64url'));
  };
}

function shorten(digest: string): string {
  return digest.slice(0, signatureLength);
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a caller shows, taken apart. */
export interface ShownKey {
  id: string;
  secret: string;
}

const shape = /^packshot_([a-z0-9]{12})_([\w-]{43})$/;

/** A key that was never given out. Its text is told once; only the hash of its secret is kept. */
export function createApiKey(): { id: string; text: string; secretHash: string } {
  const id = randomBytes(6).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { id, text: `packshot_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** Null for what does not look like one of our keys. */
export function parseApiKey(text: string): ShownKey | null {
  const [, id, secret] = shape.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

/** SHA-256, hex. No slow hash: a secret of 256 random bits cannot be guessed, whatever a guess costs. */
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In a time that tells nothing of how much is right. */
export function isSecretOf({ secret }: ShownKey, secretHash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(secretHash, 'hex'));
}

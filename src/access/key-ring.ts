import type { Scope } from './caller.ts';

/** A key as it is kept. */
export interface KeptKey {
  id: string;
  /** SHA-256, hex. */
  secretHash: string;
  scopes: ReadonlySet<Scope>;
  expiresAt: Date | null;
}

/** All keys that are good at the moment, except for those that expire meanwhile. */
export interface KeyRing {
  keys: ReadonlyMap<string, KeptKey>;
  /** Whether there ever was a key: revoking the last one must not let everybody in. */
  wasEverUsed: boolean;
}

/** For how long a key that was made is not known yet, and one that was revoked still is. */
export const keyRingMaxAgeMs = 5_000;

/**
 * Remembers the keys, all of them: they are few, and a flood of wrong ones costs no statement. Read anew by the first
 * request after five seconds; those that come meanwhile wait for the same answer.
 */
export function createKeyRing(load: () => Promise<KeyRing>): () => KeyRing | Promise<KeyRing> {
  let known: { ring: KeyRing; readAt: number } | null = null;
  let loading: Promise<KeyRing> | null = null;
  const read = async () => {
    const readAt = performance.now();
    try {
      const ring = await load();
      known = { ring, readAt };
      return ring;
    } finally {
      loading = null;
    }
  };
  return () => {
    if (known && performance.now() - known.readAt < keyRingMaxAgeMs) return known.ring;
    loading ??= read();
    return loading;
  };
}

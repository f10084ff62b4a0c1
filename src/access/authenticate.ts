import { isSecretOf, parseApiKey, type ShownKey } from './api-key.ts';
import { anyone, type Caller, publicReader, stranger } from './caller.ts';
import type { KeyRing } from './key-ring.ts';
import { BadCredential } from './refusals.ts';
import type { VerifyToken } from './tokens.ts';

export interface AuthenticationOptions {
  readKeyRing: () => KeyRing | Promise<KeyRing>;
  /** Null where tokens are not set up. */
  verifyToken: VerifyToken | null;
  /** Who shows no credential may read. */
  isReadPublic: boolean;
  /**
   * Whom everybody is let in for who asks by this name, as long as no credentials are set up. By another name, which a
   * foreign page may have made to lead here (DNS rebinding), nobody is.
   */
  isOwnName: (host: string) => boolean;
}

export interface Authentication {
  /**
   * Who sends this `authorization` header (RFC 6750), asking for that `host`, its port included.
   * @throws {BadCredential} whatever the caller could do without one
   * @throws {CredentialsUnavailable}
   */
  authenticate(authorization: string | null, host: string): Promise<Caller>;
  /** Whether credentials are set up at all; else everybody may do everything. */
  isClosed(): Promise<boolean>;
}

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { readKeyRing, verifyToken, isReadPublic, isOwnName } = options;

  async function authenticateBearer(text: string): Promise<Caller> {
    const shown = parseApiKey(text);
    if (shown) return findCaller(shown, await readKeyRing());
    if (verifyToken) return verifyToken(text);
    throw new BadCredential('It is no API key, and tokens are not set up');
  }

  async function isClosed(): Promise<boolean> {
    return verifyToken !== null || (await readKeyRing()).wasEverUsed;
  }

  return {
    async authenticate(authorization, host) {
      if (authorization !== null) return authenticateBearer(readBearer(authorization));
      if (!(await isClosed())) return isOwnName(host) ? anyone : { ...stranger, foreignHost: host };
      return isReadPublic ? publicReader : stranger;
    },
    isClosed,
  };
}

function readBearer(authorization: string): string {
  const [, text] = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization) ?? [];
  if (text === undefined) throw new BadCredential('The header is not "Bearer", a space and a credential');
  return text;
}

function findCaller(shown: ShownKey, { keys }: KeyRing): Caller {
  const kept = keys.get(shown.id);
  if (!kept) throw new BadCredential(`There is no key ${shown.id}, or it was revoked`);
  if (!isSecretOf(shown, kept.secretHash))
    throw new BadCredential(`The secret is not that of key ${shown.id}`);
  if (kept.expiresAt && kept.expiresAt.getTime() <= Date.now()) {
    throw new BadCredential(`Key ${shown.id} has expired`);
  }
  return { id: `key:${shown.id}`, scopes: kept.scopes, isStranger: false };
}

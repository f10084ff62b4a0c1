import { createHmac } from 'node:crypto';
import { createApiKey } from '../../src/access/api-key.ts';
import type { Scope } from '../../src/access/caller.ts';
import { insertApiKey, revokeApiKey } from '../../src/data/api-keys.ts';
import type { Database } from '../../src/data/database.ts';
import type { TestService } from './service.ts';

export const tokenSettings = {
  JWT_SECRET: 'a secret of the tests that nobody else knows',
  JWT_ISSUER: 'https://login.shop.example',
  JWT_AUDIENCE: 'packshot',
};

export interface KeyOptions {
  scopes?: Scope[];
  expiresAt?: Date;
  isRevoked?: boolean;
}

/** The key's text. */
export async function makeKey(db: Database, options: KeyOptions = {}): Promise<string> {
  const { scopes = ['images:read', 'images:write'], expiresAt = null, isRevoked = false } = options;
  const { id, text, secretHash } = createApiKey();
  await insertApiKey(db, { id, name: 'test', secretHash, scopes, expiresAt });
  if (isRevoked) await revokeApiKey(db, id);
  return text;
}

/** Made here by hand, so that what is wrong with it is ours to choose. Null takes a claim away. */
export function makeToken(
  claims: Record<string, unknown> = {},
  { header = { alg: 'HS256' }, secret = tokenSettings.JWT_SECRET }: { header?: object; secret?: string } = {},
): string {
  const now = Math.floor(Date.now() / 1_000);
  const payload = {
    iss: tokenSettings.JWT_ISSUER,
    aud: tokenSettings.JWT_AUDIENCE,
    sub: 'somebody',
    exp: now + 60,
    scope: 'images:read images:write',
    ...claims,
  };
  const given = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== null));
  const signed = [header, given]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const isSigned = !('alg' in header && header.alg === 'none');
  return `${signed}.${isSigned ? createHmac('sha256', secret).update(signed).digest('base64url') : ''}`;
}

export interface GuardedAnswer {
  status: number;
  challenge: string | null;
  errors?: { extensions: { code: string; legacyCode?: string } }[];
}

/** Asks as who shows that credential, or none. */
export async function askAs(
  service: Pick<TestService, 'url'>,
  credential: string | null,
  query: string,
): Promise<GuardedAnswer> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential !== null && { authorization: `Bearer ${credential}` }),
    },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await response.json()) as GuardedAnswer;
  return { status: response.status, challenge: response.headers.get('www-authenticate'), errors };
}

import { type Authentication, createAuthentication } from './access/authenticate.ts';
import { isScope } from './access/caller.ts';
import { createKeyRing, type KeyRing } from './access/key-ring.ts';
import { createVerifyToken } from './access/tokens.ts';
import type { Config } from './config.ts';
import { findGoodApiKeys, hadApiKeys } from './data/api-keys.ts';
import type { Database } from './data/database.ts';
import type { Logger } from './log.ts';

/** With the keys that the database has and the tokens that the configuration names. */
export function createAuthenticationOf(config: Config, db: Database): Authentication {
  const { jwtSecret, jwksUrl, jwtIssuer, jwtAudience, publicRead } = config;
  const isOwnName = isLoopback(config.host) ? createIsNamed(config.publicUrl) : () => false;
  return createAuthentication({
    readKeyRing: createKeyRing(() => loadKeyRing(db)),
    verifyToken: createVerifyToken({
      secret: jwtSecret,
      jwksUrl,
      issuer: jwtIssuer,
      audience: jwtAudience,
    }),
    isReadPublic: publicRead,
    isOwnName,
  });
}

async function loadKeyRing(db: Database): Promise<KeyRing> {
  const rows = await findGoodApiKeys(db);
  const keys = rows.map(row => [row.id, { ...row, scopes: new Set(row.scopes.filter(isScope)) }] as const);
  return { keys: new Map(keys), wasEverUsed: rows.length > 0 || (await hadApiKeys(db)) };
}

/** Nobody but this machine's users may reach a service that lets everybody in. */
export async function checkExposure(
  { host }: Config,
  authentication: Authentication,
  log: Logger,
): Promise<void> {
  if (await authentication.isClosed()) return;
  if (!isLoopback(host)) {
    throw new Error(
      `HOST is ${JSON.stringify(host)}, and nobody would be asked for credentials; make a key first, ` +
        'with npm run keys -- make NAME, or set JWT_SECRET or JWKS_URL; or leave HOST at 127.0.0.1',
    );
  }
  log.info(
    'No credentials are set up: whoever reaches the service may do everything; it listens on this machine only',
  );
}

/** Remembers what it was asked last: each request asks. */
function createIsNamed(publicUrl: string): (host: string) => boolean {
  let last = { host: '', isNamed: false };
  return host => {
    if (host !== last.host) last = { host, isNamed: isNamed(host, publicUrl) };
    return last.isNamed;
  };
}

/** By a name of this machine, or by the one that is set. */
function isNamed(host: string, publicUrl: string): boolean {
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return isLoopback(name.replace(/^\[|\]$/g, '')) || name === URL.parse(publicUrl)?.hostname;
}

function isLoopback(host: string): boolean {
  return /^(localhost|::1|127(\.\d{1,3}){3})$/.test(host);
}

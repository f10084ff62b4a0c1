import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Caller, isScope } from './caller.ts';
import { BadCredential, CredentialsUnavailable } from './refusals.ts';

export interface TokenOptions {
  /** For HS256; empty where JWKS_URL has the keys. */
  secret: string;
  jwksUrl: string;
  issuer: string;
  audience: string;
}

/**
 * Who shows a JSON Web Token (RFC 7519). Its scopes are those of `scope`, parted by spaces (RFC 8693, 4.2).
 * @throws {BadCredential}
 * @throws {CredentialsUnavailable} when the keys that it is to be checked with cannot be had
 */
export type VerifyToken = (token: string) => Promise<Caller>;

/** What signs is ours to say, never the token's. */
const asymmetricAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** Of clocks that do not agree. */
const clockToleranceSeconds = 5;

/** Null where tokens are not set up. */
export function createVerifyToken(options: TokenOptions): VerifyToken | null {
  const { secret, jwksUrl, issuer, audience } = options;
  if (!secret && !jwksUrl) return null;
  const algorithms = secret ? ['HS256'] : asymmetricAlgorithms;
  const findKey = secret
    ? findSecret(secret)
    : createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 3_000 });
  return async token => {
    try {
      const { payload } = await jwtVerify(token, findKey, {
        algorithms,
        issuer,
        audience,
        requiredClaims: ['exp'],
        clockTolerance: clockToleranceSeconds,
      });
      return createCaller(payload);
    } catch (error) {
      throw isRefusal(error) ? new BadCredential(error.message) : new CredentialsUnavailable(error);
    }
  };
}

function findSecret(secret: string): JWTVerifyGetKey {
  const key = new TextEncoder().encode(secret);
  return async () => key;
}

/** Else the token may be good, and the keys could not be fetched. */
function isRefusal(error: unknown): error is errors.JOSEError {
  if (!(error instanceof errors.JOSEError)) return false;
  return !(
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === 'ERR_JOSE_GENERIC'
  );
}

function createCaller({ sub, scope }: JWTPayload): Caller {
  const named = typeof scope === 'string' ? scope.split(' ') : [];
  return { id: `jwt:${sub ?? ''}`, scopes: new Set(named.filter(isScope)), isStranger: false };
}

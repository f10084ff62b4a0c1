import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadCredential, CredentialsUnavailable } from '../../src/access/refusals.ts';
import { createVerifyToken, type VerifyToken } from '../../src/access/tokens.ts';
import { makeToken, tokenSettings } from '../support/credentials.ts';

const issuer = tokenSettings.JWT_ISSUER;
const audience = tokenSettings.JWT_AUDIENCE;

describe('with public keys', () => {
  let server: Server;
  let verify: VerifyToken | null;
  let jwksUrl: string;
  let asked = 0;
  const pairs = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>();
  beforeAll(async () => {
    for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA', 'ES384']) {
      pairs.set(algorithm, await generateKeyPair(algorithm, { extractable: true }));
    }
    const keys = await Promise.all(
      [...pairs].map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg })),
    );
    server = createServer((_request, response) => {
      asked++;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    verify = createVerifyToken({ secret: '', jwksUrl, issuer, audience });
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  async function sign(alg: string, kid = alg): Promise<string> {
    const { privateKey } = pairs.get(alg) ?? {};
    if (!privateKey) throw new Error(`no key for ${alg}`);
    return new SignJWT({ scope: 'images:read' })
      .setProtectedHeader({ alg, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject('shop')
      .setExpirationTime('1m')
      .sign(privateKey);
  }

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('a token signed by %s is who it says', async algorithm => {
    expect(await verify?.(await sign(algorithm))).toEqual({
      id: 'jwt:shop',
      scopes: new Set(['images:read']),
      isStranger: false,
    });
  });

  test('the keys are fetched once', () => {
    expect(asked).toBe(1);
  });

  test('an algorithm that is not ours is refused, though its key is there', async () => {
    await expect(verify?.(await sign('ES384'))).rejects.toThrow(BadCredential);
  });

  test('a token of an unknown key is refused', async () => {
    await expect(verify?.(await sign('ES256', 'unknown'))).rejects.toThrow(BadCredential);
  });

  test('a token signed with the public key as if it were a secret is refused', async () => {
    const { publicKey } = pairs.get('RS256') ?? {};
    const secret = publicKey ? await exportSPKI(publicKey) : '';
    const token = makeToken({}, { header: { alg: 'HS256', kid: 'RS256' }, secret });
    await expect(verify?.(token)).rejects.toThrow(BadCredential);
  });

  test('while the keys cannot be had nobody says that a token is bad', async () => {
    const { port } = server.address() as AddressInfo;
    const elsewhere = createVerifyToken({
      secret: '',
      jwksUrl: `http://127.0.0.1:${port}`.replace(/\d+$/, '9'),
      issuer,
      audience,
    });
    await expect(elsewhere?.(await sign('ES256'))).rejects.toThrow(CredentialsUnavailable);
  });
});

describe('with a secret', () => {
  const verify = createVerifyToken({ secret: tokenSettings.JWT_SECRET, jwksUrl: '', issuer, audience });

  test('scopes that are not ours count for nothing', async () => {
    const caller = await verify?.(makeToken({ scope: 'images:write openid images:own' }));
    expect(caller).toEqual({ id: 'jwt:somebody', scopes: new Set(['images:write']), isStranger: false });
  });

  test.each([
    ['of HS512', makeToken({}, { header: { alg: 'HS512' } })],
    ['that is not valid yet', makeToken({ nbf: Math.floor(Date.now() / 1_000) + 60 })],
    ['whose scope is a list of audiences', makeToken({ aud: ['elsewhere', 'nowhere'] })],
    ['cut short', makeToken().slice(0, -3)],
    ['that is none', 'nonsense'],
  ])('a token %s is refused', async (_what, token) => {
    await expect(verify?.(token)).rejects.toThrow(BadCredential);
  });
});

test('without settings there are no tokens', () => {
  expect(createVerifyToken({ secret: '', jwksUrl: '', issuer: '', audience: '' })).toBeNull();
});

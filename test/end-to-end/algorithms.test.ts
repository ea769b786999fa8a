import { createSecretKey, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { get, signUp } from '../http-client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;
const symmetric = ['HS256', 'HS384', 'HS512'] as const;

async function withServer(
  env: Readonly<Record<string, string>>,
  use: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await startServer(env);
  try {
    await use(server);
  } finally {
    await server.remove();
  }
}

describe.each(asymmetric)('ALGORITHM=%s alone', (ALGORITHM) => {
  it('makes a server whose tokens jose verifies with the published keys', async () => {
    await withServer({ ALGORITHM }, async ({ url }) => {
      const { access_token } = await signUp(url, 'ada');
      expect((await get(`${url}/me`, access_token)).status).toBe(200);
      const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
      const options = { issuer: url, audience: url, typ: 'at+jwt', algorithms: [ALGORITHM] };
      const { payload, protectedHeader } = await jwtVerify(access_token, keys, options);
      expect(protectedHeader).toMatchObject({ alg: ALGORITHM, typ: 'at+jwt' });
      expect(payload).toMatchObject({ iss: url, roles: ['user'], af: expect.any(Number), sid: expect.any(String) });
    });
  });
});

describe('K1 the published keys', () => {
  it('hold public members only', async () => {
    await withServer({}, async ({ url }) => {
      const { body } = await get(`${url}/.well-known/jwks.json`);
      for (const key of body['keys'] as readonly object[]) {
        expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      }
    });
  });
});

describe.each(symmetric)('ALGORITHM=%s with SECRET_KEY', (ALGORITHM) => {
  const SECRET_KEY = randomBytes(64).toString('base64url');
  const secret = createSecretKey(Buffer.from(SECRET_KEY));

  it('makes a server whose tokens jose verifies with the same secret', async () => {
    await withServer({ ALGORITHM, SECRET_KEY }, async ({ url }) => {
      const { access_token } = await signUp(url, 'ada');
      expect((await get(`${url}/me`, access_token)).status).toBe(200);
      await jwtVerify(access_token, secret, { issuer: url, audience: url, algorithms: [ALGORITHM] });
      expect((await get(`${url}/.well-known/jwks.json`)).body).toEqual({ keys: [] });
    });
  });

  it('accepts a token that jose signs with the key, and says when one has expired', async () => {
    await withServer({ ALGORITHM, SECRET_KEY }, async ({ url }) => {
      const { access_token } = await signUp(url, 'ada');
      const header = { ...decodeProtectedHeader(access_token), alg: ALGORITHM };
      const claims = decodeJwt(access_token);
      const now = Math.floor(Date.now() / 1000);
      const resigned = (changes: object): Promise<string> =>
        new SignJWT({ ...claims, ...changes }).setProtectedHeader(header).sign(secret);
      expect((await get(`${url}/me`, await resigned({ exp: now + 60 }))).status).toBe(200);
      expect(await get(`${url}/me`, await resigned({ exp: now - 1 }))).toMatchObject({
        status: 401,
        body: { detail: 'Token has expired', code: 'token_expired' },
      });
      expect((await get(`${url}/me`, await resigned({ aud: 'https://other.example' }))).status).toBe(401);
      expect((await get(`${url}/me`, await resigned({ iss: `${url}/` }))).status).toBe(401);
    });
  });
});

import { createSecretKey, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../packages/server/src/environment.ts';
import { createLog } from '../../packages/server/src/logging.ts';
import { type RunningServer, startServer } from '../../packages/server/src/node.ts';
import { get, signUp } from '../http-client.ts';

const asymmetric = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
];
const symmetric = ['HS256', 'HS384', 'HS512'] as const;

/** What `serve` starts in an environment, here in this process: fourteen processes would take most of a minute. */
async function serve(environment: Readonly<Record<string, string>>): Promise<{ url: string; server: RunningServer }> {
  const settings = readEnvironment({ process: { PORT: '0', DATABASE_URL: 'memory:', ...environment } });
  const server = await startServer(settings, await createLog({ level: 'error', format: 'json' }));
  return { url: server.greeting.url, server };
}

describe.each(asymmetric)('ALGORITHM=%s alone', (ALGORITHM) => {
  let server: RunningServer;
  let url: string;
  beforeAll(async () => {
    ({ server, url } = await serve({ ALGORITHM }));
  });
  afterAll(() => server.stop());

  it('makes a server whose tokens jose verifies with the published keys', async () => {
    const { access_token } = await signUp(url, 'ada');
    expect((await get(`${url}/me`, access_token)).status).toBe(200);
    const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
    const options = { issuer: url, audience: url, typ: 'at+jwt', algorithms: [ALGORITHM] };
    const { payload, protectedHeader } = await jwtVerify(access_token, keys, options);
    expect(protectedHeader).toMatchObject({ alg: ALGORITHM, typ: 'at+jwt' });
    expect(payload).toMatchObject({ iss: url, roles: ['user'], af: expect.any(Number), sid: expect.any(String) });
  });

  it('K1 publishes public members only', async () => {
    const { body } = await get(`${url}/.well-known/jwks.json`);
    const members = (body['keys'] as readonly object[]).flatMap((key) => Object.keys(key));
    const publicMembers = ['kty', 'use', 'alg', 'kid', 'n', 'e', 'crv', 'x', 'y'];
    expect(members.length).toBeGreaterThan(0);
    expect(members.filter((member) => !publicMembers.includes(member))).toEqual([]);
  });
});

describe.each(symmetric)('ALGORITHM=%s with SECRET_KEY', (ALGORITHM) => {
  const SECRET_KEY = randomBytes(64).toString('base64url');
  const secret = createSecretKey(Buffer.from(SECRET_KEY));
  let server: RunningServer;
  let url: string;
  let token: string;
  beforeAll(async () => {
    ({ server, url } = await serve({ ALGORITHM, SECRET_KEY }));
    token = (await signUp(url, 'ada')).access_token;
  });
  afterAll(() => server.stop());

  it('makes a server whose tokens jose verifies with the same secret', async () => {
    expect((await get(`${url}/me`, token)).status).toBe(200);
    await jwtVerify(token, secret, { issuer: url, audience: url, algorithms: [ALGORITHM] });
  });

  it('K1 publishes no key', async () => {
    expect((await get(`${url}/.well-known/jwks.json`)).body).toEqual({ keys: [] });
  });

  it('accepts a token that jose signs with the key, and says when one has expired', async () => {
    const header = { ...decodeProtectedHeader(token), alg: ALGORITHM };
    const now = Math.floor(Date.now() / 1000);
    const resigned = (changes: object): Promise<string> =>
      new SignJWT({ ...decodeJwt(token), ...changes }).setProtectedHeader(header).sign(secret);
    expect((await get(`${url}/me`, await resigned({ exp: now + 60 }))).status).toBe(200);
    expect(await get(`${url}/me`, await resigned({ exp: now - 1 }))).toMatchObject({
      status: 401,
      body: { detail: 'Token has expired', code: 'token_expired' },
    });
    expect((await get(`${url}/me`, await resigned({ aud: 'https://other.example' }))).status).toBe(401);
    expect((await get(`${url}/me`, await resigned({ iss: `${url}/` }))).status).toBe(401);
  });
});

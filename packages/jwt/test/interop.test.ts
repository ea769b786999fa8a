import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  importJWK,
  jwtVerify,
  SignJWT,
  type JWK,
  type JWTPayload,
} from 'jose';
import { describe, expect, it } from 'vitest';
import {
  algorithmNames,
  exportJwk,
  exportPublicJwk,
  importKey,
  jwkSet,
  jwkThumbprint,
  verifyJwt,
  type Jwk,
} from '../src/index.ts';
import { aKey, audience, issuer, now, someClaims, aToken } from './fixtures.ts';

/** The same JWK by the type of jose, whose members are mutable. */
const joseJwk = (jwk: Jwk): JWK => jwk as JWK;

describe.each(algorithmNames)('jose and ours with %s', (algorithm) => {
  const key = aKey(algorithm);

  it('jose verifies what we sign', async () => {
    const joseKey = await importJWK(joseJwk(key.type === 'secret' ? exportJwk(key) : exportPublicJwk(key)), algorithm);
    const { payload, protectedHeader } = await jwtVerify(aToken({}, key), joseKey, {
      issuer,
      audience,
      currentDate: now,
    });
    expect(payload).toEqual(someClaims());
    expect(protectedHeader).toEqual({ alg: algorithm, kid: key.keyId, typ: 'JWT' });
  });

  it('we verify what jose signs', async () => {
    const joseKey = await importJWK(joseJwk(exportJwk(key)), algorithm);
    const token = await new SignJWT(someClaims() as JWTPayload).setProtectedHeader({ alg: algorithm }).sign(joseKey);
    expect(verifyJwt(token, { keys: key, issuer, audience, now }).claims).toEqual(someClaims());
  });

  it('a key survives export and import', () => {
    const again = importKey(exportJwk(key));
    expect({ ...again }).toEqual({ ...key });
    expect(verifyJwt(aToken({}, again), { keys: key, issuer, audience, now }).claims).toEqual(someClaims());
  });

  it('computes the thumbprint jose computes', async () => {
    expect(jwkThumbprint(key)).toBe(await calculateJwkThumbprint(joseJwk(exportJwk(key))));
  });
});

describe.each(algorithmNames.filter((name) => !name.startsWith('HS')))('our published set with %s', (algorithm) => {
  it('is what jose verifies with', async () => {
    const key = aKey(algorithm);
    const published = createLocalJWKSet({ keys: jwkSet([key]).keys.map(joseJwk) });
    await expect(jwtVerify(aToken({}, key), published, { issuer, audience, currentDate: now })).resolves.toBeDefined();
    expect(exportPublicJwk(key)).toMatchObject({ alg: algorithm, use: 'sig', kid: key.keyId });
  });
});

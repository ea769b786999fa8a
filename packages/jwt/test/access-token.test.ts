import { describe, expect, it } from 'vitest';
import {
  issueAccessToken,
  signJwt,
  verifyAccessToken,
  type NewAccessTokenClaims,
  type VerifyAccessTokenOptions,
  type JwtKey,
  tryVerifyJwt,
  verifyJwt,
} from '../src/index.ts';
import {
  aKey,
  audience,
  claimsWithout,
  expected,
  expectRefusal,
  hmacKey,
  issuer,
  now,
  refusalOf,
  seconds,
  someClaims,
  aToken,
} from './fixtures.ts';

const claims: NewAccessTokenClaims = {
  iss: issuer,
  sub: 'ada',
  aud: audience,
  client_id: 'web',
  iat: seconds,
  exp: seconds + 900,
  jti: 'j1',
  scope: 'todos:read',
  roles: ['user'],
  sid: 'abcdefghijk',
  af: 7,
  auth_time: seconds,
};

describe('access tokens', () => {
  it('are issued as at+jwt and verified', () => {
    const { header, claims: verified } = verifyAccessToken(issueAccessToken(claims, aKey('ES256')), {
      ...expected,
      keys: aKey('ES256'),
    });
    expect(header).toEqual({ alg: 'ES256', kid: 'key-ES256', typ: 'at+jwt' });
    expect(verified).toEqual(claims);
  });

  it('stay under 512 characters with ES256 and a few roles', () => {
    const token = issueAccessToken({ ...claims, nbf: seconds, roles: ['user', 'editor'] }, aKey('ES256'));
    expect(token.length).toBeLessThan(512);
  });

  it.each(['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti'])('J20 are not issued without %s', (claim) => {
    expectRefusal('claim_missing', () => issueAccessToken(claimsWithout(claim) as NewAccessTokenClaims, hmacKey));
  });

  it.each(['iss', 'sub', 'aud', 'exp'])('J20 are not accepted without %s', (claim) => {
    expectRefusal('claim_missing', () =>
      verifyAccessToken(signJwt(claimsWithout(claim), hmacKey, { typ: 'at+jwt' }), expected),
    );
  });

  it.each([
    ['client_id', ''],
    ['scope', ['a']],
    ['roles', 'admin'],
    ['roles', [1]],
    ['sid', 7],
    ['af', '7'],
    ['auth_time', '2026-01-01'],
  ])('are refused when %s is %j', (claim, value) => {
    const token = signJwt(someClaims({ [claim]: value }), hmacKey, { typ: 'at+jwt' });
    expect(refusalOf(() => verifyAccessToken(token, expected))).toMatchObject({
      code: 'claims_invalid',
      details: { claim },
    });
    expectRefusal('claims_invalid', () => issueAccessToken({ ...claims, [claim]: value }, hmacKey));
  });

  it.each(['JWT', 'rt+jwt', 'logout+jwt'])('J24 are not what a token of type %s is, unless it is asked for', (typ) => {
    const token = signJwt(someClaims(), hmacKey, { typ });
    expectRefusal('type_mismatch', () => verifyAccessToken(token, expected));
    expect(verifyAccessToken(token, { ...expected, typ }).header.typ).toBe(typ);
    expectRefusal('type_mismatch', () =>
      verifyAccessToken(signJwt(someClaims(), hmacKey, { typ: 'at+jwt' }), { ...expected, typ }),
    );
  });

  it.each(['iss', 'sub', 'aud', 'exp'])('are refused without %s, of whatever type they are', (claim) => {
    const others = Object.fromEntries(Object.entries(someClaims()).filter(([name]) => name !== claim));
    const token = signJwt(others, hmacKey);
    expect(refusalOf(() => verifyAccessToken(token, { ...expected, typ: 'JWT' }))).toMatchObject({
      code: 'claim_missing',
      details: { claim },
    });
  });

  it.each(['issuer', 'audience'])('cannot be verified without saying which %s', (name) => {
    const options = Object.fromEntries(Object.entries(expected).filter(([option]) => option !== name));
    expect(() =>
      verifyAccessToken(issueAccessToken(claims, hmacKey), options as unknown as VerifyAccessTokenOptions<JwtKey>),
    ).toThrow(TypeError);
  });

  it('answers in a promise when the keys are remote, whatever goes wrong', async () => {
    const keys = { keys: { keys: [] }, refresh: (): Promise<void> => Promise.resolve() };
    await expect(
      verifyAccessToken(issueAccessToken(claims, hmacKey), { keys, issuer, audience, now }),
    ).rejects.toMatchObject({ code: 'key_not_found' });
    const careless = { keys, now } as unknown as VerifyAccessTokenOptions<typeof keys>;
    await expect(verifyAccessToken('x', careless)).rejects.toThrow(TypeError);
  });

  it('answers in a promise that rejects for claims of the wrong type', async () => {
    const token = signJwt(someClaims({ sid: 7 }), hmacKey, { typ: 'at+jwt' });
    const keys = { keys: hmacKey, refresh: (): Promise<void> => Promise.resolve() };
    await expect(verifyAccessToken(token, { keys, issuer, audience, now })).rejects.toMatchObject({
      code: 'claims_invalid',
    });
  });
});

describe('a profile', () => {
  const access = (more: object): unknown => verifyAccessToken(aToken({ ...more }), { ...expected, typ: 'JWT' });

  it('checks each claim that is its own, whole', () => {
    for (const more of [{ roles: ['user', 7] }, { roles: [7, 'user'] }, { af: -1 }, { af: 0.5 }, { client_id: '' }]) {
      expectRefusal('claims_invalid', () => access(more));
    }
    expect(access({ roles: [], af: 0 })).toMatchObject({ claims: { af: 0 } });
  });

  it('of access tokens asks for no client, and no other type asks for what access tokens carry', () => {
    const { client_id: _, sub: __, ...nameless } = someClaims();
    const token = signJwt({ ...nameless, sub: 'ada' }, hmacKey);
    expect(verifyAccessToken(token, { ...expected, typ: 'JWT' }).claims.client_id).toBeUndefined();
    expect(verifyJwt(signJwt(nameless, hmacKey), { ...expected, typ: 'JWT' }).claims.sub).toBeUndefined();
  });

  it('is named when the type of a token is another', () => {
    const outcome = tryVerifyJwt(aToken(), { ...expected, typ: 'at+jwt' });
    expect(outcome).toMatchObject({ code: 'type_mismatch', details: { expected: 'at+jwt' } });
  });
});

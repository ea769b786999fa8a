import { describe, expect, it } from 'vitest';
import {
  exportJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  jwkSet,
  publicKey,
  verifyJwt,
  type Algorithm,
  type Jwk,
  type JwkSet,
} from '../src/index.ts';
import { compileJwkSet } from '../src/jwk-set.ts';
import { aKey, aToken, expected, expectRefusal, forge, hmacKey, someClaims } from './fixtures.ts';

const es256 = exportPublicJwk(aKey('ES256'));
const rs256 = exportPublicJwk(aKey('RS256'));
const hs256 = exportJwk(aKey('HS256'));
const without = (jwk: Jwk, name: string): Jwk =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name)) as Jwk;
const verify = (keys: JwkSet, token: string, algorithms?: readonly Algorithm[]): unknown =>
  verifyJwt(token, { ...expected, keys, ...(algorithms === undefined ? {} : { algorithms }) });

describe('publishing', () => {
  it('K1 makes a set of public keys', () => {
    const set = jwkSet([aKey('ES256'), publicKey(aKey('RS256'))]);
    expect(set).toEqual({ keys: [es256, rs256] });
  });

  it('refuses secrets, repeated key ids and nameless keys beside others', () => {
    expectRefusal('key_invalid', () => jwkSet([hmacKey]));
    expectRefusal('key_invalid', () => jwkSet([aKey('ES256'), aKey('ES256')]));
    const nameless = importKey(without(es256, 'kid'));
    expectRefusal('key_invalid', () => jwkSet([nameless, aKey('RS256')]));
    expect(jwkSet([nameless]).keys).toHaveLength(1);
    expect(jwkSet([])).toEqual({ keys: [] });
  });
});

describe('verifying with a set', () => {
  it('finds the key by its id and algorithm', () => {
    const set = { keys: [es256, rs256, exportPublicJwk(aKey('EdDSA'))] };
    for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
      expect(() => verify(set, aToken({}, aKey(algorithm)))).not.toThrow();
    }
    expectRefusal('algorithm_not_allowed', () => verify(set, aToken({}, aKey('PS256'))));
    expectRefusal('key_not_found', () =>
      verify(set, forge({ alg: 'ES256', kid: 'key-RS256' }, someClaims(), aKey('ES256'))),
    );
  });

  it('uses a key that may do nothing but verify', () => {
    expect(() => verify({ keys: [{ ...es256, key_ops: ['verify'] }] }, aToken({}, aKey('ES256')))).not.toThrow();
  });

  it('ignores a key without alg that fits none of the algorithms asked for', () => {
    const bare = { keys: [without(rs256, 'alg'), es256] };
    expect(() => verify(bare, aToken({}, aKey('ES256')), ['HS256', 'ES256'])).not.toThrow();
  });

  it('reads the keys of a set once', () => {
    const set = { keys: [es256] };
    expect(compileJwkSet(set, ['ES256'])).toBe(compileJwkSet(set, ['ES256']));
    expect(compileJwkSet(set, undefined)).toBe(compileJwkSet(set, undefined));
  });

  it('knows a key without alg by its type, and an RSA key by the one algorithm asked for', () => {
    expect(() => verify({ keys: [without(es256, 'alg')] }, aToken({}, aKey('ES256')))).not.toThrow();
    const bare = { keys: [without(rs256, 'alg')] };
    expect(() => verify(bare, aToken({}, aKey('RS256')), ['RS256', 'ES256'])).not.toThrow();
    expectRefusal('key_not_found', () => verify(bare, aToken({}, aKey('RS256'))));
    expectRefusal('key_not_found', () => verify(bare, aToken({}, aKey('RS256')), ['RS256', 'PS256']));
    expectRefusal('algorithm_not_allowed', () => verify(bare, aToken({}, aKey('RS256')), ['PS256']));
  });

  it.each<[string, object]>([
    ['of unknown type', { kty: 'AKP', kid: 'x' }],
    ['of unknown curve', { ...exportPublicJwk(aKey('EdDSA')), crv: 'Ed448', alg: undefined }],
    ['of unknown algorithm', { ...rs256, alg: 'RSA-OAEP', kid: 'x' }],
    ['for encryption', { ...rs256, use: 'enc', kid: 'x' }],
    ['for signing only', { ...rs256, key_ops: ['sign'], kid: 'x' }],
  ])('J29 ignores a key %s', (_name, strange) => {
    const set = { keys: [without(strange as Jwk, 'none'), es256] } as JwkSet;
    expect(() => verify(JSON.parse(JSON.stringify(set)) as JwkSet, aToken({}, aKey('ES256')))).not.toThrow();
    expectRefusal('algorithm_not_allowed', () =>
      verify(JSON.parse(JSON.stringify(set)) as JwkSet, aToken({}, aKey('RS256'))),
    );
  });

  it.each<[string, object[]]>([
    ['repeats a key id', [es256, { ...rs256, kid: es256.kid }]],
    ['repeats a key id in a key it would not use', [es256, { ...rs256, kid: es256.kid, use: 'enc' }]],
    ['has a kid that is no text', [{ ...es256, kid: 7 }]],
    ['has an empty kid', [{ ...es256, kid: '' }]],
    ['mixes secrets and public keys', [es256, hs256]],
    ['holds a private key', [exportJwk(aKey('ES256'))]],
    ['holds a private key it would not use', [es256, { ...exportJwk(aKey('RS256')), use: 'enc' }]],
    ['holds a weak key', [es256, { ...rs256, kid: 'x', e: 'AQ' }]],
    ['holds a malformed key', [{ ...es256, x: 'AAAA' }]],
    ['holds a key of another type than its alg', [{ ...es256, alg: 'RS256' }]],
  ])('J29 refuses a set that %s', (_name, keys) => {
    expectRefusal('key_invalid', () => verify({ keys } as JwkSet, aToken({}, aKey('ES256'))));
  });

  it('takes several secrets, which is how one is replaced by the next', async () => {
    const next = await generateKey('HS256');
    const set = { keys: [hs256, exportJwk(next)] };
    expect(() => verify(set, aToken({}, next))).not.toThrow();
    expect(() => verify(set, aToken({}, aKey('HS256')))).not.toThrow();
    expectRefusal('key_not_found', () => verify(set, aToken({}, hmacKey)));
  });

  it('K3 refuses a token once its key has left the set', () => {
    expectRefusal('algorithm_not_allowed', () => verify({ keys: [rs256] }, aToken({}, aKey('ES256'))));
    expectRefusal('key_not_found', () => verify({ keys: [] }, aToken({}, aKey('ES256'))));
  });
});

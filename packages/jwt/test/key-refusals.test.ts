import { createSecretKey, type JsonWebKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyPair } from '../../../test/key-pair.ts';
import {
  exportJwk,
  exportPublicJwk,
  importKey,
  jwkSet,
  jwkThumbprint,
  publicKey,
  secretKey,
  signJwt,
  verifyJwt,
  type Jwk,
  type JwkSet,
} from '../src/index.ts';
import { aKey, anotherRsa, aStrangeJwk, aToken, expected, hmacKey, refusalOf, someClaims } from './fixtures.ts';

const rsa = anotherRsa;
const ec = keyPair('ec', 'prime256v1');
const es256 = exportPublicJwk(aKey('ES256'));
const rs256 = exportPublicJwk(aKey('RS256'));
const privateRs256 = exportJwk(aKey('RS256'));
const privateEs256 = exportJwk(aKey('ES256'));
const okp = exportJwk(aKey('EdDSA'));
const bytes = (length: number, value: number): string => Buffer.alloc(length, value).toString('base64url');

function reasonOf(act: () => unknown): string {
  const error = refusalOf(act);
  if (error.code !== 'key_invalid') throw error;
  expect(error.message).toBe(`The key is refused: ${error.details.reason}`);
  return error.details.reason;
}

const imported =
  (jwk: object): (() => unknown) =>
  () =>
    importKey(aStrangeJwk(jwk));
const verifiedWith =
  (...keys: readonly object[]): (() => unknown) =>
  () =>
    verifyJwt(aToken({}, aKey('ES256')), { ...expected, keys: { keys } as JwkSet });
const without = (jwk: Jwk, name: string): object =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name));

describe('a refused key says why', () => {
  it.each<[string, string, () => unknown]>([
    ['a secret that is no text', 'a secret is text or bytes', () => secretKey(32 as unknown as string)],
    ['a short secret for HS256', 'the secret needs at least 32 bytes', () => secretKey('x'.repeat(31))],
    [
      'a short secret for HS512',
      'the secret needs at least 64 bytes',
      () => secretKey('x'.repeat(63), { algorithm: 'HS512' }),
    ],
    [
      'a public key as a secret',
      'it is a key of another kind written out, which others may know: see importKey()',
      () => secretKey(rsa.publicKey.export({ format: 'der', type: 'spki' })),
    ],
    [
      'a public key for HS256',
      'an HS algorithm needs a secret',
      () => importKey(rsa.publicKey, { algorithm: 'HS256' }),
    ],
    [
      'an RSA key for ES256',
      'the algorithm needs an EC key on P-256',
      () => importKey(rsa.publicKey, { algorithm: 'ES256' }),
    ],
    [
      'an EC key of another curve',
      'the algorithm needs an EC key on P-384',
      () => importKey(ec.publicKey, { algorithm: 'ES384' }),
    ],
    ...(['EdDSA', 'Ed25519'] as const).map((algorithm): [string, string, () => unknown] => [
      `an EC key for ${algorithm}`,
      `${algorithm} needs an Ed25519 key`,
      () => importKey(ec.publicKey, { algorithm }),
    ]),
    ['an EC key for RS256', 'the algorithm needs an RSA key', () => importKey(ec.publicKey, { algorithm: 'RS256' })],
    [
      'a short RSA key',
      'the RSA modulus must have 2048 to 16384 bits',
      () => importKey({ ...rs256, n: bytes(255, 0xff) }),
    ],
    [
      'text that is no PEM',
      'the text is not a PEM key; make HMAC keys with secretKey()',
      () => importKey('secret', { algorithm: 'HS256' }),
    ],
    [
      'a PEM text under a passphrase',
      'the PEM text is encrypted; give createPrivateKey() of node:crypto the passphrase, and import what it returns',
      () =>
        importKey(
          ec.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(),
        ),
    ],
    [
      'an RSA KeyObject alone',
      'its algorithm is unsupported, or must be given as an option',
      () => importKey(rsa.publicKey),
    ],
    [
      'a secret KeyObject alone',
      'its algorithm is unsupported, or must be given as an option',
      () => importKey(createSecretKey(Buffer.alloc(32, 1))),
    ],
    ['no material', 'a JWK, a PEM text or a KeyObject is needed', () => importKey(aStrangeJwk(null))],
    ['a number', 'a JWK, a PEM text or a KeyObject is needed', () => importKey(aStrangeJwk(7))],
    ['the public half of a secret', 'a secret has no public half', () => publicKey(hmacKey)],
    ['the public JWK of a secret', 'a secret has no public half', () => exportPublicJwk(hmacKey)],
    ['signing with a public key', 'a public key cannot sign', () => signJwt(someClaims(), publicKey(aKey('ES256')))],
    ['the thumbprint of an unknown type', 'the key type is not supported', () => jwkThumbprint({ kty: 'AKP' })],
    [
      'the thumbprint of half a key',
      'the member y is not base64url',
      () => jwkThumbprint(aStrangeJwk(without(es256, 'y'))),
    ],
  ])('%s', (_name, reason, act) => expect(reasonOf(act)).toBe(reason));

  it.each<[string, string, object]>([
    ['for encryption', 'its use or key_ops are not those of signatures', { ...es256, use: 'enc' }],
    ['with a number for a kid', 'its kid is not a string', { ...es256, kid: 1 }],
    ['with an empty kid', 'its kid is not a string', { ...es256, kid: '' }],
    ['of an unknown alg', 'its algorithm is unsupported, or must be given as an option', { ...es256, alg: 'none' }],
    ['RSA without alg', 'its algorithm is unsupported, or must be given as an option', without(rs256, 'alg')],
    ['of an unknown type', 'the key type is not supported', { ...es256, kty: 'AKP' }],
    ['with a list for its type', 'the key type is not supported', { ...es256, kty: ['EC'] }],
    ['of an unknown curve', 'the curve is not supported', { ...es256, crv: 'secp256k1' }],
    ['of another type than its alg', 'the algorithm needs an RSA key', { ...es256, alg: 'RS256' }],
    ['without a coordinate', 'the member y is not base64url', without(es256, 'y')],
    ['with padding', 'the member x is not base64url', { ...es256, x: `${es256.x}=` }],
    ['with a number for d', 'the member d is not base64url', { ...privateEs256, d: 1 }],
    ['EC with a short coordinate', 'the member x has the wrong length', { ...es256, x: bytes(31, 1) }],
    ['EC with a long coordinate', 'the member y has the wrong length', { ...es256, y: bytes(33, 1) }],
    ['OKP with a short x', 'the member x has the wrong length', { ...okp, x: bytes(31, 1) }],
    ['off the curve', 'the members do not form a key', { ...es256, y: es256.x }],
    [
      'EC of another d',
      'the private and the public part do not belong together',
      { ...privateEs256, d: exportJwk(importKey(ec.privateKey)).d },
    ],
    ['EC with d = 0', 'the private and the public part do not belong together', { ...privateEs256, d: bytes(32, 0) }],
    ['OKP of another x', 'its private and public members do not belong together', { ...okp, x: bytes(32, 2) }],
    [
      'RSA of other primes',
      'its private and public members do not belong together',
      { ...privateRs256, ...pick(rsa.privateKey.export({ format: 'jwk' }), 'p', 'q') },
    ],
    [
      'RSA with a qi that is too large',
      'the private and the public part do not belong together',
      { ...privateRs256, qi: privateRs256.n },
    ],
    ['RSA of another e', 'the private and the public part do not belong together', { ...privateRs256, e: 'Aw' }],
    ['RSA of three primes', 'RSA keys of more than two primes are not supported', { ...privateRs256, oth: [] }],
    ['RSA with a zero in front', 'the member e has a leading zero', { ...rs256, e: 'AAEAAQ' }],
    ['RSA with e = 1', 'the RSA exponent must be odd, at least 3 and at most 2^32', { ...rs256, e: 'AQ' }],
    ['RSA with an even e', 'the RSA exponent must be odd, at least 3 and at most 2^32', { ...rs256, e: 'BA' }],
    ['oct, empty', 'the member k is not base64url', { kty: 'oct', alg: 'HS256', k: '' }],
    ['oct, short', 'the secret needs at least 32 bytes', { kty: 'oct', alg: 'HS256', k: bytes(31, 1) }],
  ])('a JWK %s', (_name, reason, jwk) => expect(reasonOf(imported(jwk))).toBe(reason));

  it('a JWK without alg for an algorithm of another type', () => {
    const bare = aStrangeJwk(without(rs256, 'alg'));
    const reason = 'its algorithm is unsupported, or must be given as an option';
    expect(reasonOf(() => importKey(bare, { algorithm: 'HS256' }))).toBe(reason);
  });

  it('a JWK whose alg is not the one asked for', () => {
    expect(reasonOf(() => importKey(rs256, { algorithm: 'PS256' }))).toBe('its alg is not the algorithm asked for');
  });

  it.each<[string, string, () => unknown]>([
    ['with an empty kid', 'a kid of the set is not a string', verifiedWith({ ...es256, kid: '' })],
    ['with a number for a kid', 'a kid of the set is not a string', verifiedWith({ ...es256, kid: 7 })],
    ['with one kid twice', 'two keys of the set have the same kid', verifiedWith(es256, { ...rs256, kid: es256.kid })],
    ['with a secret', 'the set mixes secrets and public keys', verifiedWith(es256, exportJwk(aKey('HS256')))],
    ['with a private key', 'the set holds a private key', verifiedWith(es256, privateRs256)],
    [
      'with a weak key',
      'the RSA exponent must be odd, at least 3 and at most 2^32',
      verifiedWith({ ...rs256, e: 'AQ' }),
    ],
    ['with one key twice', 'two keys of the set have the same kid', () => jwkSet([aKey('ES256'), aKey('ES256')])],
    [
      'with a key that has no id',
      'a key of the set has no key id',
      () => jwkSet([importKey(aStrangeJwk(without(es256, 'kid'))), aKey('RS256')]),
    ],
    ['with a secret to publish', 'a secret has no public half', () => jwkSet([hmacKey])],
  ])('a set %s', (_name, reason, act) => expect(reasonOf(act)).toBe(reason));
});

describe('J26 private members', () => {
  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi'])('make a private key of an RSA JWK, be it %s alone', (member) => {
    expect(reasonOf(imported({ ...rs256, [member]: 'AQAB' }))).toMatch(/^the member \w+ is not base64url$/);
  });

  it.each([es256, exportPublicJwk(aKey('EdDSA'))])('make a private key of any JWK that has a d: $kty', (jwk) => {
    expect(reasonOf(imported({ ...jwk, d: 'AQAB' }))).toBe('the member d has the wrong length');
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('J29 keep a set from being used, be it %s alone', (member) => {
    expect(reasonOf(verifiedWith(es256, { ...rs256, [member]: 'AQAB' }))).toBe('the set holds a private key');
  });
});

describe('what is not refused', () => {
  it.each([[['sign']], [['verify']], [['sign', 'verify']], [['verify', 'encrypt']]])(
    'a JWK with the key_ops %j',
    (key_ops) => {
      expect(importKey({ ...es256, key_ops }).algorithm).toBe('ES256');
    },
  );

  it('a secret and a coordinate that begin with a zero byte', () => {
    expect(importKey({ kty: 'oct', alg: 'HS256', k: bytes(32, 0) }).type).toBe('secret');
    expect(importKey(leadingZeroKey()).type).toBe('public');
  });

  it('an RSA key of e = 3, and the largest e', () => {
    expect(importKey({ ...rs256, e: 'Aw' }).type).toBe('public');
    expect(importKey({ ...rs256, e: '_____w' }).type).toBe('public');
  });

  it('a set with an entry that is nothing', () => {
    const keys = JSON.parse(JSON.stringify({ keys: [null, es256] })) as JwkSet;
    expect(verifyJwt(aToken({}, aKey('ES256')), { ...expected, keys }).header.kid).toBe(es256.kid);
  });
});

/** A P-256 key whose x is short by a byte; one in 256 is. */
function leadingZeroKey(): Jwk {
  for (;;) {
    const jwk = keyPair('ec', 'prime256v1').publicKey.export({ format: 'jwk' }) as Jwk;
    if (Buffer.from(jwk.x ?? '', 'base64url')[0] === 0) return jwk;
  }
}

function pick(jwk: JsonWebKey, ...names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, jwk[name]]));
}

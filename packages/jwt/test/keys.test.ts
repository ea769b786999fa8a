import type { KeyObject } from 'node:crypto';
import { createPublicKey, createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { keyPair } from '../../../test/key-pair.ts';
import {
  algorithmNames,
  exportJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  isAlgorithm,
  JwtKey,
  jwkThumbprint,
  publicKey,
  secretKey,
  verifyJwt,
  type Algorithm,
  type ImportKeyOptions,
  type Jwk,
  type JwtHeader,
} from '../src/index.ts';
import {
  aKey,
  anotherRsa,
  aStrangeJwk,
  aToken,
  expected,
  expectRefusal,
  hmacKey,
  refusalOf,
  strangeKeys,
} from './fixtures.ts';

const pem = (key: KeyObject): string =>
  key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }).toString();
const rsa = anotherRsa;
const ec = keyPair('ec', 'prime256v1');
const ed = keyPair('ed25519');

/** A member of an RSA key. */
function encodeInteger(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

/** A public key of the same modulus; nobody has the private half. */
function rsaWithExponent(exponent: bigint): KeyObject {
  const e = encodeInteger(exponent);
  return createPublicKey({ key: { ...rsa.publicKey.export({ format: 'jwk' }), e }, format: 'jwk' });
}

describe('a key', () => {
  it.each(algorithmNames)('shows no material of %s in JSON, inspection or its members', (algorithm) => {
    const key = aKey(algorithm);
    const jwk = exportJwk(key);
    const shown = `${JSON.stringify(key)}${inspect(key, { showHidden: true, depth: 9 })}${JSON.stringify({ ...key })}`;
    for (const member of [jwk.k, jwk.d, jwk.n, jwk.x, jwk.p])
      if (member !== undefined) expect(shown).not.toContain(member);
    expect(JSON.parse(JSON.stringify(key))).toEqual({ algorithm, keyId: key.keyId, type: key.type });
  });

  it('cannot be changed', () => {
    expect(() => Object.assign(hmacKey, { algorithm: 'none' })).toThrow(TypeError);
  });

  it.each(['none', 'hs256', '__proto__', 'toString', 1, undefined])('is not made for the algorithm %s', (name) => {
    expect(isAlgorithm(name)).toBe(false);
    expect(() => new JwtKey(name as Algorithm, ec.publicKey)).toThrow(TypeError);
    expect(() => importKey(ec.publicKey, { algorithm: name ?? null } as unknown as ImportKeyOptions)).toThrow(
      TypeError,
    );
  });

  it('is not made for a list of algorithms, be it of one', () => {
    const list: unknown = ['ES256'];
    expect(isAlgorithm(list)).toBe(false);
    expect(() => new JwtKey(list as Algorithm, ec.publicKey)).toThrow(TypeError);
  });

  it.each(['', 7, null])('is not made with the key id %j', (keyId) => {
    expect(() => new JwtKey('ES256', ec.publicKey, keyId as string)).toThrow(TypeError);
  });
});

describe('J25 secrets', () => {
  it.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const)('of %s need %i bytes', (algorithm, size) => {
    expect(secretKey(Buffer.alloc(size, 1), { algorithm, keyId: 'k' })).toMatchObject({
      algorithm,
      keyId: 'k',
      type: 'secret',
    });
    expectRefusal('key_invalid', () => secretKey(Buffer.alloc(size - 1, 1), { algorithm }));
  });

  it.each(['', 'secret', 'x'.repeat(31)])('refuses %j', (secret) =>
    expectRefusal('key_invalid', () => secretKey(secret)),
  );

  it.each([undefined, null, 32, {}])('refuses %j, which is no secret', (secret) => {
    expectRefusal('key_invalid', () => secretKey(secret as string));
  });

  it('counts the UTF-8 bytes of a text', () => {
    expect(exportJwk(secretKey('é'.repeat(16))).k).toBe(Buffer.from('é'.repeat(16)).toString('base64url'));
  });
});

describe('J1 J25 what is no secret', () => {
  const jwk = JSON.stringify(rsa.publicKey.export({ format: 'jwk' }));
  it.each([
    ['PEM', pem(rsa.publicKey)],
    ['PEM behind other text', `key:\n${pem(ec.publicKey)}`],
    ['OpenSSH', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ ada@example.com'],
    ['OpenSSH, RSA', 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7'],
    ['OpenSSH, DSA', 'ssh-dss AAAAB3NzaC1kc3MAAACBAMZpPSVmIHMB'],
    ['OpenSSH, ECDSA', 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY='],
    ['OpenSSH, on a security key', 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5'],
    ['a line of known_hosts', 'git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq45'],
    ['SSH2', '---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABgQC7\n---- END SSH2 PUBLIC KEY ----'],
    ['DER', rsa.publicKey.export({ format: 'der', type: 'spki' })],
    ['PKCS#1 DER', rsa.publicKey.export({ format: 'der', type: 'pkcs1' })],
    ['base64 of DER', ed.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')],
    ['PEM without its armour', pem(ec.publicKey).replace(/-----.*-----/g, '')],
    ['JWK text', jwk],
    ['JWK text with spaces', jwk.replaceAll('":', '" : ')],
    ['JWK Set text', `{ "keys": [${jwk}] }`],
    ['the text of an empty JWK Set', '{"keys":[],"comment":"none at the moment"}'],
  ])('refuses a public key as %s', (_form, secret) => {
    const reason = 'it is a key of another kind written out, which others may know: see importKey()';
    expect(refusalOf(() => secretKey(secret))).toMatchObject({ code: 'key_invalid', details: { reason } });
  });

  it('takes a text that merely speaks of keys', () => {
    expect(secretKey('BEGIN, kty, "keys" and ssh-rsa: mere words').type).toBe('secret');
  });
});

describe('importing', () => {
  it.each([
    ['a private PEM', pem(ec.privateKey), 'private'],
    ['a public PEM', pem(ec.publicKey), 'public'],
    ['a PEM after other text', `key:\n${pem(ec.publicKey)}`, 'public'],
    ['a private KeyObject', ec.privateKey, 'private'],
    ['a public KeyObject', ec.publicKey, 'public'],
  ])('tells the kind of %s by its content', (_name, material, type) => {
    expect(importKey(material, { keyId: 'k' })).toMatchObject({ algorithm: 'ES256', keyId: 'k', type });
  });

  it('derives the algorithm where the type allows only one', () => {
    expect(importKey(ed.publicKey).algorithm).toBe('EdDSA');
    expectRefusal('key_invalid', () => importKey(rsa.publicKey));
    expectRefusal('key_invalid', () => importKey(createSecretKey(Buffer.alloc(32, 1))));
    expect(importKey(createSecretKey(Buffer.alloc(32, 1)), { algorithm: 'HS256' }).type).toBe('secret');
  });

  it('takes a key of either name of EdDSA, and the older where none is said, unless the newer alone is accepted', () => {
    const nameless = ed.publicKey.export({ format: 'jwk' }) as Jwk;
    const token = aToken({}, importKey(ed.privateKey, { algorithm: 'Ed25519' }));
    const verify = (jwk: Jwk, algorithms?: readonly Algorithm[]): JwtHeader =>
      verifyJwt(token, { ...expected, keys: { keys: [jwk] }, ...(algorithms && { algorithms }) }).header;
    expect(importKey(nameless).algorithm).toBe('EdDSA');
    expect(importKey(nameless, { algorithm: 'Ed25519' }).algorithm).toBe('Ed25519');
    expect(verify({ ...nameless, alg: 'Ed25519' })).toEqual({ alg: 'Ed25519', typ: 'JWT' });
    expect(verify(nameless, ['Ed25519'])).toEqual({ alg: 'Ed25519', typ: 'JWT' });
    expectRefusal('algorithm_not_allowed', () => verify(nameless));
    expectRefusal('key_not_found', () => verify(nameless, ['EdDSA', 'Ed25519']));
  });

  it.each([
    ['an EC key for RS256', ec.publicKey, 'RS256'],
    ['an RSA key for ES256', rsa.publicKey, 'ES256'],
    ['a P-256 key for ES384', ec.publicKey, 'ES384'],
    ['a public key for HS256', rsa.publicKey, 'HS256'],
    ['a secret for RS256', createSecretKey(Buffer.alloc(64, 1)), 'RS256'],
    ['a secret for ES256', createSecretKey(Buffer.alloc(32, 1)), 'ES256'],
    ['an X25519 key', keyPair('x25519').publicKey, 'EdDSA'],
    ['an Ed448 key', keyPair('ed448').publicKey, 'Ed25519'],
    ['an RSA-PSS key', strangeKeys.rsaPss, 'PS256'],
    ['an RSA key that takes long to verify with', rsaWithExponent(2n ** 32n + 1n), 'RS256'],
  ] as const)('refuses %s', (_name, material, algorithm) => {
    expectRefusal('key_invalid', () => importKey(material, { algorithm }));
  });

  it.each([
    [2047, false],
    [2048, true],
    [16_384, true],
    [16_385, false],
  ])('of an RSA key with %i bits: accepted is %s', (modulusLength, isAccepted) => {
    const jwk = { kty: 'RSA', alg: 'RS256', e: 'AQAB', n: encodeInteger(2n ** BigInt(modulusLength - 1) + 1n) };
    if (isAccepted) expect(importKey(jwk).type).toBe('public');
    else expectRefusal('key_invalid', () => importKey(jwk));
  });

  it.each(['', 'secret', '{"kty":"oct"}', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', null, 7])(
    'refuses %j, which is no key',
    (material) => expectRefusal('key_invalid', () => importKey(aStrangeJwk(material), { algorithm: 'HS256' })),
  );
});

describe('J26 J29 importing a JWK', () => {
  const jwk = exportJwk(aKey('ES256'));
  const publicJwk = exportPublicJwk(aKey('ES256'));
  const rsaJwk = exportPublicJwk(aKey('RS256'));
  const okp = exportJwk(aKey('EdDSA'));
  const other = exportJwk(importKey(ec.privateKey));
  const otherRsa = rsa.privateKey.export({ format: 'jwk' });

  it.each<[string, object]>([
    ['without kty', { ...publicJwk, kty: undefined }],
    ['of unknown kty', { ...publicJwk, kty: 'AKP' }],
    ['of unknown curve', { ...publicJwk, crv: 'secp256k1', alg: undefined }],
    ['of another alg', { ...publicJwk, alg: 'RS256' }],
    ['of unknown alg', { ...publicJwk, alg: 'none' }],
    ['for encryption', { ...publicJwk, use: 'enc' }],
    ['for wrapping', { ...publicJwk, key_ops: ['wrapKey'] }],
    ['with key_ops that is no list', { ...publicJwk, key_ops: 'verify' }],
    ['with an empty kid', { ...publicJwk, kid: '' }],
    ['with a kid that is no text', { ...publicJwk, kid: 1 }],
    ['without y', { ...publicJwk, y: undefined }],
    ['off the curve', { ...publicJwk, y: publicJwk.x }],
    ['with padding', { ...publicJwk, x: `${publicJwk.x}=` }],
    ['with a short coordinate', { ...publicJwk, x: publicJwk.x?.slice(0, -3) }],
    ['with a d of another key', { ...jwk, d: other.d }],
    ['with a d that is no text', { ...jwk, d: 1 }],
    ['OKP with the x of another key', { ...okp, x: exportJwk(importKey(ed.privateKey)).x }],
    [
      'RSA with a leading zero',
      {
        ...rsaJwk,
        n: Buffer.concat([Buffer.alloc(1), Buffer.from(rsaJwk.n ?? '', 'base64url')]).toString('base64url'),
      },
    ],
    ['RSA with even e', { ...rsaJwk, e: Buffer.from([4]).toString('base64url') }],
    ['RSA with e = 1', { ...rsaJwk, e: 'AQ' }],
    ['RSA of 20000 bits', { ...rsaJwk, n: Buffer.alloc(2500, 255).toString('base64url') }],
    ['RSA of three primes', { ...rsaJwk, oth: [] }],
    ['RSA with d alone', { ...rsaJwk, d: 'AQAB' }],
    ['RSA with parts of another key', { ...exportJwk(aKey('RS256')), p: otherRsa.p, q: otherRsa.q }],
    ['oct, empty', { kty: 'oct', alg: 'HS256', k: '' }],
    ['oct without alg', { kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url') }],
    ['oct of PEM text', { kty: 'oct', alg: 'HS256', k: Buffer.from(pem(ec.publicKey)).toString('base64url') }],
  ])('refuses a JWK %s', (_name, material) => {
    const plain = Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined));
    const error = refusalOf(() => importKey(aStrangeJwk(plain)));
    expect(error.code).toBe('key_invalid');
  });

  it('lets the options complete the JWK, not contradict it', () => {
    const { alg: _alg, kid: _kid, ...bare } = rsaJwk;
    expect(importKey(bare, { algorithm: 'PS384', keyId: 'k' })).toMatchObject({
      algorithm: 'PS384',
      keyId: 'k',
    });
    expectRefusal('key_invalid', () => importKey(bare));
    expectRefusal('key_invalid', () => importKey(rsaJwk, { algorithm: 'PS256' }));
  });
});

it('J29 refuses a JWK that names an operation twice', () => {
  const key = { ...exportPublicJwk(aKey('ES256')), key_ops: ['verify', 'verify'] };
  expectRefusal('key_invalid', () => importKey(key));
});

describe('generating and exporting', () => {
  it.each(algorithmNames.filter((name) => !/^(RS|PS)/.test(name)))('makes a working key for %s', async (algorithm) => {
    const key = await generateKey(algorithm);
    expect(verifyJwt(aToken({}, key), { ...expected, keys: key }).header.kid).toBe(key.keyId);
    expect(key.keyId).toMatch(/^[\w-]{8}$/);
  });

  it('names a key after its thumbprint, and a secret after nothing', async () => {
    const key = await generateKey('RS256', { modulusLength: 2304 });
    expect(jwkThumbprint(key).startsWith(key.keyId ?? '-')).toBe(true);
    const secret = await generateKey('HS256');
    expect(jwkThumbprint(secret).startsWith(secret.keyId ?? '')).toBe(false);
    expect((await generateKey('ES256', { keyId: 'mine' })).keyId).toBe('mine');
  });

  it('refuses what it cannot make', async () => {
    await expect(generateKey('none' as Algorithm)).rejects.toThrow(TypeError);
    await expect(generateKey('RS256', { modulusLength: 1024 })).rejects.toThrow(RangeError);
  });

  it('K1 publishes public members only', () => {
    for (const algorithm of algorithmNames.filter((name) => !name.startsWith('HS'))) {
      const published = exportPublicJwk(aKey(algorithm));
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) expect(published).not.toHaveProperty(member);
      expect(published).toMatchObject({ alg: algorithm, use: 'sig', kid: `key-${algorithm}` });
    }
    expectRefusal('key_invalid', () => exportPublicJwk(hmacKey));
    expectRefusal('key_invalid', () => publicKey(hmacKey));
  });

  it('writes no kid for a key that has none', () => {
    expect(exportJwk(hmacKey)).not.toHaveProperty('kid');
    expect(exportPublicJwk(importKey(ec.publicKey))).not.toHaveProperty('kid');
  });

  it('returns the public half of a key, and a public key itself', () => {
    const half = publicKey(aKey('ES256'));
    expect(half).toMatchObject({ algorithm: 'ES256', keyId: 'key-ES256', type: 'public' });
    expect(publicKey(half)).toBe(half);
    expect(exportJwk(half)).toEqual(exportPublicJwk(aKey('ES256')));
  });
});

import { constants, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  algorithmNames,
  exportJwk,
  issueAccessToken,
  publicKey,
  signJwt,
  verifyAccessToken,
  verifyJwt,
  type Algorithm,
  type JwtSigner,
} from '../src/index.ts';
import { aKey, audience, expected, issuer, seconds, someClaims, hmacKey } from './fixtures.ts';

const publicAlgorithms = algorithmNames.filter((name) => !name.startsWith('HS'));

/** The private key of an algorithm, as a KMS holds it: out of reach of the package. */
function elsewhere(algorithm: Algorithm): KeyObject {
  return createPrivateKey({ key: { ...exportJwk(aKey(algorithm)) }, format: 'jwk' });
}

/** What a KMS does for one call. */
function signAt(key: KeyObject, algorithm: Algorithm, input: Uint8Array, dsaEncoding: 'der' | 'ieee-p1363'): Buffer {
  const hash = algorithm.startsWith('Ed') ? null : `sha${algorithm.slice(2)}`;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return sign(hash, input, { key, dsaEncoding, ...(algorithm.startsWith('PS') ? pss : {}) });
}

function aSigner(algorithm: Algorithm, more: Partial<JwtSigner> = {}): JwtSigner {
  const key = elsewhere(algorithm);
  return {
    publicKey: publicKey(aKey(algorithm)),
    sign: async (input) => signAt(key, algorithm, input, more.signatureEncoding ?? 'ieee-p1363'),
    ...more,
  };
}

describe('a key that is somewhere else', () => {
  it.each(publicAlgorithms)('signs with %s what its public half verifies', async (algorithm) => {
    for (const signatureEncoding of ['der', 'ieee-p1363'] as const) {
      const token = await signJwt(someClaims(), aSigner(algorithm, { signatureEncoding }), { typ: 'x' });
      const { header, claims } = verifyJwt(token, { ...expected, keys: publicKey(aKey(algorithm)) });
      expect(header).toEqual({ alg: algorithm, kid: `key-${algorithm}`, typ: 'x' });
      expect(claims).toEqual(someClaims());
    }
  });

  it('issues access tokens', async () => {
    const claims = {
      iss: issuer,
      sub: 'ada',
      aud: audience,
      client_id: 'web',
      jti: 'j',
      iat: seconds,
      exp: seconds + 9,
    };
    const token = await issueAccessToken(claims, aSigner('ES256'));
    expect(verifyAccessToken(token, { ...expected, keys: aKey('ES256') }).claims).toEqual(claims);
  });

  it('is not believed: a signature that does not fit its public key never leaves', async () => {
    const others: readonly JwtSigner['sign'][] = [
      async (input) => signAt(elsewhere('ES384'), 'ES256', input, 'ieee-p1363'),
      async (input) => signAt(elsewhere('ES256'), 'ES256', input, 'der'),
      async () => new Uint8Array(64),
      async () => new Uint8Array(0),
      async () => 'text' as unknown as Uint8Array,
      async () => undefined as unknown as Uint8Array,
    ];
    for (const act of others) {
      await expect(signJwt(someClaims(), aSigner('ES256', { sign: act }))).rejects.toMatchObject({
        code: 'key_invalid',
      });
    }
    for (const der of ['', '30', '3006020100020100', '30ff'.repeat(40), `3044${'0220'.repeat(40)}`]) {
      const signer = aSigner('ES256', { signatureEncoding: 'der', sign: async () => Buffer.from(der, 'hex') });
      await expect(signJwt(someClaims(), signer)).rejects.toMatchObject({ code: 'key_invalid' });
    }
  });

  it('is not asked for what cannot be signed, and its own failure is passed on', async () => {
    let calls = 0;
    const failure = new Error('the KMS is away');
    const signer = aSigner('ES256', {
      sign: async () => {
        calls += 1;
        throw failure;
      },
    });
    await expect(signJwt({ exp: Number.NaN }, signer)).rejects.toMatchObject({ code: 'claims_invalid' });
    expect(calls).toBe(0);
    await expect(signJwt(someClaims(), signer)).rejects.toBe(failure);
    expect(calls).toBe(1);
  });

  it('may change while it signs: the token is one of one key', async () => {
    const keys = [publicKey(aKey('ES256')), publicKey(aKey('ES384'))];
    const signer: JwtSigner = {
      get publicKey() {
        return keys.shift() ?? publicKey(aKey('ES384'));
      },
      sign: async () => new Uint8Array(96),
    };
    await expect(signJwt(someClaims(), signer)).rejects.toMatchObject({ code: 'key_invalid' });
    expect(keys).toHaveLength(1);
  });

  it('is told what is wrong with it', async () => {
    const words = 'key must be a JwtKey or a JwtSigner; wrap a secret in secretKey()';
    for (const key of [null, undefined, 'secret', {}, { sign: 1 }]) {
      expect(() => signJwt(someClaims(), key as unknown as JwtSigner)).toThrow(new TypeError(words));
    }
    const signer: JwtSigner = { publicKey: publicKey(aKey('ES256')), sign: async () => new Uint8Array(64) };
    await expect(signJwt(someClaims(), { ...signer, publicKey: hmacKey })).rejects.toThrow(
      new TypeError('publicKey must be the public JwtKey of the signer'),
    );
    await expect(signJwt(someClaims(), { ...signer, signatureEncoding: 'raw' as 'der' })).rejects.toThrow(
      new TypeError("signatureEncoding must be 'ieee-p1363' or 'der'"),
    );
    const reason = 'what the signer makes is no signature of its public key';
    for (const signatureEncoding of ['der', 'ieee-p1363'] as const) {
      await expect(signJwt(someClaims(), { ...signer, signatureEncoding })).rejects.toMatchObject({
        details: { reason },
      });
    }
  });
});

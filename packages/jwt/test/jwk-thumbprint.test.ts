import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { exportJwk, exportPublicJwk, jwkThumbprint, type Algorithm } from '../src/index.ts';
import { aKey, aStrangeJwk } from './fixtures.ts';

describe('a thumbprint', () => {
  it.each<Algorithm>(['HS256', 'RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'of a key for %s is the one jose computes',
    async (algorithm) => {
      const jwk = exportJwk(aKey(algorithm));
      expect(jwkThumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk as JWK));
      expect(jwkThumbprint(aKey(algorithm))).toBe(jwkThumbprint(jwk));
    },
  );

  it('is the same for both halves of a key, and does not depend on other members', () => {
    const { kty, crv, x, y } = exportPublicJwk(aKey('ES256'));
    const thumbprint = jwkThumbprint(aKey('ES256'));
    expect(jwkThumbprint(exportPublicJwk(aKey('ES256')))).toBe(thumbprint);
    expect(jwkThumbprint(aStrangeJwk({ y, x, crv, kty }))).toBe(thumbprint);
  });
});

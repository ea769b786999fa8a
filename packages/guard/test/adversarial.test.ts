import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createGuard } from '@sallyport/guard';
import { importKey, type JwkSet } from '@sallyport/jwt';

interface Vector {
  readonly id: number;
  readonly name: string;
  readonly key: string;
  readonly required: 'accept' | 'reject' | 'policy-reject';
  readonly token: string;
}

interface VectorFile {
  readonly now: number;
  readonly issuer: string;
  readonly audience: string;
  readonly trustedKeys: JwkSet;
  readonly vectors: readonly Vector[];
}

const file = new URL('../../jwt/test/vectors/jwt-adversarial.json', import.meta.url);
const { now, issuer, audience, trustedKeys, vectors } = JSON.parse(readFileSync(file, 'utf8')) as VectorFile;

describe('J1-J27 the adversarial tokens, as a request brings them', () => {
  it.each(vectors)('$id $name: $required', ({ key, required, token }) => {
    for (const jwk of trustedKeys.keys.filter(({ kid }) => key === 'any' || kid === `${key}-1`)) {
      const options = { issuer, audience, keys: importKey(jwk), clockTolerance: 0, now: () => new Date(now * 1000) };
      const verdict = createGuard(options).check({ authorization: [`Bearer ${token}`] });
      if (required === 'accept') expect(verdict).toMatchObject({ granted: true });
      else
        expect(verdict).toMatchObject({
          granted: false,
          refusal: { status: /\s/.test(token) || token === '' ? 400 : 401 },
        });
    }
  });
});

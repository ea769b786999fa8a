import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importKey, isAlgorithm, verifyJwt, type Jwk, type LocalKeys } from '../src/index.ts';
import { refusalOf } from './fixtures.ts';

interface Vector {
  readonly id: number;
  readonly group: string;
  readonly name: string;
  readonly key: 'hs' | 'rs' | 'es' | 'ed' | 'any';
  readonly required: 'accept' | 'reject' | 'policy-reject';
  readonly token: string;
}

interface Vectors {
  readonly now: number;
  readonly issuer: string;
  readonly audience: string;
  readonly typ: string;
  readonly trustedKeys: { readonly keys: readonly Jwk[] };
  readonly badKeys: readonly { readonly name: string; readonly required: string; readonly jwk: Jwk }[];
  readonly vectors: readonly Vector[];
}

const file = new URL('vectors/jwt-adversarial.json', import.meta.url);
const data = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

/** The trusted keys a vector is verified with, each as a set of one and as a key. */
function keysFor({ key }: Vector): { readonly jwk: Jwk; readonly keys: LocalKeys }[] {
  const trusted = data.trustedKeys.keys.filter((jwk) => key === 'any' || jwk.kid === `${key}-1`);
  return trusted.flatMap((jwk) => [
    { jwk, keys: { keys: [jwk] } },
    { jwk, keys: importKey(jwk) },
  ]);
}

function verify(token: string, jwk: Jwk, keys: LocalKeys): unknown {
  const { issuer, audience, typ, now } = data;
  const algorithms = [jwk.alg].filter(isAlgorithm);
  return verifyJwt(token, { keys, algorithms, issuer, audience, typ, now: new Date(now * 1000), clockTolerance: 0 });
}

describe('the adversarial vectors', () => {
  it.each(data.vectors)('$required $id: $name', (vector) => {
    const candidates = keysFor(vector);
    expect(candidates.length).toBeGreaterThan(0);
    for (const { jwk, keys } of candidates) {
      const act = (): unknown => verify(vector.token, jwk, keys);
      if (vector.required === 'accept') expect(act).not.toThrow();
      else refusalOf(act);
    }
  });
});

describe('J26 the bad keys', () => {
  it.each(data.badKeys)('$required: $name', ({ jwk }) => {
    const control = data.vectors.find(({ group, key }) => group === 'control' && key === 'rs');
    expect(refusalOf(() => importKey(jwk)).code).toBe('key_invalid');
    const { code } = refusalOf(() => verify(control?.token ?? '', { ...jwk, alg: 'RS256' }, { keys: [jwk] }));
    expect(['key_invalid', 'key_not_found', 'algorithm_not_allowed']).toContain(code);
  });
});

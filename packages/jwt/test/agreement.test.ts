import fc from 'fast-check';
import { CompactSign, importJWK, jwtVerify, type CryptoKey, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  algorithmNames,
  exportJwk,
  exportPublicJwk,
  isJwtError,
  signJwt,
  verifyJwt,
  type Algorithm,
  type JwtClaims,
  type JwtErrorCode,
} from '../src/index.ts';
import { aKey, audience, issuer, now, seconds, someClaims } from './fixtures.ts';

/** What a sample token is made of. */
interface Sample {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Another library, used the way its users use it, with the same expectations as ours. */
interface Peer {
  readonly name: string;
  /** Signs whatever it is given. */
  sign(sample: Sample, algorithm: Algorithm): Promise<string>;
  /** Returns the claims of a token it accepts. */
  accept(token: string, algorithm: Algorithm): Promise<object | undefined>;
  /** Why it may accept what we refuse, by our code: each entry says for which samples. */
  readonly differences: { readonly [Code in JwtErrorCode]?: (sample: Sample) => boolean };
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isDate = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e12;
const isPresent = (record: object, name: string, isValid: (value: unknown) => boolean): boolean =>
  Object.hasOwn(record, name) && !isValid(Reflect.get(record, name));

const joseKeys = new Map<string, Promise<CryptoKey | Uint8Array>>();

function joseKey(algorithm: Algorithm, half: 'signing' | 'verifying'): Promise<CryptoKey | Uint8Array> {
  const key = aKey(algorithm);
  const jwk = half === 'signing' || key.type === 'secret' ? exportJwk(key) : exportPublicJwk(key);
  const made = joseKeys.get(algorithm + half) ?? importJWK(jwk as JWK, algorithm);
  joseKeys.set(algorithm + half, made);
  return made;
}

const jose: Peer = {
  name: 'jose',
  async sign({ header, claims }, algorithm) {
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ ...header, alg: algorithm })
      .sign(await joseKey(algorithm, 'signing'));
  },
  async accept(token, algorithm) {
    const options = { issuer, audience, currentDate: now, requiredClaims: ['exp'], algorithms: [algorithm] };
    const verified = await jwtVerify(token, await joseKey(algorithm, 'verifying'), options).catch(() => undefined);
    return verified?.payload;
  },
  differences: {
    // It looks at sub and jti only when asked for one, at one entry of aud, and at numbers as far as they go.
    claims_invalid: ({ claims }) =>
      ['sub', 'jti'].some((name) => isPresent(claims, name, isText)) ||
      ['exp', 'nbf', 'iat'].some((name) => isPresent(claims, name, isDate)) ||
      isPresent(claims, 'aud', (aud) => Array.isArray(aud) && aud.every(isText)),
    // It looks at iat only to find the age of a token.
    not_yet_valid: ({ claims: { iat } }) => typeof iat === 'number' && iat > seconds,
    // With a key in hand it looks at neither, whatever their type.
    token_malformed: ({ header }) =>
      ['typ', 'kid'].some((name) => isPresent(header, name, (value) => typeof value === 'string')),
    key_not_found: ({ header: { kid } }) => typeof kid === 'string' && !kid.startsWith('key-'),
    // It knows b64, and crit that names it.
    critical_header_unsupported: ({ header }) => Object.hasOwn(header, 'b64'),
  },
};

/** jsonwebtoken and fast-jwt belong here too, once they are installed. */
const peers: readonly Peer[] = [jose];

const strange = fc.constantFrom<unknown>(
  null,
  '',
  0,
  1,
  true,
  'x',
  [],
  {},
  ['x'],
  [1],
  1e99,
  seconds,
  issuer,
  audience,
);
const time = fc.oneof(
  fc.constantFrom(seconds - 1, seconds, seconds + 0.5, seconds + 1, seconds + 900, seconds - 0.5, -1, 0),
  strange,
);

/** A member that is mostly right, sometimes strange and sometimes not there. */
const mostly = <Value>(right: fc.Arbitrary<Value>, other: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: right, weight: 12 }, { arbitrary: other, weight: 1 });

const anyClaims: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    iss: mostly(fc.constant(issuer), strange),
    sub: mostly(fc.string({ minLength: 1 }), strange),
    aud: mostly(fc.constantFrom(audience, [audience], ['x', audience]), fc.oneof(strange, fc.constant([audience, 1]))),
    exp: mostly(fc.constantFrom(seconds + 1, seconds + 900.25), time),
    nbf: mostly(fc.constantFrom(seconds, seconds - 60), time),
    iat: mostly(fc.constantFrom(seconds, seconds - 60), time),
    jti: mostly(fc.uuid(), strange),
    name: fc.string({ unit: 'grapheme' }),
    data: fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: ['iss', 'aud', 'exp'], noNullPrototype: true },
);

const anyHeader = (algorithm: Algorithm): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    {
      kid: mostly(fc.constant(`key-${algorithm}`), fc.constantFrom<unknown>('other', '', 1, null, ['x'])),
      typ: mostly(fc.constantFrom('JWT', 'at+jwt', 'x'), fc.constantFrom<unknown>('', 1, null, {})),
      cty: fc.string(),
      jwk: fc.constant({ kty: 'oct', k: 'AAAA' }),
      b64: fc.constant(true),
      x: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

/** Our verdict: the claims, or the code of the refusal. */
function ours(token: string, algorithm: Algorithm): object | JwtErrorCode {
  try {
    return verifyJwt(token, { keys: aKey(algorithm), issuer, audience, now, clockTolerance: 0 }).claims;
  } catch (error) {
    if (isJwtError(error)) return error.code;
    throw error;
  }
}

describe.each(peers)('$name and ours', (peer) => {
  const runs = { numRuns: 60 };

  it.each(algorithmNames)(
    'accept the same of what it signs with %s, but for the named differences',
    async (algorithm) => {
      const sample = fc.record({ header: anyHeader(algorithm), claims: anyClaims });
      await fc.assert(
        fc.asyncProperty(sample, async (made) => {
          const token = await peer.sign(made, algorithm);
          const [mine, theirs] = [ours(token, algorithm), await peer.accept(token, algorithm)];
          if (typeof mine === 'object') expect(theirs).toEqual(mine);
          else if (theirs !== undefined) expect(peer.differences[mine]?.(made), `${mine}: ${token}`).toBe(true);
        }),
        runs,
      );
    },
  );

  it.each(algorithmNames)('accept all that we sign with %s, and read the same', async (algorithm) => {
    const claims = fc
      .dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true })
      .map((more) => ({ ...(JSON.parse(JSON.stringify(more)) as JwtClaims), ...someClaims() }));
    await fc.assert(
      fc.asyncProperty(claims, fc.constantFrom('JWT', 'at+jwt', 'x'), async (made, typ) => {
        const token = signJwt({ ...made, nbf: seconds }, aKey(algorithm), { typ, header: { cty: 'x', n: [1] } });
        expect(await peer.accept(token, algorithm)).toEqual(ours(token, algorithm));
        expect(ours(token, algorithm)).toEqual({ ...made, nbf: seconds });
      }),
      runs,
    );
  });

  it('need every difference that is named', async () => {
    const samples: Readonly<Record<string, Sample>> = {
      claims_invalid: { header: {}, claims: someClaims({ jti: '' }) },
      not_yet_valid: { header: {}, claims: someClaims({ iat: seconds + 60 }) },
      token_malformed: { header: { kid: 7 }, claims: someClaims() },
      key_not_found: { header: { kid: 'other' }, claims: someClaims() },
      critical_header_unsupported: { header: { b64: true }, claims: someClaims() },
    };
    expect(Object.keys(samples)).toEqual(Object.keys(peer.differences));
    for (const [code, sample] of Object.entries(samples)) {
      const token = await peer.sign(sample, 'HS256');
      expect(ours(token, 'HS256')).toBe(code);
      expect(await peer.accept(token, 'HS256')).toEqual(sample.claims);
    }
  });
});

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeJwtUnverified,
  isJwtError,
  signJwt,
  verifyJwt,
  type Algorithm,
  type JwtClaims,
  type JwtErrorCode,
} from '../src/index.ts';
import { aKey, audience, forge, issuer, now, seconds, someClaims } from './fixtures.ts';
import { peers, type Peer, type Sample } from './peers.ts';

/** A member that is mostly right, and sometimes strange. */
const mostly = <Value>(right: fc.Arbitrary<Value>, other: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: right, weight: 12 }, { arbitrary: other, weight: 1 });

/** A member that is mostly absent: JSON does not write what is undefined. */
const seldom = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => mostly(fc.constant(undefined), value);

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
const strangeTime = fc.oneof(
  fc.constantFrom<unknown>(seconds - 1, seconds, seconds + 0.5, seconds + 1, seconds + 900, seconds - 0.5, -1, 0),
  strange,
);
const strangeAudience = fc.oneof(strange, fc.constantFrom([audience, 1], [audience, ''], [audience, null]));

const anyClaims: fc.Arbitrary<object> = fc.record(
  {
    iss: mostly(fc.constant(issuer), strange),
    sub: mostly(fc.string({ minLength: 1 }), strange),
    aud: mostly(fc.constantFrom(audience, [audience], ['x', audience]), strangeAudience),
    exp: mostly(fc.constantFrom(seconds + 1, seconds + 900, seconds + 900.25, 8.64e12), fc.option(strangeTime)),
    nbf: mostly(fc.constantFrom(seconds, seconds - 60), strangeTime),
    iat: mostly(fc.constantFrom(seconds, seconds - 60), strangeTime),
    jti: mostly(fc.uuid(), strange),
    name: fc.string({ unit: 'grapheme' }),
    data: fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: ['iss', 'aud'], noNullPrototype: true },
);

const anyHeader = (algorithm: Algorithm): fc.Arbitrary<object> =>
  fc.record(
    {
      kid: mostly(fc.constant(`key-${algorithm}`), fc.constantFrom<unknown>('other', '', 1, null, ['x'])),
      typ: mostly(fc.constantFrom('JWT', 'at+jwt', 'x'), fc.constantFrom<unknown>('', 1, null, {})),
      cty: fc.string(),
      jwk: fc.constant({ kty: 'oct', k: 'AAAA' }),
      b64: seldom(fc.boolean()),
      crit: seldom(fc.constantFrom<unknown>([], ['b64'], ['x'], ['exp', 'x'], null, '', 'x')),
      x: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

/** Samples as they look after JSON. */
const anySample = (algorithm: Algorithm): fc.Arbitrary<Sample> =>
  fc
    .record({ header: anyHeader(algorithm), claims: anyClaims })
    .map((sample) => JSON.parse(JSON.stringify(sample)) as Sample);

/**
 * A token that holds just this sample, and whether the peer signed it. What a peer does not sign, or changes before it
 * signs, others may still send to it: such a token is put together with a signature that fits.
 */
async function tokenOf(sample: Sample, algorithm: Algorithm, peer: Peer): Promise<{ token: string; isOwn: boolean }> {
  const header = { ...sample.header, alg: algorithm };
  const signed = await attempt(async () => peer.sign(sample, algorithm));
  const isOwn =
    signed !== undefined && isDeepStrictEqual(decodeJwtUnverified(signed), { header, claims: sample.claims });
  return { token: isOwn ? signed : forge(header, sample.claims, aKey(algorithm)), isOwn };
}

/** The claims of a token the peer accepts. */
async function theirs(token: string, algorithm: Algorithm, peer: Peer): Promise<unknown> {
  return attempt(async () => peer.accept(token, algorithm));
}

async function attempt<Value>(act: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await act();
  } catch {
    return undefined;
  }
}

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
  const runs = { numRuns: 25 };
  const honest: Sample = { header: { typ: 'JWT' }, claims: { ...someClaims() } };

  it.each(peer.algorithms)('accept the same under %s, but for the named differences', async (algorithm) => {
    let [own, accepted] = [0, 0];
    await fc.assert(
      fc.asyncProperty(anySample(algorithm), async (sample) => {
        const { token, isOwn } = await tokenOf(sample, algorithm, peer);
        const [mine, other] = [ours(token, algorithm), await theirs(token, algorithm, peer)];
        if (typeof mine === 'object') {
          expect(other).toEqual(mine);
          accepted += 1;
          own += isOwn ? 1 : 0;
        } else if (other !== undefined) {
          expect(peer.differences[mine]?.covers(sample), `${mine}: ${token}`).toBe(true);
        }
      }),
      { ...runs, examples: [[honest]] },
    );
    expect(accepted).toBeGreaterThan(0);
    expect(own).toBeGreaterThan(0);
  });

  it.each(peer.algorithms)('accept all that we sign with %s, and read the same', async (algorithm) => {
    const claims = fc
      .dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true })
      .map((more) => ({ ...(JSON.parse(JSON.stringify(more)) as JwtClaims), ...someClaims() }));
    await fc.assert(
      fc.asyncProperty(claims, fc.constantFrom('JWT', 'at+jwt', 'x'), async (made, typ) => {
        const token = signJwt({ ...made, nbf: seconds }, aKey(algorithm), { typ, header: { cty: 'x', n: [1] } });
        expect(await theirs(token, algorithm, peer)).toEqual(ours(token, algorithm));
        expect(ours(token, algorithm)).toEqual({ ...made, nbf: seconds });
      }),
      runs,
    );
  });

  it.each(Object.entries(peer.differences))('need the difference that is named %s', async (code, difference) => {
    expect(difference.examples).not.toEqual([]);
    for (const sample of difference.examples) {
      const { token } = await tokenOf(sample, 'HS256', peer);
      expect(difference.covers(sample)).toBe(true);
      expect(ours(token, 'HS256'), `ours: ${token}`).toBe(code);
      expect(await theirs(token, 'HS256', peer), `theirs: ${token}`).toEqual(sample.claims);
    }
  });
});

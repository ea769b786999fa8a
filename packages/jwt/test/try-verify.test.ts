import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { isJwtError, remoteJwkSet, tryVerifyJwt, verifyJwt, type JwtOutcome } from '../src/index.ts';
import vectors from './vectors/jwt-adversarial.json' with { type: 'json' };
import { aKey, aToken, expected, hmacKey } from './fixtures.ts';

/** What `verifyJwt` makes of a token, told in the words of `tryVerifyJwt`. */
function outcomeOf(verify: () => object): object {
  try {
    return { ok: true, ...verify() };
  } catch (error) {
    if (!isJwtError(error)) throw error;
    return { ok: false, code: error.code, details: error.details };
  }
}

describe('verifying without an exception', () => {
  it('gives header and claims of a good token', () => {
    const outcome = tryVerifyJwt(aToken(), expected);
    expect(outcome).toEqual({ ok: true, ...verifyJwt(aToken(), expected) });
  });

  it('says of every adversarial token what verifyJwt says', () => {
    for (const { token } of vectors.vectors) {
      expect(tryVerifyJwt(token, expected)).toEqual(outcomeOf(() => verifyJwt(token, expected)));
    }
  });

  it('says of any text what verifyJwt says', () => {
    const token = aToken();
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(token.length), fc.string({ maxLength: 3 })).map(([at, text]) => token.slice(0, at) + text),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(tryVerifyJwt(text, expected)).toEqual(outcomeOf(() => verifyJwt(text, expected)));
      }),
    );
  });

  it('tells that remote keys cannot be had, and throws what no token is to blame for', async () => {
    const keys = remoteJwkSet('http://127.0.0.1:1/jwks.json');
    expect(await tryVerifyJwt(aToken({}, aKey('ES256')), { ...expected, keys })).toMatchObject({
      ok: false,
      code: 'keys_unavailable',
    });
    expect(() => tryVerifyJwt(aToken(), { keys: hmacKey, issuer: '' })).toThrow(TypeError);
    await expect(tryVerifyJwt(aToken(), { keys, issuer: '' })).rejects.toThrow(TypeError);
  });

  it('narrows the details by the code', () => {
    const read = (outcome: JwtOutcome): Date | undefined =>
      !outcome.ok && outcome.code === 'expired' ? outcome.details.expiredAt : undefined;
    expectTypeOf(read).returns.toEqualTypeOf<Date | undefined>();
    expect(read(tryVerifyJwt(aToken({ exp: 1 }), expected))).toEqual(new Date(1000));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../src/base64url.ts';
import {
  algorithmNames,
  decodeJwtUnverified,
  importKey,
  isJwtError,
  parseStrictJson,
  verifyJwt,
} from '../src/index.ts';
import { readStrictJson } from '../src/json.ts';
import { signJwt } from '../src/jwt.ts';
import { aKey, aStrangeJwk, aToken, expected, forge } from './fixtures.ts';

/** Claims of any shape whose registered names are left to the fixture. */
const anyClaims = fc.dictionary(
  fc.string({ unit: 'grapheme' }).filter((name) => !/^(iss|sub|aud|exp|nbf|iat|jti)$/.test(name)),
  fc.jsonValue({ maxDepth: 4 }),
  { noNullPrototype: true },
);

/** Runs an act that may refuse, and nothing else. */
function mayRefuse(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    return isJwtError(error);
  }
}

describe('for any input', () => {
  it.each(algorithmNames)('what %s signs, it verifies unchanged', (algorithm) => {
    const key = aKey(algorithm);
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const own = { ...(JSON.parse(JSON.stringify(claims)) as object), exp: 4e9 };
        const { claims: verified } = verifyJwt(signJwt(own, key), { keys: key });
        expect(verified).toStrictEqual(JSON.parse(JSON.stringify(own)));
      }),
      { numRuns: 25 },
    );
  });

  it.each(['HS256', 'ES256', 'EdDSA', 'RS256'] as const)(
    'a token of %s with any flipped bit is refused',
    (algorithm) => {
      const key = aKey(algorithm);
      const bytes = Buffer.from(aToken({}, key), 'latin1');
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.nat(7), (index, bit) => {
          const flipped = Buffer.from(bytes);
          flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
          expect(() => verifyJwt(flipped.toString('latin1'), { ...expected, keys: key })).toThrow();
          expect(mayRefuse(() => verifyJwt(flipped.toString('latin1'), { ...expected, keys: key }))).toBe(true);
        }),
        { numRuns: 150 },
      );
    },
  );

  it('the parsers throw nothing but JwtError', () => {
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.json().map(encodeBase64url));
    const token = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(
        token,
        (text) => mayRefuse(() => decodeJwtUnverified(text)) && mayRefuse(() => verifyJwt(text, expected)),
      ),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => mayRefuse(() => parseStrictJson(bytes))));
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (header, payload) =>
        mayRefuse(() => verifyJwt(forge(JSON.stringify(header), JSON.stringify(payload)), expected)),
      ),
    );
  });

  it('importing a JWK throws nothing but JwtError', () => {
    const member = fc.oneof(
      fc.constantFrom('RSA', 'EC', 'OKP', 'oct', 'P-256', 'Ed25519', 'ES256', 'AQAB'),
      fc.base64String(),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const names = ['kty', 'alg', 'use', 'key_ops', 'kid', 'crv', 'x', 'y', 'n', 'e', 'd', 'k', 'p', 'oth'];
    const jwk = fc.record(Object.fromEntries(names.map((name) => [name, member])), { requiredKeys: [] });
    fc.assert(
      fc.property(jwk, (material) => mayRefuse(() => importKey(aStrangeJwk(material)))),
      { numRuns: 1000 },
    );
  });

  it('strict JSON is JSON.parse, minus what it refuses', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const outcome = readStrictJson(text);
        if ('value' in outcome) expect(outcome.value).toStrictEqual(JSON.parse(text));
        else expect(['encoding', 'depth']).toContain(outcome.refusal);
      }),
    );
  });

  it('J16 a member written twice is found, wherever and however it is written', () => {
    const escape = (name: string): string =>
      [...name].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z:"{}\\ ]{1,8}$/),
        fc.jsonValue({ maxDepth: 2 }),
        fc.boolean(),
        fc.nat(5),
        (name, value, isEscaped, depth) => {
          const first = JSON.stringify(name);
          const second = isEscaped ? `"${escape(name)}"` : first;
          const text = `${'[{"a":'.repeat(depth)}{${first}:${JSON.stringify(value)},${second}:1}${'}]'.repeat(depth)}`;
          expect(readStrictJson(text)).toEqual({ refusal: 'duplicate_member' });
        },
      ),
    );
  });

  it('J11 bytes have one encoding only', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => decodeBase64url(encodeBase64url(bytes))?.equals(bytes) === true));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        const bytes = decodeBase64url(text);
        return bytes === undefined || encodeBase64url(bytes) === text;
      }),
    );
  });
});

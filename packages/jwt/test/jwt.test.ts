import { describe, expect, it } from 'vitest';
import type { JwtKey } from '../src/index.ts';
import {
  algorithmNames,
  decodeJwtUnverified,
  publicKey,
  secretKey,
  signJwt,
  verifyJwt,
  type JwtClaims,
  type SignOptions,
  type VerifyOptions,
  issueAccessToken,
  type NewAccessTokenClaims,
} from '../src/index.ts';
import {
  aKey,
  aToken,
  audience,
  claimsWithout,
  expected,
  expectRefusal,
  forge,
  hmacKey,
  issuer,
  now,
  refusalOf,
  seconds,
  someClaims,
} from './fixtures.ts';

const verify = (token: string, options: Partial<VerifyOptions<JwtKey>> = {}): unknown =>
  verifyJwt(token, { ...expected, ...options });

/** What a caller without types might write. */
const careless = (options: object): VerifyOptions<JwtKey> => ({ ...expected, ...options });

describe('signing', () => {
  it('puts alg, kid and typ into the header, in this order', () => {
    const [header = ''] = signJwt({}, aKey('ES256')).split('.');
    expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":"ES256","kid":"key-ES256","typ":"JWT"}');
    expect(decodeJwtUnverified(signJwt({}, hmacKey, { typ: 'at+jwt', header: { cty: 'x' } })).header).toEqual({
      alg: 'HS256',
      typ: 'at+jwt',
      cty: 'x',
    });
  });

  it('returns what it was given, after verification', () => {
    const claims = someClaims({ name: 'Ada 😀', nested: { list: [1, null, true] } });
    expect(verifyJwt(signJwt(claims, hmacKey), expected)).toEqual({ header: { alg: 'HS256', typ: 'JWT' }, claims });
  });

  it('keeps U+FFFD, which also stands for what is no UTF-8', () => {
    expect(verifyJwt(aToken({ name: 'A\ufffda' }), expected).claims['name']).toBe('A\ufffda');
  });

  it.each(algorithmNames)('with %s covers a long token to its last character', (algorithm) => {
    const options = { ...expected, keys: aKey(algorithm), maxTokenLength: 30_000 };
    const token = aToken({ note: 'x'.repeat(9000), last: 1 }, aKey(algorithm));
    expect(verifyJwt(token, options).claims['last']).toBe(1);
    const [header = '', , signature = ''] = token.split('.');
    const [, other = ''] = aToken({ note: 'x'.repeat(9000), last: 2 }, aKey(algorithm)).split('.');
    expectRefusal('signature_invalid', () => verifyJwt(`${header}.${other}.${signature}`, options));
  });

  it.each([
    ['exp', Number.NaN],
    ['exp', Number.POSITIVE_INFINITY],
    ['exp', '1'],
    ['exp', 9e99],
    ['nbf', null],
    ['iat', new Date(0)],
    ['iss', ''],
    ['sub', 7],
    ['aud', []],
    ['aud', ['']],
    ['jti', {}],
    ['name', undefined],
    ['name', () => 1],
    ['name', 1n],
    ['name', new Map()],
    ['name', '\ud800'],
  ])('refuses the claim %s to be %s', (claim, value) => {
    const error = refusalOf(() => signJwt({ [claim]: value }, hmacKey));
    expect(error).toMatchObject({ code: 'claims_invalid', details: { claim } });
  });

  it('refuses claims that are no plain object', () => {
    class Account {
      toJSON(): JwtClaims {
        return { sub: 'admin' };
      }
    }
    expect(() => signJwt(new Account() as unknown as JwtClaims, hmacKey)).toThrow(TypeError);
    expect(() => signJwt([] as unknown as JwtClaims, hmacKey)).toThrow(TypeError);
  });

  it('refuses to sign with a public key', () => {
    expectRefusal('key_invalid', () => signJwt({}, publicKey(aKey('ES256'))));
    expect(() => signJwt({}, 'secret' as unknown as JwtKey)).toThrow(TypeError);
  });

  it.each(['alg', 'kid', 'typ', 'crit', 'b64'])('refuses to set the header parameter %s', (name) => {
    expect(() => signJwt({}, hmacKey, { header: { [name]: 'x' } })).toThrow(TypeError);
  });

  it.each([{ typ: '' }, { header: { x: undefined } }, { header: [] }])('refuses the options %j', (options) => {
    expect(() => signJwt({}, hmacKey, options as unknown as SignOptions)).toThrow(TypeError);
  });
});

describe('times', () => {
  it.each([0, -1, 1, seconds, seconds - 0.5, -8e12])('J18 refuses a token whose exp is %d', (exp) => {
    const error = refusalOf(() => verify(aToken({ exp })));
    expect(error).toMatchObject({ code: 'expired', details: { expiredAt: new Date(exp * 1000) } });
  });

  it('J18 accepts a token until the very moment it expires, whatever the tolerance', () => {
    const last = aToken({ exp: seconds + 0.5 });
    expect(() => verify(last, { clockTolerance: 60 })).not.toThrow();
    expectRefusal('expired', () => verify(last, { now: new Date(now.getTime() + 500), clockTolerance: 60 }));
  });

  it.each(['nbf', 'iat'])('J19 refuses a token whose %s lies ahead by more than the tolerance', (claim) => {
    expect(() => verify(aToken({ [claim]: seconds + 5 }))).not.toThrow();
    expect(() => verify(aToken({ [claim]: seconds + 60 }), { clockTolerance: 60 })).not.toThrow();
    expect(refusalOf(() => verify(aToken({ [claim]: seconds + 6 })))).toMatchObject({
      code: 'not_yet_valid',
      details: { claim, validFrom: new Date((seconds + 6) * 1000) },
    });
    expectRefusal('not_yet_valid', () => verify(aToken({ [claim]: seconds + 1 }), { clockTolerance: 0 }));
  });

  it.each(['exp', 'nbf', 'iat'])('J17 refuses a token whose %s is no finite number of seconds', (claim) => {
    for (const value of ['"1"', 'null', 'true', '[]', '{}', '""', '1e400', '-1e400', '9e99']) {
      const payload = JSON.stringify(someClaims({ [claim]: 0 })).replace(`"${claim}":0`, `"${claim}":${value}`);
      expect(refusalOf(() => verify(forge({ alg: 'HS256' }, payload)))).toMatchObject({
        code: 'claims_invalid',
        details: { claim },
      });
    }
  });

  it('J17 takes times as far as a Date reaches', () => {
    const furthest = 8.64e12;
    expect(() => verify(forge({ alg: 'HS256' }, someClaims({ exp: furthest, nbf: -furthest })))).not.toThrow();
    expectRefusal('claims_invalid', () => verify(forge({ alg: 'HS256' }, someClaims({ exp: furthest + 1 }))));
    expectRefusal('claims_invalid', () => verify(forge({ alg: 'HS256' }, someClaims({ nbf: -furthest - 1 }))));
  });

  it('refuses a token older than maxTokenAge, or without iat', () => {
    expect(() => verify(aToken({ iat: seconds - 60 }), { maxTokenAge: 60 })).not.toThrow();
    expectRefusal('token_too_old', () => verify(aToken({ iat: seconds - 61 }), { maxTokenAge: 60 }));
    const ageless = signJwt(claimsWithout('iat'), hmacKey);
    expect(refusalOf(() => verify(ageless, { maxTokenAge: 60 }))).toMatchObject({
      code: 'claim_missing',
      details: { claim: 'iat' },
    });
  });

  it('uses the clock when no moment is given', () => {
    const current = Math.floor(Date.now() / 1000);
    expect(() => verifyJwt(signJwt({ exp: current + 60 }, hmacKey), { keys: hmacKey })).not.toThrow();
    expectRefusal('expired', () => verifyJwt(signJwt({ exp: current - 1 }, hmacKey), { keys: hmacKey }));
  });
});

describe('who and for whom', () => {
  it.each([`${issuer}/`, `${issuer}.evil.test`, issuer.slice(0, -1), issuer.toUpperCase(), 'joe'])(
    'J21 refuses the issuer %s',
    (iss) => {
      expect(refusalOf(() => verify(aToken({ iss })))).toMatchObject({
        code: 'claim_mismatch',
        details: { claim: 'iss' },
      });
    },
  );

  it('J21 refuses a list as issuer, even with ours in it', () => {
    expectRefusal('claims_invalid', () =>
      verify(forge({ alg: 'HS256' }, someClaims({ iss: [issuer] as unknown as string }))),
    );
  });

  it('accepts one of several issuers', () => {
    expect(() => verify(aToken(), { issuer: ['https://other.example.com', issuer] })).not.toThrow();
    expectRefusal('claim_mismatch', () => verify(aToken(), { issuer: ['https://other.example.com'] }));
  });

  it('J22 accepts a token for us among others', () => {
    expect(() => verify(aToken({ aud: ['x', audience] }))).not.toThrow();
    expect(() => verify(aToken(), { audience: ['x', audience] })).not.toThrow();
  });

  it.each([[`${audience}/`], [audience.slice(0, -1)], ['x'], [['x', 'y']]])('J22 refuses a token for %j', (aud) => {
    expect(refusalOf(() => verify(aToken({ aud })))).toMatchObject({
      code: 'claim_mismatch',
      details: { claim: 'aud' },
    });
  });

  it.each([[[]], [{}], [''], [[audience, 1]], [[[audience]]], [null]])('J22 refuses the audience %j', (aud) => {
    expectRefusal('claims_invalid', () => verify(forge({ alg: 'HS256' }, { ...someClaims(), aud })));
  });

  it('refuses a token that is for somebody, when we have not said who we are (RFC 7519, section 4.1.3)', () => {
    expect(refusalOf(() => verifyJwt(aToken(), { keys: hmacKey, issuer, now }))).toMatchObject({
      code: 'claim_mismatch',
      details: { claim: 'aud' },
    });
  });

  it('holds the subject against the option', () => {
    expect(() => verify(aToken(), { subject: 'ada' })).not.toThrow();
    const nameless = signJwt(claimsWithout('sub'), hmacKey);
    for (const [code, token, subject] of [
      ['claim_mismatch', aToken(), 'bob'],
      ['claim_missing', nameless, 'ada'],
    ] as const) {
      expect(refusalOf(() => verify(token, { subject }))).toMatchObject({ code, details: { claim: 'sub' } });
    }
  });

  it.each(['iss', 'aud'])('refuses a token without %s when it is checked', (claim) => {
    expect(refusalOf(() => verify(signJwt(claimsWithout(claim), hmacKey)))).toMatchObject({
      code: 'claim_missing',
      details: { claim },
    });
  });

  it('requires exp, or what the option says', () => {
    const keys = secretKey('a key that nobody verified with before');
    const endless = signJwt(claimsWithout('exp'), keys);
    expectRefusal('claim_missing', () => verify(endless, { keys }));
    expect(() => verify(endless, { keys, requiredClaims: [] })).not.toThrow();
    expectRefusal('claim_missing', () => verify(aToken({}, keys), { keys, requiredClaims: ['exp', 'toString'] }));
  });

  it.each(['exp', 'iss', 'aud', 'sub'])('J20 requires %s of an access token', (claim) => {
    const token = signJwt(claimsWithout(claim), hmacKey, { typ: 'at+jwt' });
    const act = (): unknown => verifyJwt(token, { keys: hmacKey, typ: 'application/AT+JWT', requiredClaims: [], now });
    expect(refusalOf(act)).toMatchObject({ code: 'claim_missing', details: { claim } });
  });
});

describe('J23 typ', () => {
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])('accepts %s for at+jwt', (typ) => {
    expect(() => verify(signJwt(someClaims(), hmacKey, { typ }), { typ: 'at+jwt' })).not.toThrow();
  });

  it.each(['JWT', 'rt+jwt', 'logout+jwt', 'at+jwt ', 'jwt/at+jwt'])('refuses %s for at+jwt', (typ) => {
    expectRefusal('type_mismatch', () => verify(signJwt(someClaims(), hmacKey, { typ }), { typ: 'at+jwt' }));
  });

  it('refuses a token without typ only when one is expected', () => {
    expect(() => verify(forge({ alg: 'HS256' }))).not.toThrow();
    expectRefusal('type_mismatch', () => verify(forge({ alg: 'HS256' }), { typ: 'JWT' }));
    expectRefusal('token_malformed', () => verify(forge({ alg: 'HS256', typ: ['at+jwt'] })));
  });
});

describe('options', () => {
  it.each([
    { algorithms: [] },
    { algorithms: ['none'] },
    { algorithms: 'HS256' },
    { issuer: '' },
    { issuer: [] },
    { audience: [''] },
    { subject: 7 },
    { typ: '' },
    { clockTolerance: 61 },
    { clockTolerance: -1 },
    { clockTolerance: '5' },
    { maxTokenAge: Number.NaN },
    { maxTokenLength: 0 },
    { requiredClaims: 'exp' },
    { now: new Date(Number.NaN) },
    { now: now.getTime() },
    { audiences: audience },
    { keys: 'secret' },
    { keys: [] },
    { keys: ['secret'] },
    { keys: null },
  ])('refuses %j, whatever the token', (options) => {
    expect(() => verifyJwt(aToken(), careless(options))).toThrow(TypeError);
  });

  it.each(['algorithms', 'issuer', 'audience', 'subject', 'typ', 'clockTolerance', 'now'])(
    'refuses %s to be undefined: a check must not vanish',
    (name) => {
      expect(() => verifyJwt(aToken(), careless({ [name]: undefined }))).toThrow(TypeError);
    },
  );
});

describe('decoding without verification', () => {
  it('returns what is written, believed or not', () => {
    expect(decodeJwtUnverified(forge({ alg: 'none' }, { sub: 'mallory' }))).toEqual({
      header: { alg: 'none' },
      claims: { sub: 'mallory' },
    });
  });

  it.each(['', 'a.b', 'a.b.c', `${aToken()}=`, `${aToken()}.x`])('refuses %s as strictly as verification', (token) => {
    expectRefusal('token_malformed', () => decodeJwtUnverified(token));
  });
});

describe('a header', () => {
  it('may have white space around it, as any JSON text, and so may the claims', () => {
    for (const space of [' ', '\t\r\n ']) {
      const [header, claims] = [{ alg: 'HS256' }, someClaims()].map((part) => space + JSON.stringify(part) + space);
      expect(verify(forge(header ?? '', claims))).toMatchObject({ header: { alg: 'HS256' }, claims: { sub: 'ada' } });
    }
    // What JSON does not know as white space is none.
    for (const space of ['\u00a0', '\ufeff', '\u2028', '\f']) {
      const header = `${space}${JSON.stringify({ alg: 'HS256' })}`;
      expectRefusal('token_malformed', () => verify(forge(header)));
    }
  });

  it('is frozen to its depth: it serves every token that carries it', () => {
    const { header } = verifyJwt(forge({ alg: 'HS256', ext: { admin: false } }), expected);
    expect(() => Object.assign(header['ext'] as object, { admin: true })).toThrow(TypeError);
  });
});

describe('options', () => {
  it('name claims that are required besides exp, or none at all', () => {
    const endless = signJwt({ iss: issuer, aud: audience, sub: 'ada' }, hmacKey);
    expectRefusal('claim_missing', () => verifyJwt(endless, { ...expected, requiredClaims: ['sub'] }));
    expect(verifyJwt(endless, { ...expected, requiredClaims: [] }).claims.sub).toBe('ada');
    for (const names of [[undefined], [''], [7]]) {
      expect(() => verifyJwt(aToken(), { ...expected, requiredClaims: names as unknown as string[] })).toThrow(
        TypeError,
      );
    }
  });

  it('of signing that nobody knows are refused: a lifetime must not be lost', () => {
    expect(() => signJwt(someClaims(), hmacKey, { expiresIn: '15m' } as object)).toThrow(
      'There is no option expiresIn',
    );
    expect(() => signJwt(someClaims(), hmacKey, { typ: '\ud800' })).toThrow(TypeError);
    expect(() => issueAccessToken(null as unknown as NewAccessTokenClaims, hmacKey)).toThrow(
      'claims must be an object',
    );
  });
});

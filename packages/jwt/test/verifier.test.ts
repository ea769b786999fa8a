import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  createAccessTokenVerifier,
  createJwtVerifier,
  generateKey,
  isJwtError,
  jwkSet,
  publicKey,
  secretKey,
  tryVerifyJwt,
  verifyAccessToken,
  verifyJwt,
  type JwkSet,
  type JwtOutcome,
  type RemoteJwkSet,
  type VerifiedJwt,
  remoteJwkSet,
} from '../src/index.ts';
import vectors from './vectors/jwt-adversarial.json' with { type: 'json' };
import { aKey, aToken, audience, expected, expectRefusal, hmacKey, issuer, now, seconds } from './fixtures.ts';

let clock = seconds;
afterEach(() => (clock = seconds));

const fixed = { keys: hmacKey, issuer, audience, now: (): Date => new Date(clock * 1000) } as const;

/** A set that is fetched when it is asked to, from an issuer that publishes what the test says. */
class PublishedKeys implements RemoteJwkSet {
  keys: JwkSet | undefined;
  published: JwkSet;
  fetches = 0;

  constructor(published: JwkSet) {
    this.published = published;
  }

  async refresh(): Promise<void> {
    this.fetches += 1;
    this.keys = this.published;
  }
}

describe('a verifier', () => {
  it('says of every adversarial token what verifyJwt says, also when asked again', () => {
    for (const cacheSize of [0, 100]) {
      const verifier = createJwtVerifier({ ...fixed, cacheSize });
      for (const { token } of [...vectors.vectors, ...vectors.vectors]) {
        expect(verifier.tryVerify(token)).toEqual(tryVerifyJwt(token, expected));
      }
    }
  });

  it('returns what verifyJwt returns, and throws what it throws', () => {
    const verifier = createJwtVerifier(fixed);
    expect(verifier.verify(aToken())).toEqual(verifyJwt(aToken(), expected));
    expectRefusal('signature_invalid', () => verifier.verify(aToken({}, secretKey('x'.repeat(32)))));
    expectRefusal('token_malformed', () => verifier.verify(undefined as unknown as string));
  });

  it('of access tokens holds them against RFC 9068', () => {
    const verifier = createAccessTokenVerifier(fixed);
    expectRefusal('type_mismatch', () => verifier.verify(aToken()));
    const plain = createAccessTokenVerifier({ ...fixed, typ: 'JWT' });
    expectRefusal('claims_invalid', () => plain.verify(aToken({ roles: 'admin' })));
    expect(plain.verify(aToken())).toEqual(verifyAccessToken(aToken(), { ...expected, typ: 'JWT' }));
  });

  it('reads the system clock when it is given none', () => {
    const { now: _, ...options } = fixed;
    const verifier = createJwtVerifier(options);
    const today = Math.floor(Date.now() / 1000);
    expect(verifier.tryVerify(aToken({ iat: today, exp: today + 60 }))).toMatchObject({ ok: true });
    expect(verifier.tryVerify(aToken({ iat: today - 60, exp: today }))).toMatchObject({ code: 'expired' });
  });

  it.each<[string, object]>([
    ['an unknown option', { isuer: issuer }],
    ['an option without a value', { issuer: undefined }],
    ['a fixed moment for a clock', { now }],
    ['a cache of no size', { cacheSize: -1 }],
    ['a cache of half a token', { cacheSize: 1.5 }],
    ['a cache of any size', { cacheSize: Infinity }],
    ['a cache larger than a million', { cacheSize: 1_000_001 }],
    ['a size in words', { cacheSize: '10' }],
    ['no algorithm', { algorithms: [] }],
    ['an empty list of keys', { keys: [] }],
    ['a bare secret for a key', { keys: 'x'.repeat(32) }],
    ['null for keys', { keys: null }],
  ])('is not made with %s', (_name, options) => {
    expect(() => createJwtVerifier({ ...fixed, ...options })).toThrow(TypeError);
    expect(() => createAccessTokenVerifier({ ...fixed, ...options })).toThrow(TypeError);
  });

  it('of access tokens is not made without issuer and audience', () => {
    const { issuer: _, ...nobody } = fixed;
    const { audience: __, ...forNobody } = fixed;
    expect(() => createAccessTokenVerifier(nobody as typeof fixed)).toThrow(TypeError);
    expect(() => createAccessTokenVerifier(forNobody as typeof fixed)).toThrow(TypeError);
  });

  it('complains of a clock that tells no time', () => {
    const verifier = createJwtVerifier({ ...fixed, now: () => undefined as unknown as Date });
    expect(() => verifier.verify(aToken())).toThrow(TypeError);
  });

  it('keeps to what it was made with, whatever becomes of the lists it was given', () => {
    const keys = [hmacKey];
    const [audiences, algorithms] = [[audience], ['HS256' as const]];
    const verifier = createJwtVerifier({ ...fixed, keys, audience: audiences, algorithms });
    keys[0] = secretKey('x'.repeat(32));
    audiences[0] = 'other';
    algorithms.length = 0;
    expect(verifier.verify(aToken()).claims.sub).toBe('ada');
  });
});

describe('J34 remembered tokens', () => {
  const remembering = { ...fixed, cacheSize: 100 };
  /** Whether two verdicts are one: a token that is verified again gives new claims. */
  const isRemembered = (verify: () => VerifiedJwt): boolean => verify() === verify();

  it('are recognised only where a cache was asked for', () => {
    const token = aToken();
    const [plain, caching] = [createJwtVerifier(fixed), createJwtVerifier(remembering)];
    expect(isRemembered(() => plain.verify(token))).toBe(false);
    expect(isRemembered(() => caching.verify(token))).toBe(true);
    expect(isRemembered(() => verifyJwt(token, expected))).toBe(false);
  });

  it('are looked at again for every time they carry', () => {
    const verifier = createJwtVerifier({ ...remembering, maxTokenAge: 600 });
    const token = aToken({ nbf: seconds - 10, exp: seconds + 300 });
    const old = aToken({ exp: seconds + 9000 });
    expect([verifier.tryVerify(token).ok, verifier.tryVerify(old).ok]).toEqual([true, true]);
    clock = seconds + 300;
    expectRefusal('expired', () => verifier.verify(token));
    clock = seconds + 601;
    expectRefusal('token_too_old', () => verifier.verify(old));
    clock = seconds - 16;
    expectRefusal('not_yet_valid', () => verifier.verify(token));
    clock = seconds;
    expect(verifier.verify(token).claims.sub).toBe('ada');
  });

  it('CVE-2026-35039 stand for no other token, however alike', () => {
    const verifier = createJwtVerifier(remembering);
    const tokens = ['ada', 'bob', 'eve'].map((sub) => aToken({ sub, jti: 'same' }));
    const [header, , signature] = tokens[0]?.split('.') ?? [];
    const forged = tokens.slice(1).map((token) => `${header}.${token.split('.')[1]}.${signature}`);
    for (let round = 0; round < 3; round += 1) {
      expect(tokens.map((token) => verifier.verify(token).claims.sub)).toEqual(['ada', 'bob', 'eve']);
      for (const token of forged) expectRefusal('signature_invalid', () => verifier.verify(token));
      for (const token of tokens) {
        expectRefusal('token_malformed', () => verifier.verify(`${token}=`));
        expectRefusal('token_malformed', () => verifier.verify(`x${token}`));
        const letter = String.fromCharCode(token.charCodeAt(token.length - 1) + 0x100);
        expectRefusal('token_malformed', () => verifier.verify(token.slice(0, -1) + letter));
      }
    }
  });

  it('are not shared with another audience, issuer or key', () => {
    const token = aToken();
    expect(createJwtVerifier(remembering).verify(token).claims.sub).toBe('ada');
    const others = [{ audience: 'other' }, { issuer: 'https://other.example.com' }, { subject: 'bob' }];
    for (const other of others) {
      expectRefusal('claim_mismatch', () => createJwtVerifier({ ...remembering, ...other }).verify(token));
    }
    const otherKeys = createJwtVerifier({ ...remembering, keys: secretKey('x'.repeat(32)) });
    expectRefusal('signature_invalid', () => otherKeys.verify(token));
  });

  it('were good ones: a refusal is found out each time', () => {
    const verifier = createJwtVerifier(remembering);
    const early = aToken({ nbf: seconds + 60 });
    expectRefusal('not_yet_valid', () => verifier.verify(early));
    clock = seconds + 60;
    expect(verifier.verify(early).claims.sub).toBe('ada');
  });

  it('cannot be changed by one of those who get them', () => {
    const verifier = createJwtVerifier(remembering);
    const { claims, header } = verifier.verify(aToken({ roles: ['user'], data: { a: [1] } }));
    const { roles, data } = claims as unknown as { roles: string[]; data: { a: number[] } };
    for (const act of [
      () => Object.assign(claims, { sub: 'eve' }),
      () => Object.assign(header, { kid: 'x' }),
      () => roles.push('admin'),
      () => data.a.push(2),
    ]) {
      expect(act).toThrow(TypeError);
    }
  });

  it('are at most as many as asked for, and those in use stay', () => {
    const verifier = createJwtVerifier({ ...remembering, cacheSize: 10 });
    const [mine, forgotten] = [aToken({ jti: 'mine' }), aToken({ jti: 'forgotten' })];
    const [first, second] = [verifier.verify(mine), verifier.verify(forgotten)];
    for (let index = 0; index < 40; index += 1) {
      verifier.verify(aToken({ jti: `j${index}` }));
      expect(verifier.verify(mine)).toBe(first);
    }
    expect(verifier.verify(forgotten)).not.toBe(second);
  });

  it('forgets a token after as many others as it holds', () => {
    const verifier = createJwtVerifier({ ...expected, now: () => expected.now, cacheSize: 4 });
    const [mine, ...others] = ['mine', 'a', 'b', 'c', 'd'].map((jti) => aToken({ jti }));
    const first = verifier.verify(mine ?? '');
    verifier.verify(others[0] ?? '');
    expect(verifier.verify(mine ?? '')).toBe(first);
    for (const other of [...others, ...others]) verifier.verify(other);
    expect(verifier.verify(mine ?? '')).not.toBe(first);
  });

  it('are as many as asked for, however often they come', () => {
    for (const cacheSize of [1, 3, 10]) {
      const verifier = createJwtVerifier({ ...remembering, cacheSize });
      const tokens = Array.from({ length: cacheSize }, (_, index) => aToken({ jti: `j${index}` }));
      const first = tokens.map((token) => verifier.verify(token));
      for (let round = 0; round < 3; round += 1) {
        expect(tokens.map((token) => verifier.verify(token)).every((jwt, index) => jwt === first[index])).toBe(true);
      }
    }
  });

  it('may be a single one', () => {
    const verifier = createJwtVerifier({ ...remembering, cacheSize: 1 });
    const [one, other] = [aToken({ jti: '1' }), aToken({ jti: '2' })];
    expect(isRemembered(() => verifier.verify(one))).toBe(true);
    for (let round = 0; round < 3; round += 1) {
      expect(verifier.verify(one).claims.jti).toBe('1');
      expect(verifier.verify(other).claims.jti).toBe('2');
    }
  });
});

describe('a verifier with keys that are fetched', () => {
  const options = { issuer, audience, now: fixed.now, cacheSize: 10 };
  const set = (...names: readonly ('ES256' | 'EdDSA')[]): JwkSet => jwkSet(names.map((name) => publicKey(aKey(name))));

  it('answers at once while they are in hand, and with a promise when they are not', async () => {
    const keys = new PublishedKeys(set('ES256'));
    const verifier = createJwtVerifier({ ...options, keys });
    const token = aToken({}, aKey('ES256'));
    expectTypeOf(verifier.tryVerify).returns.toEqualTypeOf<JwtOutcome | Promise<JwtOutcome>>();
    const first = verifier.verify(token);
    expect(first).toBeInstanceOf(Promise);
    expect((await first).claims.sub).toBe('ada');
    expect(verifier.verify(token)).toBe(await first);
    expect(verifier.tryVerify(`${token}.`)).toMatchObject({ code: 'token_malformed' });
    expect(keys.fetches).toBe(1);
  });

  it('asks for a key it does not know, and forgets tokens with their key', async () => {
    const keys = new PublishedKeys(set('ES256'));
    const verifier = createJwtVerifier({ ...options, keys });
    const [old, fresh] = [aToken({}, aKey('ES256')), aToken({}, aKey('EdDSA'))];
    expect((await verifier.verify(old)).claims.sub).toBe('ada');
    await expect(verifier.verify(fresh)).rejects.toMatchObject({ code: 'algorithm_not_allowed' });
    keys.published = set('EdDSA');
    expect(await verifier.tryVerify(fresh)).toMatchObject({ ok: true });
    expect(await verifier.tryVerify(old)).toMatchObject({ ok: false, code: 'algorithm_not_allowed' });
  });

  it('asks for the key that took the place of another', async () => {
    const successor = await generateKey('ES256');
    const keys = new PublishedKeys(set('ES256'));
    const verifier = createJwtVerifier({ ...options, keys });
    expect((await verifier.verify(aToken({}, aKey('ES256')))).claims.sub).toBe('ada');
    await expect(verifier.verify(aToken({}, successor))).rejects.toMatchObject({ code: 'key_not_found' });
    keys.published = jwkSet([successor]);
    expect((await verifier.verify(aToken({}, successor))).claims.sub).toBe('ada');
  });

  it('forgets nothing while a set lists the same keys, if anew each time, and all with a key that is gone', async () => {
    let listed = [aKey('ES256'), aKey('EdDSA')];
    const keys: RemoteJwkSet = {
      get keys() {
        return [...listed];
      },
      refresh: () => Promise.resolve(),
    };
    const verifier = createJwtVerifier({ ...options, keys });
    const token = aToken({}, aKey('ES256'));
    expect(verifier.verify(token)).toBe(verifier.verify(token));
    listed = [aKey('EdDSA')];
    expect(await verifier.tryVerify(token)).toMatchObject({ ok: false, code: 'algorithm_not_allowed' });
  });

  it('notices a key that is taken out of the list it was given', async () => {
    const listed = [aKey('ES256'), aKey('EdDSA')];
    const verifier = createJwtVerifier({ ...options, keys: { keys: listed, refresh: () => Promise.resolve() } });
    const token = aToken({}, aKey('ES256'));
    expect((await verifier.verify(token)).claims.sub).toBe('ada');
    listed.shift();
    expect(await verifier.tryVerify(token)).toMatchObject({ ok: false, code: 'algorithm_not_allowed' });
  });

  it('does not outlive them', async () => {
    const keys = new PublishedKeys(set('ES256'));
    const verifier = createJwtVerifier({ ...options, keys });
    const token = aToken({}, aKey('ES256'));
    expect((await verifier.verify(token)).claims.sub).toBe('ada');
    keys.keys = undefined;
    keys.refresh = () => Promise.resolve();
    expect(await verifier.tryVerify(token)).toEqual({
      ok: false,
      code: 'keys_unavailable',
      details: { reason: 'network' },
    });
    const error: unknown = await Promise.resolve(verifier.verify(token)).catch((reason: unknown) => reason);
    expect(isJwtError(error)).toBe(true);
  });
});

describe('verifyJwt, asked again and again', () => {
  const token = aToken();
  const differing: readonly object[] = [
    { audience: 'other' },
    { audience: ['other'] },
    { issuer: 'https://other.example.com' },
    { subject: 'bob' },
    { typ: 'at+jwt' },
    { requiredClaims: ['nbf'] },
    { algorithms: ['HS384'] },
    { maxTokenAge: 0, now: new Date((seconds + 1) * 1000) },
    { maxTokenLength: 10 },
    { now: new Date((seconds + 900) * 1000) },
    { now: new Date((seconds - 6) * 1000) },
    { clockTolerance: 0, now: new Date((seconds - 1) * 1000) },
    { keys: secretKey('x'.repeat(32)) },
    { keys: [secretKey('x'.repeat(32))] },
    { schema: { '~standard': { version: 1, validate: () => ({ issues: [] }) } } },
  ];

  it.each(differing.map((other) => [other]))('does not take %o for what it was asked before', (other) => {
    for (let round = 0; round < 3; round += 1) {
      expect(tryVerifyJwt(token, expected).ok).toBe(true);
      expect(tryVerifyJwt(token, { ...expected, ...other }).ok).toBe(false);
    }
  });

  it('sees what became of lists it was given before', () => {
    const [keys, audiences, required] = [[hmacKey], [audience], ['exp']];
    const options = { ...expected, keys, audience: audiences, requiredClaims: required };
    const ok = (): boolean => tryVerifyJwt(token, options).ok;
    expect([ok(), ok()]).toEqual([true, true]);
    for (const [list, item] of [
      [keys, secretKey('x'.repeat(32))],
      [audiences, 'other'],
      [required, 'nbf'],
    ] as const) {
      const former: unknown = list[0];
      Object.assign(list, { 0: item });
      expect(ok()).toBe(false);
      Object.assign(list, { 0: former });
      expect(ok()).toBe(true);
    }
    audiences.push('other');
    required.push('nbf');
    expect(ok()).toBe(false);
  });

  it('refuses options that make no sense, whatever was asked before', () => {
    for (let round = 0; round < 2; round += 1) {
      expect(tryVerifyJwt(token, expected).ok).toBe(true);
      for (const strange of [{ isuer: issuer }, { subject: undefined }, { now: new Date(NaN) }, { now: undefined }]) {
        expect(() => tryVerifyJwt(token, { ...expected, ...strange } as typeof expected)).toThrow(TypeError);
      }
      const { now: _, ...clocked } = expected;
      expect(() => tryVerifyJwt(token, { ...clocked, subject: undefined } as unknown as typeof expected)).toThrow(
        TypeError,
      );
    }
  });

  it('holds access tokens and others apart', () => {
    for (let round = 0; round < 2; round += 1) {
      expect(tryVerifyJwt(token, expected).ok).toBe(true);
      expectRefusal('type_mismatch', () => verifyAccessToken(token, expected));
    }
  });

  it('remembers some ways of asking, and goes on with any number', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 20; index += 1) {
        expect(tryVerifyJwt(token, { ...expected, audience: [audience, `a${index}`] }).ok).toBe(true);
        expect(tryVerifyJwt(token, { ...expected, audience: `a${index}` }).ok).toBe(false);
      }
    }
  });
});

describe('a token that is no string', () => {
  it.each([undefined, null, 42, {}, ['a']])('%j is malformed, with a cache and without', (token) => {
    for (const cacheSize of [0, 10]) {
      const verifier = createJwtVerifier({ keys: hmacKey, cacheSize });
      expect(verifier.tryVerify(token as string)).toMatchObject({ code: 'token_malformed' });
    }
  });
});

describe('options', () => {
  class Options {
    readonly keys = hmacKey;
    get issuer(): string {
      return 'https://other.example.com';
    }
  }

  it('of a class are refused, since what they inherit would get lost', () => {
    const acts = [
      () => verifyJwt(aToken(), new Options()),
      () => createJwtVerifier(new Options()),
      () => verifyAccessToken(aToken(), Object.assign(new Options(), { audience })),
      () => verifyJwt(aToken(), undefined as unknown as Options),
      () => verifyJwt(aToken(), null as unknown as Options),
      () => verifyJwt(aToken(), hmacKey as unknown as Options),
    ];
    for (const act of acts) expect(act).toThrow(new TypeError('The options must be a plain object'));
  });

  it('may be an object of no prototype: nothing is inherited', () => {
    const options: typeof expected = Object.assign(Object.create(null), expected);
    expect(verifyJwt(aToken(), options).claims.sub).toBe('ada');
    expectRefusal('claim_mismatch', () => verifyJwt(aToken({ aud: 'other' }), options));
  });

  it('that change while keys are fetched are those of the call', async () => {
    const keys = remoteJwkSet('https://auth.example.com/jwks', {
      fetch: async () => Response.json(jwkSet([aKey('ES256')])),
    });
    const options = { keys, issuer, audience: 'https://other.example.com', now };
    const verdict = tryVerifyJwt(aToken({}, aKey('ES256')), options);
    options.audience = audience;
    expect(await verdict).toMatchObject({ ok: false, code: 'claim_mismatch' });
  });
});

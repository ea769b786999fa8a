import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createJwtVerifier,
  exportPublicJwk,
  issueAccessToken,
  jwkSet,
  parseStrictJson,
  publicKey,
  remoteJwkSet,
  signJwt,
  tryVerifyJwt,
  verifyAccessToken,
  verifyJwt,
  type JwkSet,
  type JwtSigner,
  type NewAccessTokenClaims,
  type RemoteJwkSet,
  type StandardSchema,
} from '../src/index.ts';
import {
  aKey,
  aToken,
  audience,
  expected,
  expectRefusal,
  forge,
  hmacKey,
  issuer,
  seconds,
  someClaims,
} from './fixtures.ts';

/** A validator made of one function. */
const schemaOf = (validate: (claims: { exp: number; roles: string[] }) => unknown): StandardSchema<object> =>
  ({ '~standard': { version: 1, validate } }) as unknown as StandardSchema<object>;

/** What an async validator of another realm returns: awaited it would be a result. */
function aThenable(): object {
  const thenable = {};
  Reflect.set(thenable, ['th', 'en'].join(''), (done: (made: unknown) => void) => done({ value: {} }));
  return thenable;
}

/** An issuer that answers each fetch with what the test publishes at that moment. */
function publishing(answer: () => object, options: { now?: () => Date } = {}): RemoteJwkSet {
  return remoteJwkSet('https://auth.example.com/jwks', { ...options, fetch: async () => Response.json(answer()) });
}

describe('J34 what a schema does', () => {
  it('lengthens no life: neither by changing the claims nor by keeping them', () => {
    let clock = seconds;
    const kept: { exp: number }[] = [];
    const schema = schemaOf((claims) => {
      kept.push(claims);
      return { value: { raw: claims } };
    });
    const verifier = createJwtVerifier({
      keys: hmacKey,
      audience,
      cacheSize: 4,
      now: () => new Date(clock * 1000),
      schema,
    });
    const token = aToken();
    expect(verifier.tryVerify(token).ok).toBe(true);
    expect(() => Object.assign(kept[0] ?? {}, { exp: 9e9 })).toThrow(TypeError);
    clock = seconds + 901;
    expectRefusal('expired', () => verifier.verify(token));
    const changing = schemaOf((claims) => ({ value: Object.assign(claims, { exp: 9e9 }) }));
    expect(() => verifyJwt(token, { ...expected, schema: changing })).toThrow(TypeError);
  });

  it('is asked for each time, and what it makes belongs to its caller', () => {
    const schema = z.object({ roles: z.array(z.string()) }).transform(({ roles }) => ({ roles: [...roles] }));
    const verifier = createJwtVerifier({ ...expected, now: () => expected.now, cacheSize: 4, schema });
    const token = aToken({ roles: ['user'] });
    for (let round = 0; round < 3; round += 1) {
      const { roles } = verifier.verify(token).claims;
      expect(roles).toEqual(['user']);
      roles.push('admin');
    }
  });

  it.each<[string, () => unknown]>([
    ['a thenable', aThenable],
    ['a promise that fails', () => Promise.reject(new Error('later'))],
    ['nothing', () => undefined],
    ['null', () => null],
    ['an empty result', () => ({})],
    ['no value', () => ({ value: undefined })],
    ['a number', () => ({ value: 7 })],
    ['null for a value', () => ({ value: null })],
  ])('does not pass a token by answering with %s', (_name, answer) => {
    expect(() => tryVerifyJwt(aToken(), { ...expected, schema: schemaOf(answer) })).toThrow(TypeError);
  });

  it.each([{ issues: null }, { issues: [null] }, { issues: [{ path: [null] }] }, { issues: 'some' }])(
    'refuses by issues of any form: %j',
    (answer) =>
      expectRefusal('claims_invalid', () => verifyJwt(aToken(), { ...expected, schema: schemaOf(() => answer) })),
  );
});

describe('a token that is no string', () => {
  it.each([undefined, null, 42, {}, ['a']])('%j is malformed, with a cache and without', (token) => {
    for (const cacheSize of [0, 10]) {
      const verifier = createJwtVerifier({ keys: hmacKey, cacheSize });
      expect(verifier.tryVerify(token as string)).toMatchObject({ code: 'token_malformed' });
    }
  });
});

describe('a header', () => {
  it('is frozen to its depth: it serves every token that carries it', () => {
    const { header } = verifyJwt(forge({ alg: 'HS256', ext: { admin: false } }), expected);
    expect(() => Object.assign(header['ext'] as object, { admin: true })).toThrow(TypeError);
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
      () => verifyJwt(aToken(), hmacKey as unknown as Options),
    ];
    for (const act of acts) expect(act).toThrow(new TypeError('The options must be a plain object'));
  });

  it('that change while keys are fetched are those of the call', async () => {
    const keys = publishing(() => jwkSet([aKey('ES256')]));
    const { now } = expected;
    const options = { keys, issuer, audience: 'https://other.example.com', now };
    const verdict = tryVerifyJwt(aToken({}, aKey('ES256')), options);
    options.audience = audience;
    expect(await verdict).toMatchObject({ ok: false, code: 'claim_mismatch' });
  });

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

  it('with two keys of one name are refused', () => {
    expect(() => verifyJwt(aToken(), { ...expected, keys: [hmacKey, hmacKey] })).toThrow('same algorithm and key id');
  });
});

describe('keys that are fetched', () => {
  const token = aToken({}, aKey('ES256'));
  const verify = async (keys: RemoteJwkSet): Promise<unknown> => {
    const outcome = await tryVerifyJwt(token, { ...expected, keys, algorithms: ['ES256', 'RS256'] });
    return outcome.ok ? outcome.claims.sub : outcome.code;
  };

  it('are proved when they come, also those that name no algorithm', async () => {
    const { publicKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    let published: JwkSet = jwkSet([aKey('ES256')]);
    let clock = seconds;
    const keys = publishing(() => published, { now: () => new Date(clock * 1000) });
    expect(await verify(keys)).toBe('ada');
    published = { keys: [...published.keys, { ...weak.export({ format: 'jwk' }), kty: 'RSA', kid: 'weak' }] };
    clock += 601;
    expect(await verify(keys)).toBe('ada');
    expect(keys.keys).toEqual(jwkSet([aKey('ES256')]));
  });

  it('may have one of another curve beside them, which is not ours to judge', async () => {
    const { publicKey: ed448 } = generateKeyPairSync('ed448');
    const other = { ...ed448.export({ format: 'jwk' }), kty: 'OKP', alg: 'EdDSA', kid: 'e' };
    expect(await verify(publishing(() => ({ keys: [exportPublicJwk(aKey('ES256')), other] })))).toBe('ada');
  });

  it('stay one object while they stay the same, so that nothing is forgotten', async () => {
    let clock = seconds;
    const keys = publishing(() => jwkSet([aKey('ES256')]), { now: () => new Date(clock * 1000) });
    await verify(keys);
    const first = keys.keys;
    clock += 601;
    await verify(keys);
    expect(keys.keys).toBe(first);
  });

  it('may take so long that the token expires meanwhile', async () => {
    const exp = Math.floor(Date.now() / 1000) + 1;
    const keys = remoteJwkSet('https://auth.example.com/jwks', {
      fetch: async () => {
        while (Date.now() < exp * 1000) await new Promise((resolve) => setImmediate(resolve));
        return Response.json(jwkSet([aKey('ES256')]));
      },
    });
    const short = aToken({ iat: exp - 10, exp }, aKey('ES256'));
    expect(await tryVerifyJwt(short, { keys, audience })).toMatchObject({ ok: false, code: 'expired' });
  });

  it('are not what a JWK Set with a member of that name holds', () => {
    const set = { ...jwkSet([aKey('ES256')]), refresh: 3600 };
    expect(verifyJwt(token, { ...expected, keys: set }).claims.sub).toBe('ada');
  });
});

describe('a signer', () => {
  it('that changes its key while it signs makes tokens of one key', async () => {
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
});

describe('strict JSON', () => {
  it('reads a number too large alike, whatever stands beside it', () => {
    expect(parseStrictJson('[1e400]')).toEqual([Infinity]);
    expect(parseStrictJson('[1e400,"\\u0041"]')).toEqual([Infinity, 'A']);
  });

  it('finds a member twice also where somebody added one to all objects', () => {
    Object.assign(Object.prototype, { x: 1 });
    try {
      expectRefusal('json_invalid', () => parseStrictJson('{"a":1,"a":2}'));
    } finally {
      Reflect.deleteProperty(Object.prototype, 'x');
    }
  });

  it('signs nothing that has itself written as something else', () => {
    const listed = Object.assign(['a'], { toJSON: () => ['everyone'] });
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'other' });
    for (const data of [listed, hidden]) expectRefusal('claims_invalid', () => signJwt({ exp: 4e9, data }, hmacKey));
  });
});

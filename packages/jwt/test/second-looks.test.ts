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
  secretKey,
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
  refusalOf,
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

describe('keys that are fetched, among others', () => {
  it('are refused when only one of them holds a secret', async () => {
    const leaked = { ...exportPublicJwk(aKey('EdDSA')), d: 'AAAA' };
    const keys = publishing(() => ({ keys: [exportPublicJwk(aKey('ES256')), leaked] }));
    const verdict = await tryVerifyJwt(aToken({}, aKey('ES256')), { ...expected, keys });
    expect(verdict).toMatchObject({ code: 'keys_unavailable', details: { reason: 'content' } });
  });

  it('are not fetched again for a key that is one of several', async () => {
    let [fetches, clock] = [0, seconds];
    const keys = publishing(
      () => {
        fetches += 1;
        return jwkSet([aKey('ES256'), aKey('EdDSA')]);
      },
      { now: () => new Date(clock * 1000) },
    );
    for (const name of ['ES256', 'EdDSA', 'ES256'] as const) {
      expect((await verifyJwt(aToken({}, aKey(name)), { ...expected, keys })).claims.sub).toBe('ada');
      clock += 60;
    }
    expect(fetches).toBe(1);
  });

  it.each(['http://127.10.200.30/jwks', 'http://127.0.0.1:8000/jwks', 'http://[::1]/jwks', 'http://localhost/jwks'])(
    'may come without TLS from this machine: %s',
    (url) => expect(remoteJwkSet(url).keys).toBeUndefined(),
  );
});

describe('what a misuse is told', () => {
  it.each<[unknown]>([
    [null],
    [7],
    ['schema'],
    [() => true],
    [{}],
    [{ '~standard': null }],
    [{ '~standard': 'x' }],
    [{ '~standard': {} }],
    [{ '~standard': { validate: 1 } }],
    [{ '~standard': Object.assign(() => true, { validate: () => ({ value: {} }) }) }],
  ])('%j is no schema', (schema) => {
    const act = (): unknown => verifyJwt(aToken(), { ...expected, schema: schema as StandardSchema<object> });
    expect(act).toThrow(new TypeError('schema must be a Standard Schema'));
  });

  it('a schema that gives no answer, or makes no object', () => {
    const asking = (answer: unknown) => (): unknown =>
      verifyJwt(aToken(), { ...expected, schema: schemaOf(() => answer) });
    expect(asking(undefined)).toThrow(new TypeError('The schema must answer with a result'));
    expect(asking({ value: 7 })).toThrow(new TypeError('The schema must make an object of the claims'));
    expect(asking({ value: { a: 1 }, issues: undefined })()).toMatchObject({ claims: { a: 1 } });
    expect(() => asking({ issues: 'some' })()).toThrow(expect.objectContaining({ details: { claim: '*' } }));
  });

  it('a signer that is none, or whose signature does not fit', async () => {
    const words = 'key must be a JwtKey or a JwtSigner; wrap a secret in secretKey()';
    for (const key of [null, undefined, 'secret', {}, { sign: 1 }]) {
      expect(() => signJwt(someClaims(), key as unknown as JwtSigner)).toThrow(new TypeError(words));
    }
    const signer: JwtSigner = { publicKey: publicKey(aKey('ES256')), sign: async () => new Uint8Array(64) };
    await expect(signJwt(someClaims(), { ...signer, publicKey: hmacKey })).rejects.toThrow(
      new TypeError('publicKey must be the public JwtKey of the signer'),
    );
    await expect(signJwt(someClaims(), { ...signer, signatureEncoding: 'raw' as 'der' })).rejects.toThrow(
      new TypeError("signatureEncoding must be 'ieee-p1363' or 'der'"),
    );
    const reason = 'what the signer makes is no signature of its public key';
    for (const signatureEncoding of ['der', 'ieee-p1363'] as const) {
      await expect(signJwt(someClaims(), { ...signer, signatureEncoding })).rejects.toMatchObject({
        details: { reason },
      });
    }
  });
});

describe('a profile', () => {
  const access = (more: object): unknown => verifyAccessToken(aToken({ ...more }), { ...expected, typ: 'JWT' });

  it('checks each claim that is its own, whole', () => {
    for (const more of [{ roles: ['user', 7] }, { roles: [7, 'user'] }, { af: -1 }, { af: 0.5 }, { client_id: '' }]) {
      expectRefusal('claims_invalid', () => access(more));
    }
    expect(access({ roles: [], af: 0 })).toMatchObject({ claims: { af: 0 } });
  });

  it('of access tokens asks for no client, and no other type asks for what access tokens carry', () => {
    const { client_id: _, sub: __, ...claims } = someClaims();
    const token = signJwt({ ...claims, sub: 'ada' }, hmacKey);
    expect(verifyAccessToken(token, { ...expected, typ: 'JWT' }).claims.client_id).toBeUndefined();
    expect(verifyJwt(signJwt(claims, hmacKey), { ...expected, typ: 'JWT' }).claims.sub).toBeUndefined();
  });

  it('is named when the type of a token is another', () => {
    const outcome = tryVerifyJwt(aToken(), { ...expected, typ: 'at+jwt' });
    expect(outcome).toMatchObject({ code: 'type_mismatch', details: { expected: 'at+jwt' } });
  });
});

describe('J34 a bounded memory', () => {
  it('forgets a token after as many others as it holds', () => {
    const verifier = createJwtVerifier({ ...expected, now: () => expected.now, cacheSize: 4 });
    const [mine, ...others] = ['mine', 'a', 'b', 'c', 'd'].map((jti) => aToken({ jti }));
    const first = verifier.verify(mine ?? '');
    verifier.verify(others[0] ?? '');
    expect(verifier.verify(mine ?? '')).toBe(first);
    for (const other of [...others, ...others]) verifier.verify(other);
    expect(verifier.verify(mine ?? '')).not.toBe(first);
  });
});

describe('a set of keys that fails in a way of its own', () => {
  it.each([new Error('a bug'), new TypeError('no keys')])('passes %s on: no token is at fault', async (failure) => {
    const keys: RemoteJwkSet = { keys: undefined, refresh: () => Promise.reject(failure) };
    await expect(tryVerifyJwt(aToken({}, aKey('ES256')), { ...expected, keys })).rejects.toBe(failure);
  });

  it('passes on a refusal that is not about fetching', async () => {
    const weak = refusalOf(() => secretKey('short'));
    const keys: RemoteJwkSet = { keys: undefined, refresh: () => Promise.reject(weak) };
    await expect(tryVerifyJwt(aToken({}, aKey('ES256')), { ...expected, keys })).rejects.toBe(weak);
  });
});

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decodeJwtUnverified,
  exportJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  publicKey,
  remoteJwkSet,
  secretKey,
  tryVerifyJwt,
  verifyJwt,
  type JwtKey,
} from '../src/index.ts';
import { keyMaterial } from '../src/key.ts';
import { expectWithin } from './expect-within.ts';
import {
  aKey,
  aToken,
  audience,
  expected,
  expectRefusal,
  forge,
  hmacKey,
  issuer,
  now,
  refusalOf,
  signed,
  someClaims,
} from './fixtures.ts';

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const verify = (token: string): unknown => verifyJwt(token, expected);
const [header = '', payload = '', signature = ''] = aToken().split('.');

describe('J1 hs256-with-public-key', () => {
  const victim = publicKey(aKey('RS256'));
  const { verifying } = keyMaterial(victim);
  const spki = verifying.export({ format: 'pem', type: 'spki' }).toString();
  const jwk = exportPublicJwk(victim);

  it.each([
    ['SPKI PEM', spki],
    ['SPKI PEM, trimmed', spki.trim()],
    ['SPKI PEM with CRLF', spki.replaceAll('\n', '\r\n')],
    ['SPKI PEM after a newline', `\n${spki}`],
    ['SPKI PEM after a space', ` ${spki}`],
    ['PKCS#1 PEM', verifying.export({ format: 'pem', type: 'pkcs1' })],
    ['SPKI DER', verifying.export({ format: 'der', type: 'spki' })],
    ['JWK text', JSON.stringify(jwk)],
    ['modulus', String(jwk.n)],
  ])('refuses a MAC made with the public key as %s', (_name, secret) => {
    const input = `${encode({ alg: 'HS256', kid: victim.keyId })}.${encode(someClaims())}`;
    const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    for (const keys of [victim, [victim, aKey('PS256')], { keys: [jwk] }]) {
      expectRefusal('algorithm_not_allowed', () => verifyJwt(token, { keys, issuer, audience, now }));
      expectRefusal('key_not_found', () =>
        verifyJwt(token, { keys, algorithms: ['RS256', 'HS256'], issuer, audience, now }),
      );
    }
  });

  it('refuses PEM text as a secret, as text or bytes', () => {
    for (const secret of [spki, `\n ${spki}`, Buffer.from(spki)]) expectRefusal('key_invalid', () => secretKey(secret));
  });
});

describe('J2 alg-none', () => {
  it.each(['none', 'None', 'nOnE', 'NONE', 'none ', ''])('refuses alg %j, signed or not', (alg) => {
    expectRefusal('algorithm_not_allowed', () => verify(forge({ alg })));
    expectRefusal('token_malformed', () => verify(`${encode({ alg })}.${payload}.`));
  });
});

describe('J3 J4 alg', () => {
  it.each([['HS256'], null, 1, {}, undefined, true])('refuses alg %j, which is no string', (alg) => {
    expectRefusal('token_malformed', () => verify(forge({ alg })));
  });

  it.each(['hs256', 'HS256 ', 'HS257', 'toString', '__proto__', 'RSA-OAEP'])('refuses the unknown alg %j', (alg) => {
    const error = refusalOf(() => verify(forge({ alg })));
    expect(error).toMatchObject({ code: 'algorithm_not_allowed', details: { algorithm: undefined } });
  });

  it('refuses another algorithm of the same family, though the signature fits', () => {
    expectRefusal('algorithm_not_allowed', () =>
      verifyJwt(aToken({}, aKey('PS256')), { ...expected, keys: aKey('RS256') }),
    );
    expectRefusal('key_not_found', () =>
      verifyJwt(aToken({}, aKey('RS512')), { ...expected, keys: aKey('RS256'), algorithms: ['RS256', 'RS512'] }),
    );
    expectRefusal('algorithm_not_allowed', () =>
      verifyJwt(aToken({}, aKey('RS256')), { ...expected, keys: aKey('RS256'), algorithms: ['PS256'] }),
    );
  });
});

describe('J5 keys in the header', () => {
  it('ignores a key the token brings, and fetches nothing', async () => {
    const attacker = await generateKey('ES256');
    const jwk = exportPublicJwk(attacker);
    for (const parameters of [
      { jwk },
      { jwk, kid: 'key-ES256' },
      { jku: 'http://127.0.0.1:9/' },
      { x5u: 'file:///etc/passwd' },
      { x5c: ['AA'] },
    ]) {
      const token = forge({ alg: 'ES256', ...parameters }, someClaims(), attacker);
      expectRefusal('signature_invalid', () => verifyJwt(token, { ...expected, keys: aKey('ES256') }));
    }
    const token = forge(
      { alg: 'HS256', jwk: exportJwk(secretKey(Buffer.alloc(32, 7))) },
      someClaims(),
      secretKey(Buffer.alloc(32, 7)),
    );
    expectRefusal('signature_invalid', () => verify(token));
  });
});

describe('J6 J7 kid injection', () => {
  const keys = [aKey('HS256'), aKey('HS384')];

  it.each([
    '../../dev/null',
    "' OR '1'='1",
    '__proto__',
    'constructor',
    '',
    'key-HS256 ',
    'KEY-HS256',
    'k'.repeat(5000),
  ])('refuses the key id %j', async (kid) => {
    const token = forge({ alg: 'HS256', kid }, someClaims(), aKey('HS256'));
    const refuse = (): void => {
      for (const trusted of [keys, aKey('HS256'), { keys: keys.map((key) => exportJwk(key)) }]) {
        expectRefusal('key_not_found', () => verifyJwt(token, { ...expected, keys: trusted }));
      }
    };
    await expectWithin(5, refuse);
  });

  it.each([{ a: 1 }, null, true, 1, ['key-HS256']])('refuses the key id %j, which is no string', (kid) => {
    expectRefusal('token_malformed', () => verify(forge({ alg: 'HS256', kid })));
  });

  it('does not try the other keys when the key id is of a retired one', () => {
    expectRefusal('key_not_found', () =>
      verifyJwt(aToken({}, aKey('HS256')), {
        ...expected,
        keys: [aKey('HS384'), aKey('ES256')],
        algorithms: ['HS256'],
      }),
    );
    expectRefusal('key_not_found', () =>
      verifyJwt(forge({ alg: 'HS256', kid: 'retired' }), { ...expected, keys: [hmacKey, aKey('HS256')] }),
    );
  });

  it('does not guess among several keys when the token names none', async () => {
    const [one, two] = [aKey('ES256'), await generateKey('ES256')];
    const token = forge({ alg: 'ES256' }, someClaims(), one);
    expectRefusal('key_not_found', () => verifyJwt(token, { ...expected, keys: [one, two] }));
    expect(() => verifyJwt(token, { ...expected, keys: [one, aKey('HS256')] })).not.toThrow();
  });
});

describe('J8 J9 crit and b64', () => {
  it.each([
    { crit: [] },
    { crit: ['x'], x: 1 },
    { crit: ['exp'] },
    { crit: 'b64' },
    { crit: null },
    { crit: ['b64'], b64: false },
    { crit: ['b64'], b64: true },
    { b64: true },
    { b64: false },
  ])('refuses %j', (parameters) =>
    expectRefusal('critical_header_unsupported', () => verify(forge({ alg: 'HS256', ...parameters }))),
  );
});

describe('J10 J11 non-canonical base64url', () => {
  it.each([' ', '\t', '\n', '\r\n', '\0', '\u200b', '=', '==', '+', '/', '%2E', '\uff0e', '{}'])(
    'refuses %j anywhere',
    (text) => {
      expectRefusal('token_malformed', () => verify(signed(`${header}${text}.${payload}`)));
      expectRefusal('token_malformed', () => verify(signed(`${text}${header}.${payload}`)));
      expectRefusal('token_malformed', () => verify(signed(`${header}.${payload}${text}`)));
      expectRefusal('token_malformed', () => verify(`${header}.${payload}.${signature}${text}`));
      expectRefusal('token_malformed', () =>
        verify(`${header}.${payload}.${signature.slice(0, 9)}${text}${signature.slice(9)}`),
      );
    },
  );

  it('refuses a signature whose unused bits are not zero', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.at(-1) ?? '');
    for (const bits of [1, 2, 3])
      expectRefusal('token_malformed', () =>
        verify(`${header}.${payload}.${signature.slice(0, -1)}${alphabet[last + bits]}`),
      );
  });

  it('refuses characters that Latin-1 would fold onto the alphabet', () => {
    const folded = String.fromCodePoint(0x100 + payload.charCodeAt(0)) + payload.slice(1);
    expectRefusal('token_malformed', () => verify(`${header}.${folded}.${signature}`));
  });
});

describe('J12 J13 J14 structure', () => {
  it.each([
    '',
    '.',
    '..',
    '...',
    '....',
    'a',
    `${header}.${payload}`,
    `${header}.${payload}.`,
    `.${payload}.${signature}`,
    signed(`.${payload}`),
    `${header}..${signature}`,
    `${header}.${payload}.${signature}.`,
    `${header}.${payload}.${signature}.${signature}`,
    `Bearer ${header}.${payload}.${signature}`,
    `${encode({ alg: 'dir', enc: 'A256GCM' })}..iv.ciphertext.tag`,
    JSON.stringify({ payload, protected: header, signature }),
    JSON.stringify({ payload, signatures: [] }),
  ])('refuses %j', (token) => expectRefusal('token_malformed', () => verify(token)));

  it.each([undefined, null, 7, {}, [aToken()], Buffer.from(aToken())])(
    'refuses %j, which is no text',
    async (token) => {
      expectRefusal('token_malformed', () => verify(token as string));
      expectRefusal('token_malformed', () => decodeJwtUnverified(token as string));
      const keys = remoteJwkSet('https://auth.example.com/jwks');
      expect(await tryVerifyJwt(token as string, { ...expected, keys })).toMatchObject({ code: 'token_malformed' });
    },
  );

  it('leaves the limit of stack traces as it was', () => {
    const { stackTraceLimit } = Error;
    // Another one than an earlier test may have left.
    Error.stackTraceLimit = 7;
    const left = ['x.y.z', forge('garbage'), forge({ alg: 'HS256' }, 'garbage'), aToken({ exp: 1 })].map((token) => {
      try {
        return verify(token);
      } catch {
        return Error.stackTraceLimit;
      }
    });
    Error.stackTraceLimit = stackTraceLimit;
    expect(left).toEqual([7, 7, 7, 7]);
  });
});

describe('J15 J16 JSON', () => {
  it.each([
    '[]',
    '"x"',
    '1',
    'null',
    '{}{}',
    '{"exp":1,}',
    '{"exp":NaN}',
    '{"exp":01}',
    '\ufeff{}',
    '{"sub":"\\ud800"}',
    '{"sub":"a","sub":"b"}',
    '{"sub":"a","\\u0073ub":"b"}',
    '{"a":{"b":1,"b":2}}',
  ])('refuses the claims %j, and the header too', (text) => {
    expectRefusal('token_malformed', () => verify(forge({ alg: 'HS256' }, text)));
    expectRefusal('token_malformed', () => verify(forge(text)));
  });

  it('refuses a duplicate alg', () => {
    expectRefusal('token_malformed', () => verify(forge('{"alg":"none","alg":"HS256"}')));
    expectRefusal('token_malformed', () => verify(forge(Buffer.from('{"alg":"HS256"}', 'utf16le').toString('latin1'))));
  });

  it('refuses claims that are not UTF-8', () => {
    expectRefusal('token_malformed', () =>
      verify(forge({ alg: 'HS256' }, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))),
    );
  });
});

describe('J27 ECDSA signatures', () => {
  const order = { ES256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551' };
  const key = aKey('ES256');
  const zero = '00'.repeat(32);
  const one = `${'00'.repeat(31)}01`;
  const token = aToken({}, key);
  const input = token.slice(0, token.lastIndexOf('.'));
  const attempt = (bytes: string): unknown =>
    verifyJwt(`${input}.${Buffer.from(bytes, 'hex').toString('base64url')}`, { ...expected, keys: key });

  it.each([
    [zero, zero],
    [zero, one],
    [one, zero],
    [order.ES256, one],
    [one, order.ES256],
    [order.ES256, order.ES256],
    ['ff'.repeat(32), 'ff'.repeat(32)],
  ])('refuses r = %s, s = %s', (r, s) => expectRefusal('signature_invalid', () => attempt(r + s)));

  it('refuses every other length, and DER', () => {
    const bytes = Buffer.from(token.slice(input.length + 1), 'base64url').toString('hex');
    expect(() => attempt(bytes)).not.toThrow();
    for (const other of [`${bytes}00`, `00${bytes}`, bytes.slice(2), '00'])
      expectRefusal('signature_invalid', () => attempt(other));
    expectRefusal('signature_invalid', () => attempt(`30440220${bytes.slice(0, 64)}0220${bytes.slice(64)}`));
  });
});

describe('J26 J27 Ed25519', () => {
  it.each([
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ])('refuses a public key of small order, which fits signatures of anyone: y = %s', (y) => {
    for (const sign of [0x00, 0x80]) {
      const point = Buffer.from(y, 'hex');
      point.writeUInt8(point.readUInt8(31) | sign, 31);
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
      const refused = { code: 'key_invalid', details: { reason: 'the Ed25519 point has a small order' } };
      expect(refusalOf(() => importKey(jwk))).toMatchObject(refused);
      const token = aToken({}, aKey('EdDSA'));
      expect(refusalOf(() => verifyJwt(token, { ...expected, keys: { keys: [jwk] } }))).toMatchObject(refused);
    }
  });

  it('refuses a signature of any other length', () => {
    const [head = '', body = '', end = ''] = aToken({}, aKey('EdDSA')).split('.');
    const bytes = Buffer.from(end, 'base64url');
    for (const other of [bytes.subarray(0, 63), Buffer.concat([bytes, bytes.subarray(0, 1)]), Buffer.alloc(1)]) {
      const token = `${head}.${body}.${other.toString('base64url')}`;
      expectRefusal('signature_invalid', () => verifyJwt(token, { ...expected, keys: aKey('EdDSA') }));
    }
  });

  it('refuses a signature whose s is not reduced', () => {
    const token = aToken({}, aKey('EdDSA'));
    const dot = token.lastIndexOf('.') + 1;
    const bytes = Buffer.from(token.slice(dot), 'base64url');
    const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
    let s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString('hex')}`) + order;
    for (let index = 32; index < 64; index += 1, s >>= 8n) bytes[index] = Number(s & 255n);
    const twin = token.slice(0, dot) + bytes.toString('base64url');
    expectRefusal('signature_invalid', () => verifyJwt(twin, { ...expected, keys: aKey('EdDSA') }));
  });
});

describe('J30 size', () => {
  it.each([
    ['8 MB', 'a'.repeat(8 * 2 ** 20)],
    ['a million dots', '.'.repeat(1_000_000)],
    ['9 kB', `${header}.${'a'.repeat(9000)}.${signature}`],
  ])('refuses %s in no time', async (_name, token) => {
    await expectWithin(5, () => expectRefusal('token_too_large', () => verify(token)));
  });

  it('takes the limit as an option', () => {
    const token = aToken({ name: 'x'.repeat(9000) });
    expectRefusal('token_too_large', () => verify(token));
    expect(() => verifyJwt(token, { ...expected, maxTokenLength: token.length })).not.toThrow();
    expect(refusalOf(() => verifyJwt(token, { ...expected, maxTokenLength: token.length - 1 }))).toMatchObject({
      code: 'token_too_large',
      details: { length: token.length, maximum: token.length - 1 },
    });
  });
});

describe('J32 prototypes', () => {
  it('lets a claim named __proto__ grant nothing', () => {
    const { claims } = verifyJwt(
      forge({ alg: 'HS256' }, JSON.stringify(someClaims()).replace('{', '{"__proto__":{"admin":true},')),
      expected,
    );
    expect(claims['admin']).toBeUndefined();
    expect({ ...claims }['admin']).toBeUndefined();
  });
});

describe('J33 the signature comes first', () => {
  const other: JwtKey = secretKey(Buffer.alloc(32, 1));

  it.each([
    ['an expired token', aToken({ exp: 1 }, other)],
    ['a token of another issuer', aToken({ iss: 'x' }, other)],
    ['garbage', forge({ alg: 'HS256' }, 'garbage', other)],
  ])('answers %s signed by somebody else as a bad signature', (_name, token) =>
    expectRefusal('signature_invalid', () => verify(token)),
  );

  it('never answers an honest but expired token as a bad signature', () => {
    expectRefusal('expired', () => verify(aToken({ exp: 1 })));
  });
});

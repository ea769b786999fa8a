import { describe, expect, it } from 'vitest';
import {
  createJwtVerifier,
  generateKey,
  importKey,
  issuerJwkSet,
  JwtKey,
  remoteJwkSet,
  signJwt,
  verifyJwt,
  type Algorithm,
  type JwtClaims,
  type Keys,
  type SignOptions,
  type VerifyOptions,
} from '../src/index.ts';
import { keyMaterial } from '../src/key.ts';
import { aToken, expected, hmacKey, someClaims } from './fixtures.ts';

const none = 'none' as Algorithm;
const verifying = (options: object) => (): unknown =>
  verifyJwt(aToken(), { ...expected, ...options } as VerifyOptions<JwtKey>);
const signing =
  (options: unknown, claims: unknown = someClaims()) =>
  (): unknown =>
    signJwt(claims as JwtClaims, hmacKey, options as SignOptions);
const fetching = (options: object) => (): unknown => remoteJwkSet('https://auth.example.com/jwks', options);

describe('misuse is named when it happens', () => {
  it.each<[string, string, () => unknown]>([
    [
      'a key for no algorithm',
      'The algorithm of a key must be one of algorithmNames',
      () => new JwtKey(none, keyMaterial(hmacKey).verifying),
    ],
    [
      'an empty key id',
      'A key id must be a string that is not empty',
      () => new JwtKey('HS256', keyMaterial(hmacKey).verifying, ''),
    ],
    [
      'importing for no algorithm',
      'The algorithm option must be one of algorithmNames',
      () => importKey('secret', { algorithm: none }),
    ],
    [
      'signing without a key',
      'key must be a JwtKey or a JwtSigner; wrap a secret in secretKey()',
      () => signJwt({}, 'secret' as never),
    ],
    ['claims that are a list', 'claims must be an object', signing({}, [])],
    ['claims of a class', 'claims must be a plain object', signing({}, new Date(0))],
    ['an empty typ', 'typ must be a string that is not empty', signing({ typ: '' })],
    ['a typ that is no text', 'typ must be a string that is not empty', signing({ typ: 1 })],
    ['a header that is a list', 'header must be a JSON object', signing({ header: [] })],
    ['a header that is not JSON', 'header must be a JSON object', signing({ header: { x: 1n } })],
    ...['alg', 'kid', 'typ', 'crit', 'b64'].map((name): [string, string, () => unknown] => [
      `a header with ${name}`,
      `The header parameter ${name} cannot be set`,
      signing({ header: { [name]: 'x' } }),
    ]),
  ])('%s', (_name, message, act) => expect(act).toThrow(new TypeError(message)));

  it('generating for no algorithm, or an RSA key of a strange size', async () => {
    await expect(generateKey(none)).rejects.toThrow(new TypeError('The algorithm must be one of algorithmNames'));
    for (const modulusLength of [2047, 2048.5, 16_385, Number.NaN]) {
      const making = generateKey('RS256', { modulusLength });
      await expect(making).rejects.toThrow(new RangeError('modulusLength must be 2048 to 16384 bits'));
    }
  });
});

describe('options of verifyJwt that make no sense', () => {
  it.each<[string, object]>([
    ['There is no option keyz', { keyz: hmacKey }],
    ['The option issuer must have a value', { issuer: undefined }],
    ['The option keys must have a value', { keys: undefined }],
    ['algorithms must be a list of at least one of algorithmNames', { algorithms: [] }],
    ['algorithms must be a list of at least one of algorithmNames', { algorithms: 'HS256' }],
    ['algorithms must be a list of at least one of algorithmNames', { algorithms: ['HS256', 'none'] }],
    ['issuer must be a string or a list of strings', { issuer: [] }],
    ['issuer must be a string or a list of strings', { issuer: 7 }],
    ['issuer must be a string that is not empty', { issuer: '' }],
    ['issuer must be a string that is not empty', { issuer: ['x', 7] }],
    ['audience must be a string or a list of strings', { audience: [] }],
    ['audience must be a string that is not empty', { audience: [''] }],
    ['subject must be a string that is not empty', { subject: '' }],
    ['typ must be a string that is not empty', { typ: '' }],
    ['requiredClaims must be a list of claim names', { requiredClaims: 'exp' }],
    ['requiredClaims must be a string that is not empty', { requiredClaims: [''] }],
    ['now must be a valid Date', { now: new Date(Number.NaN) }],
    ['now must be a valid Date', { now: 7 }],
    ['clockTolerance must be a number from 0 to 60', { clockTolerance: -1 }],
    ['clockTolerance must be a number from 0 to 60', { clockTolerance: 61 }],
    ['clockTolerance must be a number from 0 to 60', { clockTolerance: Number.NaN }],
    ['clockTolerance must be a number from 0 to 60', { clockTolerance: '5' }],
    ['maxTokenAge must be a number from 0 to 9007199254740991', { maxTokenAge: -1 }],
    ['maxTokenLength must be a number from 1 to 9007199254740991', { maxTokenLength: 0 }],
  ])('%s: %j', (message, options) => expect(verifying(options)).toThrow(new TypeError(message)));

  it.each([{ clockTolerance: 0 }, { clockTolerance: 60 }, { maxTokenAge: 0 }, { maxTokenLength: 8192 }])(
    'but these do: %j',
    (options) => expect(verifying(options)).not.toThrow(),
  );

  it('keys of no kind are named, and so is a list that holds anything else', () => {
    const kinds = 'keys must be a JwtKey, a list of them, a JWK Set or a remoteJwkSet(); wrap a secret in secretKey()';
    for (const keys of ['secret', null, {}, { keys: 'x' }, 7]) {
      expect(() => verifyJwt(aToken(), { ...expected, keys: keys as unknown as Keys })).toThrow(new TypeError(kinds));
    }
    const list = 'A list of keys must hold at least one JwtKey, and nothing else';
    for (const keys of [[], [hmacKey, 'secret'], [{ kty: 'oct' }]]) {
      expect(() => verifyJwt(aToken(), { ...expected, keys: keys as unknown as Keys })).toThrow(new TypeError(list));
    }
  });

  it('two keys of one name', () => {
    expect(() => verifyJwt(aToken(), { ...expected, keys: [hmacKey, hmacKey] })).toThrow('same algorithm and key id');
  });
});

describe('options of a verifier that make no sense', () => {
  it.each<[string, object]>([
    ['cacheSize must be a number from 0 to 1000000', { cacheSize: -1 }],
    ['cacheSize must be a whole number', { cacheSize: 1.5 }],
    ['now must be a function that returns a Date', { now: new Date(0) }],
  ])('%s: %j', (message, options) => {
    expect(() => createJwtVerifier({ keys: hmacKey, ...options })).toThrow(new TypeError(message));
  });
});

describe('options and URLs of remote keys that make no sense', () => {
  const times = 'must be a number from';
  it.each<[string, object]>([
    ['There is no option maxage', { maxage: 5 }],
    [`timeout ${times} 1 to 2000000`, { timeout: 0.5 }],
    [`maxAge ${times} 1 to 300000000`, { maxAge: 0 }],
    [`maxBytes ${times} 1 to 1073741824`, { maxBytes: 0 }],
    [`maxBytes ${times} 1 to 1073741824`, { maxBytes: '64' }],
    [`cooldown ${times} 0 to 300000000`, { cooldown: -1 }],
    ['fetch must be a function', { fetch: undefined }],
    ['now must be a function that returns a Date', { now: 5 }],
    [`staleFor ${times} 0 to 300000000`, { staleFor: -1 }],
    [`staleFor ${times} 0 to 300000000`, { staleFor: Number.POSITIVE_INFINITY }],
  ])('%s: %j', (message, options) => expect(fetching(options)).toThrow(new TypeError(message)));

  it.each([
    { cooldown: 0 },
    { staleFor: 0 },
    { timeout: 1 },
    { maxAge: 1 },
    { maxBytes: 1 },
    { fetch },
    { now: () => new Date() },
  ])('but these do: %j', (options) => expect(fetching(options)).not.toThrow());

  it.each([
    ['http://auth.example.com/', 'The URL of keys must be https (or http on loopback)'],
    ['ftp://127.0.0.1/', 'The URL of keys must be https (or http on loopback)'],
    ['https://ada@auth.example.com/', 'The URL of keys must have no user name, password or fragment'],
    ['https://:pass@auth.example.com/', 'The URL of keys must have no user name, password or fragment'],
    ['https://auth.example.com/#x', 'The URL of keys must have no user name, password or fragment'],
  ])('%s', (url, message) => {
    expect(() => remoteJwkSet(url)).toThrow(new TypeError(message));
    expect(() => issuerJwkSet(url)).toThrow(new TypeError(message));
  });

  it('an issuer with a query', () => {
    expect(() => issuerJwkSet('https://auth.example.com/?x=1')).toThrow(new TypeError('An issuer has no query'));
    expect(() => remoteJwkSet('https://auth.example.com/?x=1')).not.toThrow();
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyPair } from '../../../test/key-pair.ts';
import {
  createJwtVerifier,
  exportJwk,
  generateKey,
  issuerJwkSet,
  jwkSet,
  remoteJwkSet,
  verifyJwt,
  type JwtKey,
  type RemoteJwkSet,
  type RemoteJwkSetOptions,
  type VerifiedJwt,
  exportPublicJwk,
  secretKey,
  tryVerifyJwt,
} from '../src/index.ts';
import { metadataLocations } from '../src/issuer-metadata.ts';
import { aKey, aToken, audience, forge, issuer, seconds, someClaims, expected, refusalOf, times } from './fixtures.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const json =
  (body: unknown): Answer =>
  (response) =>
    void response.end(JSON.stringify(body));
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end();

let server: Server;
let origin: string;
let paths: string[];
let answers: Record<string, Answer>;
let clock: number;

beforeEach(async () => {
  paths = [];
  clock = seconds;
  answers = { '/jwks': json(jwkSet([aKey('ES256')])) };
  server = createServer((request, response) => {
    paths.push(request.url ?? '');
    (answers[request.url ?? ''] ?? status(404))(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const moment = (): Date => new Date(clock * 1000);
const remote = (options: RemoteJwkSetOptions = {}): RemoteJwkSet =>
  remoteJwkSet(`${origin}/jwks`, { now: moment, ...options });
const verify = (keys: RemoteJwkSet, key: JwtKey = aKey('ES256')): Promise<VerifiedJwt> =>
  verifyJwt(aToken({ iat: 1, exp: 4e9 }, key), { keys, issuer, audience, now: moment() });
const [, payload, signature] = aToken({}, aKey('ES256')).split('.');
const verifyKeyId = (keys: RemoteJwkSet, kid: string): Promise<VerifiedJwt> => {
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url');
  return verifyJwt(`${header}.${payload}.${signature}`, { keys, issuer, audience, now: moment() });
};

describe('K5 fetching', () => {
  it('happens when the first token needs it, once for all who wait', async () => {
    const keys = remote();
    expect(keys.keys).toBeUndefined();
    expect(paths).toEqual([]);
    await Promise.all(Array.from({ length: 20 }, () => verify(keys)));
    expect(paths).toEqual(['/jwks']);
    expect(keys.keys).toEqual(jwkSet([aKey('ES256')]));
  });

  it('does not happen again while the set is fresh', async () => {
    answers['/jwks'] = json(jwkSet([aKey('ES256'), aKey('EdDSA')]));
    const keys = remote({ cooldown: 0 });
    for (const keyId of [undefined, undefined, 'key-ES256', 'key-EdDSA']) await keys.refresh(keyId);
    expect(paths).toHaveLength(1);
    await keys.refresh('another');
    expect(paths).toHaveLength(2);
  });

  it('leaves the keys in hand, to verify without waiting', async () => {
    const keys = remote();
    await keys.refresh();
    const local = keys.keys;
    expect(
      local && verifyJwt(aToken({}, aKey('ES256')), { keys: local, issuer, audience, now: moment() }).claims,
    ).toEqual(someClaims());
  });

  it('does not happen for tokens that are refused anyway', async () => {
    const keys = remote();
    for (const token of ['', 'a.b.c', forge({ alg: 'none' }), forge({ alg: 'HS256', crit: ['x'] })]) {
      await expect(verifyJwt(token, { keys, issuer, audience })).rejects.toMatchObject({ name: 'JwtError' });
    }
    expect(paths).toEqual([]);
  });

  it('happens at most twice for ten thousand random key ids', async () => {
    const keys = remote({ timeout: 60 });
    const refusals = await Promise.allSettled(
      Array.from({ length: times(10_000) }, (_, index) => verifyKeyId(keys, `random-${index}`)),
    );
    clock += 31;
    refusals.push(
      ...(await Promise.allSettled(
        Array.from({ length: times(100) }, (_, index) => verifyKeyId(keys, `later-${index}`)),
      )),
    );
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'key_not_found' } });
    expect(paths.length).toBeLessThanOrEqual(2);
  });

  it('finds a key that is new, once the cooldown has passed', async () => {
    const keys = remote({ cooldown: 10 });
    await verify(keys);
    answers['/jwks'] = json(jwkSet([aKey('ES256'), aKey('EdDSA')]));
    clock += 9;
    await expect(verify(keys, aKey('EdDSA'))).rejects.toMatchObject({ code: 'algorithm_not_allowed' });
    clock += 1;
    await expect(verify(keys, aKey('EdDSA'))).resolves.toBeDefined();
    expect(paths).toHaveLength(2);
  });

  it('finds a key that is new where the one before had no id, which is tried for whatever id a token names', async () => {
    const { kid: _none, ...unnamed } = exportPublicJwk(await generateKey('ES256'));
    answers['/jwks'] = json({ keys: [unnamed] });
    const keys = remote({ cooldown: 10 });
    await expect(verify(keys)).rejects.toMatchObject({ code: 'signature_invalid' });
    answers['/jwks'] = json(jwkSet([aKey('ES256')]));
    clock += 9;
    await expect(verify(keys)).rejects.toMatchObject({ code: 'signature_invalid' });
    clock += 1;
    await expect(verify(keys)).resolves.toBeDefined();
    expect(paths).toHaveLength(2);
  });

  it.each([null, 7, 'x', {}])('judges a forged token by a set that holds %j beside its keys', async (strange) => {
    const keys = { keys: { keys: [exportPublicJwk(aKey('ES256')), strange] }, refresh: () => Promise.resolve() };
    const forged = `${aToken({}, aKey('ES256')).split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`;
    const refusal = verifyJwt(forged, { ...expected, keys: keys as unknown as RemoteJwkSet });
    await expect(refusal).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  it('K3 forgets a key that was removed, once the set is too old', async () => {
    const keys = remote({ maxAge: 100 });
    await verify(keys);
    answers['/jwks'] = json(jwkSet([aKey('EdDSA')]));
    clock += 100;
    await verify(keys);
    clock += 1;
    expect(keys.keys).toBeUndefined();
    await expect(verify(keys)).rejects.toMatchObject({ code: 'algorithm_not_allowed' });
  });

  it('happens again when the clock was set back', async () => {
    const keys = remote();
    await verify(keys);
    clock -= 3600;
    await verify(keys);
    expect(paths).toHaveLength(2);
  });

  it('keeps the keys of one URL apart from those of another', async () => {
    answers['/other'] = json(jwkSet([aKey('EdDSA')]));
    const [one, other] = [remote(), remoteJwkSet(`${origin}/other`, { now: moment })];
    await Promise.all([verify(one), verify(other, aKey('EdDSA'))]);
    await expect(verify(other)).rejects.toMatchObject({ code: 'algorithm_not_allowed' });
  });
});

describe('K6 an issuer that is down', () => {
  it('has its keys used a while longer, then nothing is accepted', async () => {
    const keys = remote({ maxAge: 100, staleFor: 1000 });
    await verify(keys);
    answers['/jwks'] = status(500);
    clock += 101;
    await expect(verify(keys)).resolves.toBeDefined();
    clock += 999;
    await expect(verify(keys)).resolves.toBeDefined();
    clock += 1;
    await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable' });
    answers['/jwks'] = json(jwkSet([aKey('ES256')]));
    clock += 30;
    await expect(verify(keys)).resolves.toBeDefined();
  });

  it('is asked less and less often, and answers for it as soon as it is back', async () => {
    const keys = remote();
    answers['/jwks'] = status(503);
    const attempt = async (): Promise<unknown> => verify(keys).catch((error: unknown) => error);
    for (const pause of [0, 0.5, 0.5, 1, 1, 3, 1]) {
      clock += pause;
      expect(await attempt()).toMatchObject({ code: 'keys_unavailable', details: { reason: 'status' } });
    }
    expect(paths).toHaveLength(4); // at 0, 1, 3 and 7 seconds
    answers['/jwks'] = json(jwkSet([aKey('ES256')]));
    clock += 8;
    await expect(verify(keys)).resolves.toBeDefined();
  });

  it('is never asked less often than the cooldown says', async () => {
    const keys = remote({ cooldown: 5 });
    answers['/jwks'] = status(503);
    for (const pause of [0, 1, 2, 4, 5, 5]) {
      clock += pause;
      await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable' });
    }
    expect(paths).toHaveLength(6);
    clock += 4.9;
    await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable' });
    expect(paths).toHaveLength(6);
  });

  it('is asked again soon when it fails for the first time after a success', async () => {
    const keys = remote({ maxAge: 100 });
    answers['/jwks'] = status(503);
    for (const pause of [0, 1, 2, 4]) {
      clock += pause;
      await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable' });
    }
    answers['/jwks'] = json(jwkSet([aKey('ES256')]));
    clock += 8;
    await verify(keys);
    expect(paths).toHaveLength(5);
    answers['/jwks'] = status(503);
    for (const pause of [101, 1]) {
      clock += pause;
      await verify(keys);
    }
    expect(paths).toHaveLength(7);
  });

  it('has its keys in hand for use only when it was asked just now', async () => {
    const keys = remote({ maxAge: 100, staleFor: 1000 });
    await verify(keys);
    answers['/jwks'] = status(503);
    clock += 101;
    expect(keys.keys).toBeUndefined();
    await keys.refresh();
    expect(keys.keys).toBeDefined();
    clock += 1;
    expect(keys.keys).toBeUndefined();
  });

  it('does not make an unknown key id wait for it, while the set is fresh', async () => {
    const keys = remote();
    await verify(keys);
    answers['/jwks'] = status(500);
    clock += 31;
    await expect(verifyKeyId(keys, 'unknown')).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(verify(keys)).resolves.toBeDefined();
  });
});

describe('K5 an answer', () => {
  const big = { keys: [], padding: 'x'.repeat(70_000) };

  it.each<[string, string, Answer]>([
    ['is a redirect', 'status', status(302, { location: '/elsewhere' })],
    ['is an error', 'status', status(500)],
    ['is too large', 'size', json(big)],
    ['is no JSON', 'content', (response) => void response.end('<html>')],
    ['is no object', 'content', json([])],
    ['has a member twice', 'content', (response) => void response.end('{"keys":[],"keys":[]}')],
    ['has no keys', 'content', json({})],
    ['has keys that are no objects', 'content', json({ keys: ['x'] })],
    ['holds a private key', 'content', json({ keys: [exportJwk(aKey('ES256'))] })],
    ['holds a secret', 'content', json({ keys: [exportJwk(aKey('HS256'))] })],
    ['repeats a key id', 'content', json({ keys: [...jwkSet([aKey('ES256')]).keys, ...jwkSet([aKey('ES256')]).keys] })],
    [
      'is cut short',
      'network',
      (response) => void response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
    ],
    ['never comes', 'timeout', () => undefined],
    ['never ends', 'timeout', (response) => void response.writeHead(200).write('{')],
  ])('is not used when it %s', async (_name, reason, answer) => {
    answers['/jwks'] = answer;
    answers['/elsewhere'] = json(jwkSet([aKey('ES256')]));
    const keys = remote({ timeout: reason === 'timeout' ? 1 : 60 });
    await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable', details: { reason } });
    expect(paths).toEqual(['/jwks']);
  });

  it('is not waited for in vain when nobody listens', async () => {
    const keys = remoteJwkSet('http://127.0.0.1:9/jwks');
    await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable', details: { reason: 'network' } });
  });
});

describe('K5 URLs', () => {
  it.each([
    'http://auth.example.com/jwks',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'https://user:pass@auth.example.com/',
    'https://auth.example.com/#x',
    'jwks',
    '',
  ])('refuses %s', (url) => {
    expect(() => remoteJwkSet(url)).toThrow(TypeError);
    expect(() => issuerJwkSet(url)).toThrow(TypeError);
  });

  it.each([
    'https://auth.example.com/jwks',
    'http://localhost:8000/',
    'http://127.0.0.1/',
    'http://127.9.9.9/',
    'http://127.100.100.100/',
    'http://[::1]:8000/',
  ])('accepts %s', (url) => {
    expect(() => remoteJwkSet(new URL(url))).not.toThrow();
  });

  it.each([
    { timeout: 0 },
    { maxAge: Number.NaN },
    { cooldown: -1 },
    { maxBytes: '64' },
    { maxage: 5 },
    { staleFor: undefined },
  ])('refuses the options %j', (options) => {
    expect(() => remoteJwkSet('https://auth.example.com/jwks', options as RemoteJwkSetOptions)).toThrow(TypeError);
  });
});

describe('the keys of an issuer', () => {
  const metadata = (more: object = {}): Answer => json({ issuer: origin, jwks_uri: `${origin}/jwks`, ...more });
  const ofIssuer = (name: string = origin): RemoteJwkSet => issuerJwkSet(name, { now: moment });

  it('are found through its metadata', async () => {
    answers['/.well-known/oauth-authorization-server'] = metadata();
    await expect(verify(ofIssuer())).resolves.toBeDefined();
    await expect(verify(issuerJwkSet(new URL(origin), { now: moment }))).resolves.toBeDefined();
    expect(paths.slice(0, 2)).toEqual(['/.well-known/oauth-authorization-server', '/jwks']);
  });

  it('are found through OpenID Connect Discovery, when there is nothing else', async () => {
    answers['/.well-known/openid-configuration'] = metadata();
    await expect(verify(ofIssuer())).resolves.toBeDefined();
  });

  it('are looked for where RFC 8414 puts a path, then below the path', async () => {
    const name = `${origin}/tenants/one`;
    answers['/tenants/one/.well-known/openid-configuration'] = metadata({ issuer: name });
    await expect(verify(ofIssuer(name))).resolves.toBeDefined();
    expect(paths).toEqual([
      '/.well-known/oauth-authorization-server/tenants/one',
      '/tenants/one/.well-known/oauth-authorization-server',
      '/tenants/one/.well-known/openid-configuration',
      '/jwks',
    ]);
    expect(metadataLocations('https://a.example/').map(String)).toEqual([
      'https://a.example/.well-known/oauth-authorization-server',
      'https://a.example/.well-known/openid-configuration',
    ]);
  });

  it.each([
    { issuer: 'https://auth.example.com' },
    { issuer: undefined },
    { jwks_uri: undefined },
    { jwks_uri: 'http://keys.example.com/jwks' },
    { jwks_uri: 'file:///etc/passwd' },
    { jwks_uri: 7 },
  ])('are not taken from metadata with %j: issuer mix-up', async (more) => {
    answers['/.well-known/oauth-authorization-server'] = metadata(more);
    answers['/.well-known/openid-configuration'] = metadata(more);
    await expect(verify(ofIssuer())).rejects.toMatchObject({ code: 'keys_unavailable', details: { reason: 'issuer' } });
    expect(paths).not.toContain('/jwks');
  });

  it('are not taken from metadata that differs by a slash', async () => {
    answers['/.well-known/oauth-authorization-server'] = metadata({ issuer: `${origin}/` });
    await expect(verify(ofIssuer())).rejects.toMatchObject({ code: 'keys_unavailable' });
    await expect(verify(ofIssuer(`${origin}/`))).resolves.toBeDefined();
  });

  it('are fetched by https when the issuer is', async () => {
    const fetch = (): Promise<Response> =>
      Promise.resolve(Response.json({ issuer: 'https://auth.example.com', jwks_uri: `${origin}/jwks` }));
    const keys = issuerJwkSet('https://auth.example.com', { fetch });
    await expect(verify(keys)).rejects.toMatchObject({ code: 'keys_unavailable', details: { reason: 'issuer' } });
  });
});

describe('keys that are fetched', () => {
  const token = aToken({}, aKey('ES256'));
  const subjectOr = async (keys: RemoteJwkSet): Promise<unknown> => {
    const outcome = await tryVerifyJwt(token, { ...expected, keys, algorithms: ['ES256', 'RS256'] });
    return outcome.ok ? outcome.claims.sub : outcome.code;
  };

  it('are proved when they come, also those that name no algorithm', async () => {
    const weak = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xff).toString('base64url'), kid: 'weak' };
    const keys = remote();
    expect(await subjectOr(keys)).toBe('ada');
    const { keys: sound } = jwkSet([aKey('ES256')]);
    answers['/jwks'] = json({ keys: [...sound, weak] });
    clock += 601;
    expect(await subjectOr(keys)).toBe('ada');
    expect(keys.keys).toEqual({ keys: sound });
    expect(paths).toHaveLength(2);
  });

  it('may have one of another curve beside them, which is not ours to judge', async () => {
    const { publicKey: ed448 } = keyPair('ed448');
    const other = { ...ed448.export({ format: 'jwk' }), alg: 'EdDSA', kid: 'e' };
    answers['/jwks'] = json({ keys: [exportPublicJwk(aKey('ES256')), other] });
    expect(await subjectOr(remote())).toBe('ada');
  });

  it('are refused when only one of them holds a secret', async () => {
    answers['/jwks'] = json({
      keys: [exportPublicJwk(aKey('ES256')), { ...exportPublicJwk(aKey('EdDSA')), d: 'AAAA' }],
    });
    const verdict = await tryVerifyJwt(token, { ...expected, keys: remote() });
    expect(verdict).toMatchObject({ code: 'keys_unavailable', details: { reason: 'content' } });
  });

  it('stay one object while they stay the same, so that nothing is forgotten', async () => {
    const keys = remote();
    await subjectOr(keys);
    const first = keys.keys;
    clock += 601;
    await subjectOr(keys);
    expect(keys.keys).toBe(first);
    expect(paths).toHaveLength(2);
  });

  it('are not fetched again for a key that is one of several', async () => {
    answers['/jwks'] = json(jwkSet([aKey('ES256'), aKey('EdDSA')]));
    const keys = remote();
    for (const name of ['ES256', 'EdDSA', 'ES256'] as const) {
      await verify(keys, aKey(name));
      clock += 60;
    }
    expect(paths).toHaveLength(1);
  });

  it('may take so long that the token expires meanwhile', async () => {
    const exp = Math.floor(Date.now() / 1000) + 1;
    answers['/jwks'] = (response) => {
      const wait = exp * 1000 - Date.now();
      setTimeout(() => response.end(JSON.stringify(jwkSet([aKey('ES256')]))), Math.max(wait, 0));
    };
    const short = aToken({ iat: exp - 10, exp }, aKey('ES256'));
    expect(await tryVerifyJwt(short, { keys: remote(), audience })).toMatchObject({ ok: false, code: 'expired' });
  });

  it('are not what a JWK Set with a member named refresh holds', () => {
    const set = { ...jwkSet([aKey('ES256')]), refresh: 3600 };
    expect(verifyJwt(token, { ...expected, keys: set }).claims.sub).toBe('ada');
  });

  it.each(['http://127.10.200.30/jwks', 'http://127.0.0.1:8000/jwks', 'http://[::1]/jwks', 'http://localhost/jwks'])(
    'may come without TLS from this machine: %s',
    (url) => expect(remoteJwkSet(url).keys).toBeUndefined(),
  );
});

describe('a set of keys that fails in a way of its own', () => {
  it.each([null, 0, ''])('lets nobody in when its keys are %j', async (none) => {
    const keys = { keys: none, refresh: () => Promise.resolve() } as unknown as RemoteJwkSet;
    await expect(verifyJwt('no token', { ...expected, keys })).rejects.toThrow();
    await expect(verifyJwt(aToken({}, aKey('ES256')), { ...expected, keys })).rejects.toThrow('keys must be');
    const verifier = createJwtVerifier({ issuer, audience, keys });
    await expect((async () => verifier.verify(aToken({}, aKey('ES256'))))()).rejects.toThrow('keys must be');
  });

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

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChangeSource, changeKinds, createGuard, type GuardOptions, type Verdict } from '@sallyport/guard';
import { generateKey, JwtError, jwkSet, publicKey, remoteJwkSet, secretKey, signJwt } from '@sallyport/jwt';
import { expectWithin } from '../../jwt/test/expect-within.ts';
import { ChangeLog } from './change-log.ts';
import {
  anAccessToken,
  audience,
  forgedTokens,
  foreignTokens,
  inSeconds,
  issuer,
  issuerKey,
  issuerKeys,
  someClaims,
} from './tokens.ts';

const aGuard = (options: Partial<GuardOptions> = {}) => createGuard({ issuer, audience, keys: issuerKeys, ...options });

const bearer = (token: string) => ({ authorization: [`Bearer ${token}`] });

/** `granted`, or the code of the refusal. */
const outcome = (verdict: Verdict): string => (verdict.granted ? 'granted' : verdict.refusal.body.code);

describe('access', () => {
  it('tells who calls and what they may do', async () => {
    const exp = inSeconds(300);
    const verdict = await aGuard().check(
      bearer(anAccessToken({ exp, jti: 'token-a', scope: 'todos:read notes:*', roles: ['user', 'editor'] })),
    );
    expect(verdict.granted && verdict.access).toMatchObject({
      subject: 'user-1',
      scopes: new Set(['todos:read', 'notes:*']),
      roles: new Set(['user', 'editor']),
      sessionId: 'session-1',
      tokenId: 'token-a',
      clientId: 'web',
      expiresAt: new Date(exp * 1000),
      claims: { iss: issuer, sub: 'user-1' },
    });
  });

  it('answers by hasScope and hasRole, wildcards included', async () => {
    const verdict = await aGuard().check(bearer(anAccessToken({ scope: 'notes:*', roles: ['user'] })));
    const access = verdict.granted ? verdict.access : undefined;
    expect([access?.hasScope('notes:write'), access?.hasScope('todos:read')]).toEqual([true, false]);
    expect([access?.hasRole('user'), access?.hasRole('admin'), access?.hasRole('USER')]).toEqual([true, false, false]);
  });

  it('leaves out what the token does not say', async () => {
    const bare = anAccessToken({
      sid: undefined,
      jti: undefined,
      client_id: undefined,
      scope: undefined,
      roles: undefined,
    });
    const verdict = await aGuard().check(bearer(bare));
    const access = verdict.granted ? verdict.access : undefined;
    expect(access).toMatchObject({ subject: 'user-1', scopes: new Set(), roles: new Set() });
    expect(Object.keys(access ?? {})).not.toEqual(expect.arrayContaining(['sessionId']));
  });
});

describe('verdicts', () => {
  it('is synchronous with keys at hand and without a change source', () => {
    expect(aGuard().check(bearer(anAccessToken()))).toMatchObject({ granted: true });
    expect(aGuard().check({ authorization: [] })).toMatchObject({ granted: false });
  });

  it('grants a request without credentials where they are optional, and refuses bad ones all the same', async () => {
    const guard = aGuard();
    expect(await guard.check({ authorization: [] }, { optional: true })).toEqual({ granted: true, access: undefined });
    expect(outcome(await guard.check(bearer('garbage'), { optional: true }))).toBe('token_invalid');
    expect(outcome(await guard.check({ authorization: ['Bearer'] }, { optional: true }))).toBe('invalid_request');
    const wanting = { optional: true, scope: 'todos:write' };
    expect(outcome(await guard.check(bearer(anAccessToken()), wanting))).toBe('insufficient_scope');
  });

  it('refuses a misspelt requirement before anything else', () => {
    const misspelt: object = { roles: 'admin' };
    expect(() => aGuard().check({ authorization: [] }, misspelt)).toThrow(TypeError);
  });

  it.each(Object.entries(forgedTokens()))('refuses a forged token: %s', async (_, token) => {
    expect(outcome(await aGuard().check(bearer(token)))).toBe('token_invalid');
  });

  it.each(Object.entries(foreignTokens()))('J20-J24 refuses %s', async (_, token) => {
    expect(outcome(await aGuard().check(bearer(token)))).toBe('token_invalid');
  });

  it('says that an expired token has expired, by its own clock, to the second', async () => {
    const exp = inSeconds(600);
    const token = anAccessToken({ exp });
    const at = (seconds: number) => aGuard({ now: () => new Date(seconds * 1000) }).check(bearer(token));
    expect(outcome(await at(exp - 1))).toBe('granted');
    expect(outcome(await at(exp))).toBe('token_expired');
  });

  it('J33 never says that a token it does not believe has expired', async () => {
    const [header, payload] = anAccessToken({ exp: inSeconds(-10) }).split('.');
    expect(outcome(await aGuard().check(bearer(`${header}.${payload}.${'A'.repeat(86)}`)))).toBe('token_invalid');
  });

  it('tolerates as much clock difference as it was told', async () => {
    const token = anAccessToken({ nbf: inSeconds(30) });
    expect(outcome(await aGuard().check(bearer(token)))).toBe('token_invalid');
    expect(outcome(await aGuard({ clockTolerance: 60 }).check(bearer(token)))).toBe('granted');
  });

  it('D7 accepts another typ only where it was told to, and then nothing else', async () => {
    const foreign = foreignTokens()['an id token'] ?? '';
    expect(outcome(await aGuard({ typ: 'JWT' }).check(bearer(foreign)))).toBe('granted');
    expect(outcome(await aGuard({ typ: 'JWT' }).check(bearer(anAccessToken())))).toBe('token_invalid');
    for (const claim of ['iss', 'sub', 'aud', 'exp']) {
      const incomplete = signJwt(someClaims({ [claim]: undefined }), issuerKey, { typ: 'JWT' });
      expect(outcome(await aGuard({ typ: 'JWT' }).check(bearer(incomplete)))).toBe('token_invalid');
    }
  });

  it('J6 J30 refuses absurd tokens fast', async () => {
    const guard = aGuard();
    const absurd = ['a'.repeat(9_000), 'a'.repeat(8_000_000), '.'.repeat(1_000_000), `${'['.repeat(200_000)}..`];
    for (const token of absurd) {
      const request = bearer(token);
      await expectWithin(5, async () => expect(outcome(await guard.check(request))).toBe('token_invalid'));
    }
  });

  it('B6 shows nothing of the request in any refusal', async () => {
    const guard = aGuard();
    for (const token of Object.values(forgedTokens())) {
      const refused = JSON.stringify(await guard.check(bearer(token)));
      const expected = JSON.stringify(await guard.check(bearer('x')));
      expect(refused).toBe(expected);
    }
  });

  it('B12 compares scopes and roles exactly', async () => {
    const guard = aGuard();
    for (const name of ['adminx', 'admin-read', 'admin,user', 'ADMIN']) {
      expect(outcome(await guard.check(bearer(anAccessToken({ scope: name })), { scope: 'admin' }))).toBe(
        'insufficient_scope',
      );
      expect(outcome(await guard.check(bearer(anAccessToken({ roles: [name] })), { role: 'admin' }))).toBe(
        'insufficient_role',
      );
    }
  });

  it('J32 grants nothing for claims that reach for the prototype', async () => {
    const claims: unknown = JSON.parse(
      '{"roles":["user"],"__proto__":{"roles":["admin"],"admin":true},"constructor":{"roles":["admin"]}}',
    );
    const token = anAccessToken({ ...Object.fromEntries(Object.entries(claims ?? {})), roles: ['user'] });
    expect(outcome(await aGuard().check(bearer(token), { role: 'admin' }))).toBe('insufficient_role');
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('admin');
  });
});

describe('keys', () => {
  it.each(['HS256', 'RS256', 'PS256', 'ES384', 'EdDSA'] as const)('verifies with a key of %s', async (algorithm) => {
    const key = await generateKey(algorithm);
    const guard = aGuard({ keys: key.type === 'secret' ? key : jwkSet([publicKey(key)]) });
    expect(outcome(await guard.check(bearer(anAccessToken({}, key))))).toBe('granted');
    expect(outcome(await guard.check(bearer(anAccessToken())))).toBe('token_invalid');
  });

  it('verifies with a secret', async () => {
    const key = secretKey('a secret that is long enough to be used');
    expect(outcome(await aGuard({ keys: key }).check(bearer(anAccessToken({}, key))))).toBe('granted');
  });

  it('throws, and blames no token, when its own keys are unusable', () => {
    const weak = { keys: [{ kty: 'oct', alg: 'HS256', k: 'c2hvcnQ' }] };
    expect(() => aGuard({ keys: weak }).check(bearer(anAccessToken()))).toThrow(JwtError);
  });
});

describe('an issuer that publishes its keys', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function anIssuer(keys: unknown) {
    const state = { keys, requests: 0 };
    const server = createServer((request, response) => {
      state.requests += 1;
      const origin = `http://${request.headers.host ?? ''}`;
      const metadata = { issuer: origin, jwks_uri: `${origin}/jwks` };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/jwks' ? state.keys : metadata));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { state, server, url: `http://127.0.0.1:${port}` };
  }

  it('is found through its metadata; afterwards checks are synchronous', async () => {
    const { url, state } = await anIssuer(issuerKeys);
    const guard = createGuard({ issuer: url, audience });
    const token = anAccessToken({ iss: url });
    const first = guard.check(bearer(token));
    expect(first).toBeInstanceOf(Promise);
    expect(outcome(await first)).toBe('granted');
    expect(guard.check(bearer(token))).toMatchObject({ granted: true });
    expect(state.requests).toBe(2);
  });

  it('may start to use another key, even of another algorithm', async () => {
    const { url, state } = await anIssuer(issuerKeys);
    const now = { offset: 0 };
    const keys = remoteJwkSet(`${url}/jwks`, { now: () => new Date(Date.now() + now.offset) });
    const guard = aGuard({ keys });
    expect(outcome(await guard.check(bearer(anAccessToken())))).toBe('granted');
    const next = await generateKey('EdDSA', { keyId: 'issuer-2' });
    state.keys = jwkSet([publicKey(issuerKey), publicKey(next)]);
    expect(outcome(await guard.check(bearer(anAccessToken({}, next))))).toBe('token_invalid');
    now.offset = 31_000;
    expect(outcome(await guard.check(bearer(anAccessToken({}, next))))).toBe('granted');
    expect(outcome(await guard.check(bearer(anAccessToken())))).toBe('granted');
  });

  it('K5 is not asked more often because strangers make up key ids', async () => {
    const { url, state } = await anIssuer(issuerKeys);
    const guard = aGuard({ keys: remoteJwkSet(`${url}/jwks`) });
    const strangers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => generateKey('ES256', { keyId: `k${index}` })),
    );
    const verdicts = await Promise.all(strangers.map(async (key) => guard.check(bearer(anAccessToken({}, key)))));
    expect(new Set(verdicts.map(outcome))).toEqual(new Set(['token_invalid']));
    expect(state.requests).toBeLessThanOrEqual(2);
  });

  it('B9 makes the guard answer 503 while it cannot be reached, and tells the application why', async () => {
    const { url, server } = await anIssuer(issuerKeys);
    await new Promise((resolve) => server.close(resolve));
    const causes: unknown[] = [];
    const guard = createGuard({ issuer: url, audience, onUnavailable: (cause) => causes.push(cause) });
    const verdict = await guard.check(bearer(anAccessToken({ iss: url })));
    expect(outcome(verdict)).toBe('temporarily_unavailable');
    expect(causes).toMatchObject([{ code: 'keys_unavailable' }]);
  });
});

describe('a guard with a change source', () => {
  it('S8 refuses from the moment of the revocation', async () => {
    const log = new ChangeLog();
    const guard = aGuard({ changes: log });
    const token = anAccessToken({ af: 0 });
    expect(outcome(await guard.check(bearer(token)))).toBe('granted');
    log.append({ kind: changeKinds.sessionDead, key: 'session-1' });
    expect(outcome(await guard.check(bearer(token)))).toBe('token_revoked');
  });

  it('is as current as the source for each of many parallel checks', async () => {
    const log = new ChangeLog();
    const guard = aGuard({ changes: log });
    const checks = Array.from({ length: 200 }, async (_, index) => {
      const session = `session-${index}`;
      const token = anAccessToken({ sid: session, af: 0 });
      const before = outcome(await guard.check(bearer(token)));
      log.append({ kind: changeKinds.sessionDead, key: session });
      return [before, outcome(await guard.check(bearer(token)))];
    });
    const outcomes = await Promise.all(checks);
    expect(outcomes.every(([before, after]) => before === 'granted' && after === 'token_revoked')).toBe(true);
    expect(log.reads.length).toBeLessThan(50);
  });

  it('J28 revokes the token and not its spelling: the ECDSA twin is refused too', async () => {
    const log = new ChangeLog();
    const guard = aGuard({ changes: log });
    const token = anAccessToken({ jti: 'token-1', af: 0 });
    const twin = withTwinSignature(token);
    expect(twin).not.toBe(token);
    expect(outcome(await guard.check(bearer(twin)))).toBe('granted');
    log.append({ kind: changeKinds.tokenDead, key: 'token-1' });
    expect(outcome(await guard.check(bearer(token)))).toBe('token_revoked');
    expect(outcome(await guard.check(bearer(twin)))).toBe('token_revoked');
    expect(outcome(await guard.check(bearer(`${token}=`)))).toBe('token_invalid');
  });

  it('J34 remembers no verdict: key, expiry and audience are asked anew each time', async () => {
    const log = new ChangeLog();
    const clock = { now: Date.now() };
    const guard = aGuard({ changes: log, now: () => new Date(clock.now) });
    const token = anAccessToken({ af: 0 });
    expect(outcome(await guard.check(bearer(token)))).toBe('granted');
    expect(outcome(await aGuard({ audience: 'other' }).check(bearer(token)))).toBe('token_invalid');
    log.append({ kind: changeKinds.keyDead, key: 'issuer-1' });
    expect(outcome(await guard.check(bearer(token)))).toBe('token_invalid');
    clock.now += 601_000;
    expect(outcome(await guard.check(bearer(token)))).toBe('token_expired');
  });

  it('S9 follows a demotion without a new token', async () => {
    const log = new ChangeLog();
    for (const [role, scopes] of [
      ['admin', ['*']],
      ['user', ['todos:read']],
    ] as const) {
      log.append({ kind: changeKinds.roleDefinition, key: role, data: { scopes } });
    }
    const guard = aGuard({ changes: log });
    const token = anAccessToken({ roles: ['admin'], scope: '*', af: log.head });
    expect(outcome(await guard.check(bearer(token), { role: 'admin', scope: 'users:write' }))).toBe('granted');
    log.append({ kind: changeKinds.userOverride, key: 'user-1', data: { roles: ['user'] } });
    expect(outcome(await guard.check(bearer(token), { role: 'admin' }))).toBe('insufficient_role');
    expect(outcome(await guard.check(bearer(token), { scope: 'users:write' }))).toBe('insufficient_scope');
    expect(outcome(await guard.check(bearer(token), { scope: 'todos:read' }))).toBe('granted');
  });

  it('does not read the log for a token it does not believe', async () => {
    const log = new ChangeLog();
    const guard = aGuard({ changes: log });
    for (const token of Object.values(forgedTokens())) await guard.check(bearer(token));
    expect(log.reads).toEqual([]);
  });

  it('B9 answers 503 while the source is down, and grants again when it is back', async () => {
    const log = new ChangeLog();
    const causes: unknown[] = [];
    const guard = aGuard({ changes: log, onUnavailable: (cause) => causes.push(cause) });
    log.isDown = true;
    expect(outcome(await guard.check(bearer(anAccessToken({ af: 0 }))))).toBe('temporarily_unavailable');
    expect(causes).toMatchObject([
      { name: 'ChangesUnavailableError', cause: { message: 'the database does not answer' } },
    ]);
    log.isDown = false;
    expect(outcome(await guard.check(bearer(anAccessToken({ af: 0 }))))).toBe('granted');
  });

  it('B9 answers 503 to a critical change it does not know', async () => {
    const log = new ChangeLog();
    log.append({ kind: 77, critical: true });
    expect(outcome(await aGuard({ changes: log }).check(bearer(anAccessToken())))).toBe('temporarily_unavailable');
  });

  it('rejects, and neither grants nor refuses, when the source answers nonsense', async () => {
    const broken: object = { readSince: async () => ({ incarnation: 'x', head: 1 }) };
    const verdict = aGuard({ changes: broken as ChangeSource }).check(bearer(anAccessToken()));
    await expect(verdict).rejects.toThrow(TypeError);
  });
});

/** Anyone can turn an ECDSA signature (r, s) into another valid one: (r, n - s). */
function withTwinSignature(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
  return `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), twin]).toString('base64url')}`;
}

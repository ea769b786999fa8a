import { describe, expect, it } from 'vitest';
import { createGuard, csrfTokenFor, type GuardedRequest, type GuardOptions, type Verdict } from '@sallyport/guard';
import { anAccessToken, audience, inSeconds, issuer, issuerKeys } from './tokens.ts';

const aGuard = (options: Partial<GuardOptions> = {}) => createGuard({ issuer, audience, keys: issuerKeys, ...options });
const aCookieGuard = (options: Partial<GuardOptions> = {}) => aGuard({ credentials: [{ in: 'cookie' }], ...options });

/** `granted`, or the code of the refusal. */
const outcome = (verdict: Verdict): string => (verdict.granted ? 'granted' : verdict.refusal.body.code);

function aRequest(headers: Readonly<Record<string, string>>, more: Partial<GuardedRequest> = {}): GuardedRequest {
  return { authorization: [], method: 'GET', header: (name) => [headers[name] ?? []].flat(), ...more };
}
const byCookie = (token: string, headers: Readonly<Record<string, string>> = {}, method = 'POST') =>
  aRequest({ cookie: `__Host-access_token=${token}`, ...headers }, { method });

describe('S12 a guard that reads cookies', () => {
  it('lets reads pass, and writes that prove where they come from', async () => {
    const guard = aCookieGuard();
    const token = anAccessToken();
    expect(outcome(await guard.check(byCookie(token, {}, 'GET')))).toBe('granted');
    expect(outcome(await guard.check(byCookie(token, { 'sec-fetch-site': 'same-origin' })))).toBe('granted');
    expect(outcome(await guard.check(byCookie(token, { 'x-csrf-token': csrfTokenFor(token) })))).toBe('granted');
    expect(outcome(await guard.check(byCookie(token)))).toBe('csrf_proof_missing');
    expect(outcome(await guard.check(byCookie(token, { 'sec-fetch-site': 'cross-site' })))).toBe('csrf_proof_missing');
  });

  it('says first what is wrong with the token, so that a client knows when to refresh', async () => {
    const guard = aCookieGuard();
    expect(outcome(await guard.check(byCookie(anAccessToken({ exp: inSeconds(-1) }))))).toBe('token_expired');
    expect(outcome(await guard.check(byCookie('garbage')))).toBe('token_invalid');
  });

  it('does not let a forgeable write pass for one without credentials', async () => {
    expect(outcome(await aCookieGuard().check(byCookie(anAccessToken()), { optional: true }))).toBe(
      'csrf_proof_missing',
    );
  });

  it('asks no proof of a header, which no other site can make a browser send', async () => {
    const guard = aGuard({ credentials: [{ in: 'header' }, { in: 'cookie' }] });
    const request = aRequest({ 'sec-fetch-site': 'cross-site' }, { method: 'POST' });
    expect(outcome(await guard.check({ ...request, authorization: [`Bearer ${anAccessToken()}`] }))).toBe('granted');
  });

  it('does not read the header it was not told to read', async () => {
    const request = { authorization: [`Bearer ${anAccessToken()}`] };
    expect(outcome(await aCookieGuard().check(request))).toBe('not_authenticated');
  });

  it('takes a request that knows no headers for one without cookies', async () => {
    expect(outcome(await aCookieGuard().check({ authorization: [] }))).toBe('not_authenticated');
  });
});

describe('a guard that reads bodies', () => {
  const guard = aGuard({ credentials: [{ in: 'body' }, { in: 'header' }] });

  it('waits for a body only where there is something to wait for', async () => {
    const token = anAccessToken();
    expect(guard.check(aRequest({}, { body: () => ({ access_token: token }) }))).toMatchObject({ granted: true });
    const later = guard.check(aRequest({}, { body: async () => ({ access_token: token }) }));
    expect(later).toBeInstanceOf(Promise);
    expect(outcome(await later)).toBe('granted');
  });

  it('B9 rejects, and neither grants nor refuses, when the body cannot be read', async () => {
    const broken = guard.check(aRequest({}, { body: () => Promise.reject(new Error('cut off')) }));
    await expect(broken).rejects.toThrow('cut off');
  });

  it('is the only one that touches it', async () => {
    const untouched = (): never => {
      throw new Error('read');
    };
    const request = { authorization: [`Bearer ${anAccessToken()}`], body: untouched };
    expect(outcome(await aGuard().check(request))).toBe('granted');
    expect(outcome(await aCookieGuard().check(request))).toBe('not_authenticated');
  });
});

describe('a guard of another scheme', () => {
  it('asks for that scheme in its challenge', async () => {
    const guard = aGuard({ credentials: [{ in: 'cookie' }, { in: 'header', scheme: 'Token' }], realm: 'todos' });
    const verdict = await guard.check({ authorization: [`Bearer ${anAccessToken()}`] });
    expect('refusal' in verdict && verdict.refusal.headers['www-authenticate']).toBe('Token realm="todos"');
    expect(outcome(await guard.check({ authorization: [`token ${anAccessToken()}`] }))).toBe('granted');
  });
});

describe('OPTIONS', () => {
  const preflight = aRequest(
    { origin: 'https://app.example.test', 'access-control-request-method': 'POST' },
    { method: 'OPTIONS' },
  );

  it('without credentials is answered without a challenge, and without reaching a handler', async () => {
    const verdict = await aGuard().check(preflight, { role: 'admin' });
    expect(verdict).toMatchObject({ granted: false, refusal: { status: 200, body: { code: 'preflight_unanswered' } } });
    expect('refusal' in verdict && Object.keys(verdict.refusal.headers)).not.toContain('www-authenticate');
  });

  it('without credentials passes where the guard is told so, and then as nobody', async () => {
    const verdict = await aGuard({ preflight: 'pass' }).check(preflight, { role: 'admin' });
    expect(verdict).toEqual({ granted: true, access: undefined });
  });

  it('with credentials is judged like any other request', async () => {
    const guard = aGuard({ preflight: 'pass' });
    expect(outcome(await guard.check({ ...preflight, authorization: ['Bearer garbage'] }))).toBe('token_invalid');
    const asUser = { ...preflight, authorization: [`Bearer ${anAccessToken()}`] };
    expect(outcome(await guard.check(asUser, { role: 'admin' }))).toBe('insufficient_role');
  });

  it.each(['options', 'OPTIONS ', 'OPTION', ''])('is spelt in capitals: %j is not it', async (method) => {
    expect(outcome(await aGuard({ preflight: 'pass' }).check({ ...preflight, method }))).toBe('not_authenticated');
  });
});

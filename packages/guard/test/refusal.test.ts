import { describe, expect, it } from 'vitest';
import { createRefusal } from '../src/refusal.ts';

const realm = 'https://auth.example.test';
const challengeOf = (...args: Parameters<typeof createRefusal>): string | undefined =>
  createRefusal(...args).headers['www-authenticate'];

describe('B1 B3 refusals', () => {
  it('asks for credentials with a bare challenge', () => {
    expect(createRefusal('not_authenticated', { realm })).toEqual({
      status: 401,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'www-authenticate': 'Bearer realm="https://auth.example.test"',
      },
      body: {
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'Not authenticated',
        code: 'not_authenticated',
      },
    });
  });

  it.each([
    ['token_expired', 'Token has expired'],
    ['token_revoked', 'Token has been revoked'],
    ['token_invalid', 'Could not validate credentials'],
  ] as const)('answers %s with 401 invalid_token and "%s"', (code, detail) => {
    const { status, body } = createRefusal(code, { realm });
    expect({ status, detail: body.detail }).toEqual({ status: 401, detail });
    expect(challengeOf(code, { realm })).toBe(
      `Bearer realm="${realm}", error="invalid_token", error_description="${detail}"`,
    );
  });

  it('names the scopes a route requires', () => {
    expect(challengeOf('insufficient_scope', { realm, scope: ['todos:read', 'todos:write'] })).toMatch(
      /^Bearer realm="[^"]+", error="insufficient_scope", error_description="[^"]+", scope="todos:read todos:write"$/,
    );
  });

  it.each(['insufficient_role', 'token_kind_refused', 'policy_refused'] as const)('answers %s with 403', (code) => {
    const { status, body } = createRefusal(code, { realm });
    expect([status, body.code]).toEqual([403, code]);
    expect(challengeOf(code, { realm })).toContain('error="insufficient_scope"');
  });

  it('tells a client that the user must sign in again, and how old a sign-in may be', () => {
    const { status, headers, body } = createRefusal('reauthentication_required', { realm, maxAge: 300 });
    expect([status, body.max_age]).toEqual([401, 300]);
    expect(headers['www-authenticate']).toMatch(
      /^Bearer realm="[^"]+", error="insufficient_user_authentication", error_description="[^"]+", max_age="300"$/,
    );
  });

  it('S12 answers a forgeable write with 403 and no challenge: another token would not help', () => {
    const { status, headers } = createRefusal('csrf_proof_missing', { realm });
    expect([status, headers['www-authenticate']]).toEqual([403, undefined]);
  });

  it('answers with the scheme the guard reads', () => {
    expect(challengeOf('not_authenticated', { realm, scheme: 'Token' })).toBe(`Token realm="${realm}"`);
  });

  it('answers a malformed request with 400 invalid_request', () => {
    expect(createRefusal('invalid_request', { realm }).status).toBe(400);
    expect(challengeOf('invalid_request', { realm })).toContain('error="invalid_request"');
  });

  it('B9 answers 503 with Retry-After and without a challenge: the token may well be good', () => {
    const { status, headers, body } = createRefusal('temporarily_unavailable', { realm });
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'temporarily_unavailable' });
    expect(headers).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '5',
    });
  });
});

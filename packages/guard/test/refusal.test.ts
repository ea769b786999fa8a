import { describe, expect, it } from 'vitest';
import { createRefusal } from '../src/refusal.ts';

const realm = 'https://auth.example.test';
const challengeOf = (...args: Parameters<typeof createRefusal>): string | undefined =>
  createRefusal(...args).headers['www-authenticate'];

describe('B1 B3 refusals', () => {
  it('asks for credentials with a bare challenge', () => {
    expect(createRefusal('not_authenticated', realm)).toEqual({
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
    const { status, body } = createRefusal(code, realm);
    expect({ status, detail: body.detail }).toEqual({ status: 401, detail });
    expect(challengeOf(code, realm)).toBe(
      `Bearer realm="${realm}", error="invalid_token", error_description="${detail}"`,
    );
  });

  it('names the scopes a route requires, and only for a missing scope', () => {
    expect(challengeOf('insufficient_scope', realm, ['todos:read', 'todos:write'])).toMatch(
      /^Bearer realm="[^"]+", error="insufficient_scope", error_description="[^"]+", scope="todos:read todos:write"$/,
    );
    expect(challengeOf('insufficient_role', realm, ['todos:read'])).not.toContain('scope="');
    expect(createRefusal('insufficient_role', realm).status).toBe(403);
    expect(createRefusal('insufficient_role', realm).body.code).toBe('insufficient_role');
  });

  it('answers a malformed request with 400 invalid_request', () => {
    expect(createRefusal('invalid_request', realm).status).toBe(400);
    expect(challengeOf('invalid_request', realm)).toContain('error="invalid_request"');
  });

  it('B9 answers 503 with Retry-After and without a challenge: the token may well be good', () => {
    const { status, headers, body } = createRefusal('temporarily_unavailable', realm);
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'temporarily_unavailable' });
    expect(headers).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '5',
    });
  });
});

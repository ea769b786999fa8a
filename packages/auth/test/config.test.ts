import { describe, expect, it } from 'vitest';
import { createAuth } from '../src/auth.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { issuer, secretKey } from './auth-fixture.ts';

async function problemsOf(config: Record<string, unknown>): Promise<readonly string[]> {
  const store = sqlite(':memory:');
  try {
    const auth = await createAuth({ issuer, store, secretKey, ...config });
    await auth.close();
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'config_invalid' });
    return (error as { details: { problems: string[] } }).details.problems;
  }
}

describe('createAuth', () => {
  it('names every problem at once', async () => {
    const problems = await problemsOf({
      issuer: 'http://auth.example.com',
      secretKey: 'short',
      accessToken: { lifetime: 0 },
      registration: 'maybe',
    });
    expect(problems).toHaveLength(4);
    expect(problems.join()).toMatch(/issuer.*secretKey.*accessToken.lifetime.*registration/s);
  });

  it.each([
    ['an option nobody reads', { isuer: 'x' }],
    ['a misspelt option in a group', { accessToken: { lifetme: 5 } }],
    ['an issuer without https', { issuer: 'http://auth.example.com' }],
    ['an issuer with a query', { issuer: 'https://auth.example.com?x' }],
    ['an issuer that is no URL', { issuer: 'auth' }],
    ['an empty audience', { audience: [] }],
    ['an unknown algorithm', { algorithm: 'none' }],
    ['J25: 31 bytes of secret', { secretKey: 'x'.repeat(31) }],
    ['J25: 47 bytes for HS384', { secretKey: 'x'.repeat(47), algorithm: 'HS384' }],
    ['J25: 63 bytes for HS512', { secretKey: 'x'.repeat(63), algorithm: 'HS512' }],
    ['J25: no secret', { secretKey: undefined }],
    ['an earlier secret that is short', { previousSecretKey: 'x'.repeat(31) }],
    ['an earlier secret that is the present one', { previousSecretKey: secretKey }],
    ['keys that rotate within a day', { signingKeys: { rotateAfter: 86_399 } }],
    ['NaN for a lifetime', { accessToken: { lifetime: Number.NaN } }],
    ['text for a lifetime', { accessToken: { lifetime: '15m' } }],
    ['an idle lifetime above the absolute one', { refreshToken: { idleLifetime: 10_000, sessionLifetime: 5_000 } }],
    ['an access token that outlives an idle session', { refreshToken: { idleLifetime: 60 } }],
    ['a lifetime no calendar holds', { refreshToken: { sessionLifetime: 1e15 } }],
    ['no store', { store: undefined }],
    ['no issuer', { issuer: undefined, audience: 'https://api.test' }],
    ['a clock that is none', { clock: 5 }],
    ['an unknown policy', { refreshToken: { policy: 'lenient' } }],
    ['a password minimum of 7', { password: { minLength: 7 } }],
  ])('refuses %s', async (_, config) => {
    expect(await problemsOf(config)).toHaveLength(1);
  });

  it.each(['http://127.0.0.1:8000', 'http://localhost', 'http://[::1]:9', 'https://auth.example.com/tenant'])(
    'accepts the issuer %s',
    async (accepted) => {
      expect(await problemsOf({ issuer: accepted })).toEqual([]);
    },
  );
});

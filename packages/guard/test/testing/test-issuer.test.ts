import { describe, expect, it } from 'vitest';
import { createGuard, type Requirement, type Verdict } from '@sallyport/guard';
import { createTestIssuer, type TestIssuer, type TokenWishes } from '@sallyport/guard/testing';
import { decodeJwtUnverified } from '@sallyport/jwt';

/** What a guard of this issuer makes of a token: `granted`, or the code of the refusal. */
async function outcome(issuer: TestIssuer, token: string, requirement: Requirement = {}): Promise<string> {
  const guard = createGuard(issuer.guardOptions);
  const verdict: Verdict = await guard.check({ authorization: [`Bearer ${token}`] }, requirement);
  return verdict.granted ? 'granted' : verdict.refusal.body.code;
}

describe('a token for a test', () => {
  it('is good, and its owner a user', async () => {
    const issuer = await createTestIssuer();
    expect(await outcome(issuer, issuer.tokenFor(), { role: 'user', tokenKind: 'user', maxAge: 1 })).toBe('granted');
  });

  it('is as it was wished', async () => {
    const issuer = await createTestIssuer({ issuer: 'https://auth.example.test', audience: 'todos' });
    const verdict = await createGuard(issuer.guardOptions).check({
      authorization: [
        issuer.headersFor({
          subject: 'ada',
          roles: ['editor'],
          scope: ['todos:read', 'todos:write'],
          sessionId: 'session-1',
          clientId: 'web',
          lifetime: 60,
          signedInAgo: 300,
          claims: { tenant: 'acme', nbf: undefined },
        }).authorization,
      ],
    });
    const access = verdict.granted ? verdict.access : undefined;
    expect(access).toMatchObject({
      subject: 'ada',
      roles: new Set(['editor']),
      scopes: new Set(['todos:read', 'todos:write']),
      sessionId: 'session-1',
      clientId: 'web',
      audience: ['todos'],
      claims: { iss: 'https://auth.example.test', tenant: 'acme' },
    });
    expect(Number(access?.expiresAt) - Number(access?.authenticatedAt)).toBe(360_000);
    expect(access?.claims).not.toHaveProperty('nbf');
  });

  it.each<[keyof TokenWishes, string]>([
    ['expired', 'token_expired'],
    ['notYetValid', 'token_invalid'],
    ['revoked', 'token_revoked'],
    ['wrongKey', 'token_invalid'],
    ['wrongIssuer', 'token_invalid'],
    ['wrongAudience', 'token_invalid'],
    ['wrongType', 'token_invalid'],
    ['tampered', 'token_invalid'],
  ])('may be %s', async (flaw, code) => {
    const issuer = await createTestIssuer();
    expect(await outcome(issuer, issuer.tokenFor({ [flaw]: true }))).toBe(code);
    expect(await outcome(issuer, issuer.tokenFor({ [flaw]: false }))).toBe('granted');
  });

  it('differs from a good one in its flaw alone', async () => {
    const issuer = await createTestIssuer();
    const wishes = { sessionId: 'one', claims: { jti: 'one', iat: 1, nbf: 1, exp: 2, auth_time: 1, af: 1 } };
    const claimsOf = (more: TokenWishes) => decodeJwtUnverified(issuer.tokenFor({ ...wishes, ...more })).claims;
    const good = claimsOf({});
    expect(claimsOf({ wrongKey: true })).toEqual(good);
    expect(claimsOf({ wrongType: true })).toEqual(good);
    expect(claimsOf({ wrongAudience: true })).toEqual({ ...good, aud: expect.any(String) });
  });

  it('is not made for a wish that is misspelt', async () => {
    const issuer = await createTestIssuer();
    const misspelt: object = { expird: true };
    expect(() => issuer.tokenFor(misspelt)).toThrow(/unknown wish "expird"/);
  });

  it('may belong to a program', async () => {
    const issuer = await createTestIssuer();
    const token = issuer.tokenFor({ subject: 'backup', clientId: 'backup' });
    expect(await outcome(issuer, token, { tokenKind: 'client' })).toBe('granted');
  });
});

describe('what a token may do', () => {
  it('is what it asks for, where nobody told what its roles grant', async () => {
    const issuer = await createTestIssuer();
    expect(await outcome(issuer, issuer.tokenFor({ scope: 'todos:read' }), { scope: 'todos:read' })).toBe('granted');
    expect(await outcome(issuer, issuer.tokenFor({ scope: 'a b' }), { scope: ['b', 'a'] })).toBe('granted');
    expect(await outcome(issuer, issuer.tokenFor(), { scope: 'todos:read' })).toBe('insufficient_scope');
  });

  it('is what its roles grant, where somebody told, and never more', async () => {
    const issuer = await createTestIssuer({ roles: { editor: ['todos:*'], reader: ['todos:read'] } });
    expect(await outcome(issuer, issuer.tokenFor({ roles: ['editor'] }), { scope: 'todos:write' })).toBe('granted');
    const limited = issuer.tokenFor({ roles: ['editor'], scope: 'todos:read' });
    expect(await outcome(issuer, limited, { scope: 'todos:write' })).toBe('insufficient_scope');
    const greedy = issuer.tokenFor({ roles: ['reader'], scope: 'todos:write' });
    expect(await outcome(issuer, greedy, { scope: 'todos:write' })).toBe('insufficient_scope');
  });

  it('is the same for a guard that follows no changes', async () => {
    const { guardOptions, tokenFor } = await bound(createTestIssuer({ roles: { editor: ['todos:*'] } }));
    const { changes: _, ...options } = guardOptions;
    const authorization = [`Bearer ${tokenFor({ roles: ['editor'] })}`];
    expect(await createGuard(options).check({ authorization }, { scope: 'todos:write' })).toMatchObject({
      granted: true,
    });
  });
});

describe('what happens to tokens that are out', () => {
  it('follows from the clock', async () => {
    const issuer = await createTestIssuer();
    const token = issuer.tokenFor({ lifetime: 900 });
    issuer.clock.forward(899);
    expect(await outcome(issuer, token)).toBe('granted');
    issuer.clock.forward(1);
    expect(await outcome(issuer, token)).toBe('token_expired');
    expect(await outcome(issuer, issuer.tokenFor())).toBe('granted');
    issuer.clock.forward(-1);
    expect(await outcome(issuer, token)).toBe('granted');
    expect(() => issuer.clock.forward(Number.NaN)).toThrow(TypeError);
  });

  it('follows from revocations', async () => {
    const issuer = await createTestIssuer();
    const token = (): string => issuer.tokenFor({ subject: 'ada', sessionId: 'laptop' });
    const first = token();
    issuer.revoke(first);
    const second = token();
    expect([await outcome(issuer, first), await outcome(issuer, second)]).toEqual(['token_revoked', 'granted']);
    issuer.endSession('laptop');
    expect(await outcome(issuer, second)).toBe('token_revoked');
    const third = token();
    issuer.revokeUser('ada');
    expect([await outcome(issuer, third), await outcome(issuer, token())]).toEqual(['token_revoked', 'granted']);
    expect(await outcome(issuer, issuer.tokenFor({ subject: 'bob' }))).toBe('granted');
  });

  it('follows from roles', async () => {
    const issuer = await createTestIssuer({ roles: { editor: ['todos:*'] } });
    const token = issuer.tokenFor({ subject: 'ada', roles: ['editor'] });
    issuer.setRoles('ada', ['admin']);
    expect(await outcome(issuer, token, { role: 'admin' })).toBe('granted');
    expect(await outcome(issuer, token, { role: 'editor' })).toBe('insufficient_role');
    issuer.setRoles('ada', ['editor']);
    issuer.defineRole('editor', ['todos:read']);
    expect(await outcome(issuer, token, { scope: 'todos:read' })).toBe('granted');
    expect(await outcome(issuer, token, { scope: 'todos:write' })).toBe('insufficient_scope');
    issuer.defineRole('editor', undefined);
    expect(await outcome(issuer, token, { role: 'editor' })).toBe('insufficient_role');
  });

  it('follows from keys', async () => {
    const issuer = await createTestIssuer();
    const first = issuer.tokenFor();
    await issuer.rotateKey();
    const second = issuer.tokenFor();
    expect([await outcome(issuer, first), await outcome(issuer, second)]).toEqual(['granted', 'granted']);
    await issuer.compromiseKey();
    expect([await outcome(issuer, first), await outcome(issuer, second)]).toEqual(['granted', 'token_invalid']);
    expect(await outcome(issuer, issuer.tokenFor())).toBe('granted');
  });

  it('is unknown while the issuer is down', async () => {
    const issuer = await createTestIssuer();
    const token = issuer.tokenFor();
    issuer.goDown();
    expect(await outcome(issuer, token)).toBe('temporarily_unavailable');
    issuer.comeBack();
    expect(await outcome(issuer, token)).toBe('granted');
  });
});

it.each(['HS256', 'RS256', 'EdDSA'] as const)('an issuer may sign with %s', async (algorithm) => {
  const issuer = await createTestIssuer({ algorithm });
  await issuer.rotateKey();
  expect(await outcome(issuer, issuer.tokenFor())).toBe('granted');
  expect(await outcome(issuer, issuer.tokenFor({ wrongKey: true }))).toBe('token_invalid');
});

/** An issuer whose functions stand alone. */
async function bound(made: Promise<TestIssuer>) {
  const issuer = await made;
  return { guardOptions: issuer.guardOptions, tokenFor: (wishes: TokenWishes) => issuer.tokenFor(wishes) };
}

import { expect, it } from 'vitest';
import { changeKinds } from '@sallyport/guard';
import { anAccessToken, forgedTokens, foreignTokens, inSeconds } from '../tokens.ts';
import type { ContractApp } from './contract-app.ts';

/** What becomes of good tokens, bad tokens, and of all tokens while something is down. */
export function describeTokens(app: ContractApp): void {
  it('hands the verified access to the handler', async () => {
    const answer = await app.sendToken('/me', anAccessToken({ sub: 'user-7' }));
    expect([answer.status, answer.body]).toEqual([200, { subject: 'user-7' }]);
    expect(app.handled.at(-1)).toMatchObject({ subject: 'user-7', roles: new Set(['user']) });
  });

  it('B3 tells expired from invalid, and nothing more', async () => {
    const expired = await app.refuseToken('/me', anAccessToken({ exp: inSeconds(-1) }));
    expect([expired.status, expired.body.detail]).toEqual([401, 'Token has expired']);
    expect(expired.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const invalid = await app.refuseToken('/me', 'garbage');
    expect([invalid.status, invalid.body.detail]).toEqual([401, 'Could not validate credentials']);
  });

  it('J24 B3 B6 refuses tokens that are forged or meant for something else, all with the same words', async () => {
    for (const [name, token] of Object.entries({ ...forgedTokens(), ...foreignTokens() })) {
      const answer = await app.refuseToken('/me', token);
      const { status, headers, body } = answer;
      expect({ name, status, detail: body.detail, challenge: headers.get('www-authenticate') }).toEqual({
        name,
        status: 401,
        detail: 'Could not validate credentials',
        challenge: 'Bearer realm="todos", error="invalid_token", error_description="Could not validate credentials"',
      });
    }
  });

  it('J32 grants nothing for __proto__ and constructor', async () => {
    const claims: unknown = JSON.parse('{"__proto__":{"roles":["admin"]},"constructor":{"roles":["admin"]}}');
    const token = anAccessToken(Object.fromEntries(Object.entries(claims ?? {})));
    expect((await app.refuseToken('/admin', token)).status).toBe(403);
  });

  it('B9 answers 503 while the keys cannot be fetched', async () => {
    const answer = await app.with('deaf', () => app.refuseToken('/me', anAccessToken()));
    expect([answer.status, answer.body.code]).toEqual([503, 'temporarily_unavailable']);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  it('B9 answers 503 while the changes cannot be read', async () => {
    const answer = await app.with('cutOff', () => app.refuseToken('/me', anAccessToken()));
    expect([answer.status, answer.body.code]).toEqual([503, 'temporarily_unavailable']);
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
  });

  it.each(['faulty', 'throwing'] as const)(
    'B9 answers 500 when the guard itself is %s, and never passes',
    async (name) => {
      const answer = await app.with(name, () => app.refuseToken('/me', anAccessToken()));
      expect(answer.status).toBe(500);
    },
  );

  it('S8 S9 follows revocations and role changes from the next request on', async () => {
    const token = anAccessToken({ sub: 'live-user', sid: 'live-session', roles: ['admin'], af: app.log.head });
    await app.with('live', async () => {
      expect((await app.sendToken('/admin', token)).status).toBe(200);
      app.log.append({ kind: changeKinds.userOverride, key: 'live-user', data: { roles: ['user'] } });
      expect((await app.refuseToken('/admin', token)).status).toBe(403);
      expect((await app.sendToken('/todos', token)).status).toBe(200);
      app.log.append({ kind: changeKinds.sessionDead, key: 'live-session' });
      const answer = await app.refuseToken('/todos', token);
      expect([answer.status, answer.body.detail]).toEqual([401, 'Token has been revoked']);
    });
  });
}

/** Strangers, where a route lets them in. */
export function describeStrangers(app: ContractApp): void {
  it('lets anybody into an optional route, but nobody with a bad token', async () => {
    expect((await app.send('/greeting')).body).toEqual({});
    expect(app.handled.at(-1)).toBeUndefined();
    expect((await app.sendToken('/greeting', anAccessToken())).body).toEqual({ subject: 'user-1' });
    expect((await app.refuseToken('/greeting', 'garbage')).status).toBe(401);
  });

  it('B9 are not let in by a guard that is broken', async () => {
    for (const name of ['faulty', 'throwing'] as const) {
      expect((await app.with(name, () => app.refuse('/greeting'))).status).toBe(500);
    }
  });
}

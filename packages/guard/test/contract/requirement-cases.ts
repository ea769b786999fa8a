import { expect, it } from 'vitest';
import { anAccessToken, inSeconds } from '../tokens.ts';
import type { ContractApp } from './contract-app.ts';

/** What routes ask of callers. */
export function describeRequirements(app: ContractApp): void {
  it('B3 answers 403 insufficient_scope, and names the scopes', async () => {
    const answer = await app.refuseToken('/todos', anAccessToken(), { method: 'POST' });
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    const challenge = answer.headers.get('www-authenticate');
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="todos:read todos:write"');
    const writer = await app.sendToken('/todos', anAccessToken({ scope: 'todos:*' }), { method: 'POST' });
    expect(writer.status).toBe(200);
  });

  it('B3 answers 403 for a missing role', async () => {
    const answer = await app.refuseToken('/admin', anAccessToken({ scope: '*' }));
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_role']);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    expect((await app.sendToken('/admin', anAccessToken({ roles: ['admin'] }))).status).toBe(200);
  });

  it.each(['adminx', 'admin-read', 'admin,user', 'ADMIN'])('B12 does not take the role %s for admin', async (role) => {
    expect((await app.refuseToken('/admin', anAccessToken({ roles: [role] }))).status).toBe(403);
  });

  it('tells a client that its user must sign in again', async () => {
    const answer = await app.refuseToken('/fresh', anAccessToken({ auth_time: inSeconds(-3600) }));
    expect(answer).toMatchObject({ status: 401, body: { code: 'reauthentication_required', max_age: 300 } });
    const challenge = answer.headers.get('www-authenticate');
    expect(challenge).toContain('error="insufficient_user_authentication"');
    expect(challenge).toContain('max_age="300"');
    expect((await app.refuseToken('/fresh', anAccessToken())).status).toBe(401);
    expect((await app.sendToken('/fresh', anAccessToken({ auth_time: inSeconds(-60) }))).status).toBe(200);
  });

  it('gives a policy what the framework gives its handlers', async () => {
    expect((await app.sendToken('/own/user-1', anAccessToken())).status).toBe(200);
    const answer = await app.refuseToken('/own/user-2', anAccessToken());
    expect([answer.status, answer.body.code]).toEqual([403, 'policy_refused']);
  });
}

/** What handlers ask of callers. */
export function describeDemands(app: ContractApp): void {
  it('answers what a handler demands with its status and challenge', async () => {
    const answer = await app.sendToken('/demanding', anAccessToken());
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    expect((await app.sendToken('/demanding', anAccessToken({ roles: ['admin'] }))).status).toBe(200);
  });
}

import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type Access,
  createGuard,
  type Guard,
  type GuardOptions,
  type Refusal,
  type Requirement,
} from '@sallyport/guard';
import { createTestIssuer, type TestIssuer, type TokenWishes } from '@sallyport/guard/testing';
import { aCaller } from './callers.ts';
import { until } from './until.ts';

/** Something long-lived: what was granted, what was lost, and how often. */
async function aWatch(
  { issuer, guard = createGuard(issuer.guardOptions) }: { issuer: TestIssuer; guard?: Guard },
  wishes: TokenWishes = {},
  requirement: Requirement = {},
) {
  const access = await granted(guard, issuer.tokenFor({ subject: 'ada', ...wishes }), requirement);
  const losses: Refusal[] = [];
  const watch = guard.watch(access, (refusal) => losses.push(refusal), requirement);
  return { watch, losses, codes: () => losses.map(({ body }) => body.code) };
}

async function granted(guard: Guard, token: string, requirement: Requirement = {}): Promise<Access> {
  const verdict = await guard.check({ authorization: [`Bearer ${token}`] }, requirement);
  if (!verdict.granted || verdict.access === undefined) throw new Error('nothing was granted');
  return verdict.access;
}

/** Long enough for several looks. */
const severalLooks = (): Promise<void> => pause(200);

describe('an access that is watched', () => {
  it('is lost when its token expires', async () => {
    const issuer = await createTestIssuer();
    const { watch, codes } = await aWatch({ issuer });
    await severalLooks();
    expect([codes(), watch.lost]).toEqual([[], undefined]);
    issuer.clock.forward(900);
    await until('the access is lost', () => codes().length > 0);
    expect(codes()).toEqual(['token_expired']);
    expect(watch.lost).toMatchObject({ status: 401, body: { code: 'token_expired' } });
  });

  it('is lost by expiry alone, where the guard knows nothing else', async () => {
    const issuer = await createTestIssuer();
    const { changes: _, ...options } = issuer.guardOptions;
    const started = performance.now();
    const { codes } = await aWatch({ issuer, guard: createGuard(options) }, { lifetime: 2 });
    await until('the access is lost', () => codes().length > 0);
    expect(codes()).toEqual(['token_expired']);
    // Not before it has.
    expect(performance.now() - started).toBeGreaterThan(500);
  });

  it.each<[string, (issuer: TestIssuer) => void, string]>([
    ['its session ends', (issuer) => issuer.endSession('laptop'), 'token_revoked'],
    ['its user is disabled', (issuer) => issuer.revokeUser('ada'), 'token_revoked'],
    ['its right is taken away', (issuer) => issuer.setRoles('ada', ['guest']), 'insufficient_role'],
    ['its role grants less', (issuer) => issuer.defineRole('editor', ['todos:read']), 'insufficient_scope'],
    ['its signing key is compromised', (issuer) => void issuer.compromiseKey(), 'token_invalid'],
    ['nothing can be known any more', (issuer) => issuer.goDown(), 'temporarily_unavailable'],
  ])('is lost when %s', async (_, happen, code) => {
    const issuer = await createTestIssuer({ roles: { editor: ['todos:*'], guest: [] } });
    const requirement = { role: 'editor', scope: 'todos:write' };
    const { codes } = await aWatch({ issuer }, { roles: ['editor'], sessionId: 'laptop' }, requirement);
    await severalLooks();
    expect(codes()).toEqual([]);
    happen(issuer);
    await until('the access is lost', () => codes().length > 0);
    await severalLooks();
    expect(codes()).toEqual([code]);
  });

  it('is lost at once when that had happened before it was watched', async () => {
    const issuer = await createTestIssuer();
    const guard = createGuard(issuer.guardOptions);
    const access = await granted(guard, issuer.tokenFor({ sessionId: 'laptop' }));
    issuer.endSession('laptop');
    const losses: string[] = [];
    guard.watch(access, ({ body }) => losses.push(body.code));
    await until('the access is lost', () => losses.length > 0);
    expect(losses).toEqual(['token_revoked']);
  });

  it('shows the rights that hold at the moment', async () => {
    const issuer = await createTestIssuer({ roles: { editor: ['todos:*'], reader: ['todos:read'] } });
    const { watch } = await aWatch({ issuer }, { roles: ['editor'] });
    issuer.setRoles('ada', ['reader']);
    await until('the rights are known', () => watch.access.hasRole('reader'));
    expect([...watch.access.scopes]).toEqual(['todos:read']);
  });

  it('is asked about by whoever revokes tokens on their own', async () => {
    const issuer = await createTestIssuer();
    const { changes: _, ...options } = issuer.guardOptions;
    let isRevoked = false;
    const guard = createGuard({ ...options, isRevoked: async () => isRevoked });
    const { codes } = await aWatch({ issuer, guard });
    await severalLooks();
    isRevoked = true;
    await until('the access is lost', () => codes().length > 0);
    expect(codes()).toEqual(['token_revoked']);
  });

  it('is lost when a policy says no, and when it breaks', async () => {
    const issuer = await createTestIssuer();
    let answer = (): boolean => true;
    const { codes } = await aWatch({ issuer }, {}, { policy: () => answer() });
    const { codes: alsoCodes } = await aWatch({ issuer }, {}, { policy: async () => answer() });
    await severalLooks();
    expect([...codes(), ...alsoCodes()]).toEqual([]);
    answer = () => {
      throw new Error('the database does not answer');
    };
    await until('both are lost', () => codes().length > 0 && alsoCodes().length > 0);
    expect([...codes(), ...alsoCodes()]).toEqual(['temporarily_unavailable', 'temporarily_unavailable']);
  });

  it('is heard of no more once the watch is stopped', async () => {
    const issuer = await createTestIssuer();
    const { watch, losses } = await aWatch({ issuer }, { sessionId: 'laptop' });
    watch.stop();
    issuer.endSession('laptop');
    await severalLooks();
    expect(losses).toEqual([]);
    await expect(watch.renew(issuer.tokenFor())).rejects.toThrow(TypeError);
  });

  it('does not take the others with it, when whoever hears of its loss breaks', async () => {
    const issuer = await createTestIssuer();
    const guard = createGuard(issuer.guardOptions);
    const access = await granted(guard, issuer.tokenFor({ subject: 'ada' }));
    guard.watch(access, () => {
      throw new Error('nobody caught this');
    });
    const { codes } = await aWatch({ issuer, guard });
    issuer.revokeUser('ada');
    await until('the access is lost', () => codes().length > 0);
    expect(codes()).toEqual(['token_revoked']);
  });

  it('must be one of a guard', async () => {
    const issuer = await createTestIssuer();
    const guard = createGuard(issuer.guardOptions);
    const { ...copied } = await granted(guard, issuer.tokenFor());
    expect(() => guard.watch(Object(copied), () => undefined)).toThrow(TypeError);
    expect(() => guard.watch(aCaller(), () => undefined, Object({ scopes: 'a' }))).toThrow(TypeError);
  });
});

describe('another token of the same caller', () => {
  const options = (issuer: TestIssuer): GuardOptions => issuer.guardOptions;

  it('keeps the access when the first expires', async () => {
    const issuer = await createTestIssuer();
    const { watch, codes } = await aWatch({ issuer }, { lifetime: 900 });
    issuer.clock.forward(800);
    expect(await watch.renew(issuer.tokenFor({ subject: 'ada', lifetime: 900 }))).toBeUndefined();
    issuer.clock.forward(200);
    await severalLooks();
    expect(codes()).toEqual([]);
    issuer.clock.forward(900);
    await until('the access is lost', () => codes().length > 0);
    expect(codes()).toEqual(['token_expired']);
  });

  it.each<[string, TokenWishes, string]>([
    ['of somebody else', { subject: 'eve' }, 'token_invalid'],
    ['that has expired', { expired: true }, 'token_expired'],
    ['that is forged', { wrongKey: true }, 'token_invalid'],
    ['that was revoked', { revoked: true }, 'token_revoked'],
    ['with too little right', { roles: ['guest'] }, 'insufficient_role'],
  ])('%s changes nothing', async (_, wishes, code) => {
    const issuer = await createTestIssuer();
    const { watch, losses } = await aWatch({ issuer }, { roles: ['editor'] }, { role: 'editor' });
    const before = watch.access.tokenId;
    const refusal = await watch.renew(issuer.tokenFor({ subject: 'ada', roles: ['editor'], ...wishes }));
    expect(refusal?.body.code).toBe(code);
    expect([watch.access.tokenId, losses]).toEqual([before, []]);
  });

  it('comes too late for an access that is lost', async () => {
    const issuer = await createTestIssuer();
    const { watch, codes } = await aWatch({ issuer }, { sessionId: 'laptop' });
    issuer.endSession('laptop');
    await until('the access is lost', () => codes().length > 0);
    expect(await watch.renew(issuer.tokenFor({ subject: 'ada' }))).toMatchObject({ body: { code: 'token_revoked' } });
    expect(codes()).toEqual(['token_revoked']);
  });

  it('is verified with the guard that watches', async () => {
    const [issuer, other] = [await createTestIssuer(), await createTestIssuer()];
    const { watch } = await aWatch({ issuer, guard: createGuard(options(issuer)) });
    expect(await watch.renew(other.tokenFor({ subject: 'ada' }))).toMatchObject({ body: { code: 'token_invalid' } });
    expect(await watch.renew('')).toMatchObject({ status: 401 });
  });
});

describe('many watches', () => {
  it('are each told once, and leave nothing behind', async () => {
    const issuer = await createTestIssuer();
    const guard = createGuard(issuer.guardOptions);
    const watches = await Promise.all(
      Array.from({ length: 200 }, (_, index) => aWatch({ issuer, guard }, { subject: `user-${index % 2}` })),
    );
    issuer.revokeUser('user-1');
    await until('half of them are lost', () => watches.filter(({ losses }) => losses.length > 0).length === 100);
    await severalLooks();
    expect(watches.map(({ losses }) => losses.length)).toEqual(watches.map((_, index) => index % 2));
    for (const { watch } of watches) watch.stop();
  });
});

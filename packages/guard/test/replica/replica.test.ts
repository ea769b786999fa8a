import { describe, expect, it } from 'vitest';
import { type ChangeSource, changeKinds } from '@sallyport/guard';
import type { AccessTokenClaims } from '@sallyport/jwt';
import type { AccessToken } from '../../src/replica/knowledge.ts';
import { Replica } from '../../src/replica/replica.ts';
import { ChangesUnavailableError } from '../../src/replica/truth.ts';
import { ChangeLog } from '../change-log.ts';

const noon = 1_800_000_000;

function aToken(claims: Partial<AccessTokenClaims> = {}, keyId = 'key-1'): AccessToken {
  return {
    header: { alg: 'ES256', kid: keyId },
    claims: { iss: 'i', sub: 'user-1', aud: 'a', exp: noon + 900, iat: noon, af: 0, ...claims },
  };
}

/** A replica of a log, with a clock the test turns. */
function aReplica(log: ChangeLog = new ChangeLog()) {
  const clock = { seconds: noon };
  const replica = new Replica({ source: log, now: () => new Date(clock.seconds * 1000) });
  const verdictOn = async (token: AccessToken): Promise<string> => {
    await replica.refresh();
    return replica.findRevocation(token) ?? 'live';
  };
  const rolesOf = async (claims: Partial<AccessTokenClaims>): Promise<string[]> => {
    await replica.refresh();
    return [...replica.rightsOf(aToken(claims).claims).roles];
  };
  return { log, clock, replica, verdictOn, rolesOf };
}

const defineRoles = (log: ChangeLog, ...names: string[]): void => {
  for (const name of names) {
    log.append({ kind: changeKinds.roleDefinition, key: name, data: { scopes: [`${name}:use`] } });
  }
};

describe('what ends a token', () => {
  const cases = [
    ['its session', { kind: changeKinds.sessionDead, key: 'session-1' }, { sid: 'session-1' }, { sid: 'session-2' }],
    ['its user', { kind: changeKinds.userFloor, key: 'user-1' }, { sub: 'user-1' }, { sub: 'user-2' }],
    ['its organisation', { kind: changeKinds.organisationFloor, key: 'org-1' }, { o: 'org-1' }, { o: 'org-2' }],
    ['its client', { kind: changeKinds.clientFloor, key: 'web' }, { client_id: 'web' }, { client_id: 'app' }],
    ['itself', { kind: changeKinds.tokenDead, key: 'token-1' }, { jti: 'token-1' }, { jti: 'token-2' }],
  ] as const;

  it.each(cases)('%s', async (_, change, concerned, unconcerned) => {
    const { log, verdictOn } = aReplica();
    expect(await verdictOn(aToken(concerned))).toBe('live');
    log.append(change);
    expect(await verdictOn(aToken(concerned))).toBe('token_revoked');
    expect(await verdictOn(aToken(unconcerned))).toBe('live');
  });

  it('a floor for everybody', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.globalFloor });
    expect(await verdictOn(aToken())).toBe('token_revoked');
    expect(await verdictOn(aToken({ af: 1 }))).toBe('live');
  });

  it('a change concerns tokens issued before it only: af < sequence', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.clientFloor, key: 'other' });
    const sequence = log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    log.append({ kind: changeKinds.clientFloor, key: 'other' });
    expect(await verdictOn(aToken({ af: sequence - 1 }))).toBe('token_revoked');
    expect(await verdictOn(aToken({ af: sequence }))).toBe('live');
    expect(await verdictOn(aToken({ af: sequence + 1 }))).toBe('live');
  });

  it('a token that does not say when it was issued is older than every change', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    const { af: _, ...claims } = aToken().claims;
    expect(await verdictOn({ header: { alg: 'ES256' }, claims })).toBe('token_revoked');
  });

  it('a token from beyond the head of the log cannot outrun a change', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    expect(await verdictOn(aToken({ af: Number.MAX_SAFE_INTEGER }))).toBe('token_revoked');
  });

  it('K3 a dead key, whatever position and time its holder writes', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.keyDead, key: 'key-1' });
    expect(await verdictOn(aToken({ af: 1, iat: noon + 60 }))).toBe('token_invalid');
    expect(await verdictOn(aToken({ af: 1 }, 'key-2'))).toBe('live');
  });
});

describe('S9 rights as they are now', () => {
  it('reads scopes from the role map, and follows it', async () => {
    const { log, replica, rolesOf } = aReplica();
    defineRoles(log, 'user');
    expect(await rolesOf({ roles: ['user', 'ghost'] })).toEqual(['user']);
    expect(replica.rightsOf(aToken({ roles: ['user'] }).claims).scopes).toEqual(new Set(['user:use']));
    log.append({ kind: changeKinds.roleDefinition, key: 'user', data: { scopes: ['todos:read'] } });
    await replica.refresh();
    expect(replica.rightsOf(aToken({ roles: ['user'] }).claims).scopes).toEqual(new Set(['todos:read']));
    log.append({ kind: changeKinds.roleDefinition, key: 'user', data: null });
    expect(await rolesOf({ roles: ['user'] })).toEqual([]);
  });

  it('prefers the newest override to the roles of tokens issued before it', async () => {
    const { log, rolesOf } = aReplica();
    defineRoles(log, 'admin', 'user');
    const promotion = log.append({ kind: changeKinds.userOverride, key: 'user-1', data: { roles: ['user', 'admin'] } });
    const demotion = log.append({ kind: changeKinds.userOverride, key: 'user-1', data: { roles: ['user'] } });
    expect(await rolesOf({ roles: ['admin'], af: 0 })).toEqual(['user']);
    expect(await rolesOf({ roles: ['admin'], af: promotion })).toEqual(['user']);
    expect(await rolesOf({ roles: ['admin'], af: demotion })).toEqual(['admin']);
    expect(await rolesOf({ roles: ['admin'], sub: 'user-2' })).toEqual(['admin']);
  });

  it.each([undefined, null, 'admin', 7, [], { roles: 'admin' }, { roles: [1] }, Object.create({ roles: ['admin'] })])(
    'grants nothing for an override it cannot read: %j',
    async (data) => {
      const { log, rolesOf } = aReplica();
      defineRoles(log, 'admin');
      log.append({ kind: changeKinds.userOverride, key: 'user-1', data });
      expect(await rolesOf({ roles: ['admin'] })).toEqual([]);
    },
  );
});

describe('reading the log', () => {
  it('begins at 0 and then asks only for what is new', async () => {
    const { log, replica } = aReplica();
    log.append({ kind: changeKinds.globalFloor });
    await replica.refresh();
    log.append({ kind: changeKinds.globalFloor });
    await replica.refresh();
    await replica.refresh();
    expect(log.reads).toEqual([0, 1, 2]);
  });

  it('sees a change made while another read was under way', async () => {
    const log = new ChangeLog();
    const gate = { open: (): void => {} };
    const slow: ChangeSource = {
      readSince: async (cursor) => {
        const batch = await log.readSince(cursor);
        await new Promise<void>((resolve) => {
          gate.open = resolve;
        });
        return batch;
      },
    };
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const replica = new Replica({ source: slow, now: () => new Date(noon * 1000) });
    const early = replica.refresh();
    await turn();
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    const late = replica.refresh();
    gate.open();
    await early;
    expect(replica.findRevocation(aToken())).toBeUndefined();
    await turn();
    gate.open();
    await late;
    expect(replica.findRevocation(aToken())).toBe('token_revoked');
  });

  it('says so while the source is down, and recovers without a restart', async () => {
    const { log, replica, verdictOn } = aReplica();
    await replica.refresh();
    log.isDown = true;
    await expect(replica.refresh()).rejects.toThrow(ChangesUnavailableError);
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    log.isDown = false;
    expect(await verdictOn(aToken())).toBe('token_revoked');
  });

  it('gives up on a read that does not end, and drops its late answer', async () => {
    const replica = new Replica({
      source: { readSince: () => new Promise(() => {}) },
      now: () => new Date(),
      timeout: 5,
    });
    await expect(replica.refresh()).rejects.toThrow(ChangesUnavailableError);
    await expect(replica.refresh()).rejects.toMatchObject({ cause: { message: 'no answer within 5 ms' } });
  });

  it('stops at a critical change of an unknown kind, and skips another', async () => {
    const { log, replica } = aReplica();
    log.append({ kind: 77, key: 'x', critical: false });
    await replica.refresh();
    log.append({ kind: 78, key: 'x', critical: true });
    await expect(replica.refresh()).rejects.toThrow(/Change 2 is of kind 78.*upgrade/);
    await expect(replica.refresh()).rejects.toThrow(ChangesUnavailableError);
  });

  it('sweeps expired changes after a margin of 60 s', async () => {
    const { log, clock, verdictOn } = aReplica();
    log.append({ kind: changeKinds.userFloor, key: 'user-1', expiresAt: noon + 900 });
    expect(await verdictOn(aToken())).toBe('token_revoked');
    clock.seconds = noon + 960;
    expect(await verdictOn(aToken())).toBe('token_revoked');
    clock.seconds = noon + 1021;
    expect(await verdictOn(aToken())).toBe('live');
  });

  it('revives nothing when the clock jumps ahead and back', async () => {
    const { log, clock, verdictOn } = aReplica();
    log.append({ kind: changeKinds.userFloor, key: 'user-1', expiresAt: noon + 900 });
    clock.seconds = noon + 86_400;
    expect(await verdictOn(aToken())).toBe('live');
    clock.seconds = noon;
    expect(await verdictOn(aToken())).toBe('token_revoked');
    expect(await verdictOn(aToken())).toBe('token_revoked');
    expect(log.reads).toEqual([0, 0, 1]);
  });
});

describe('another incarnation of the log', () => {
  it('never takes back a revocation the restored log has forgotten', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.userFloor, key: 'user-2' });
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    expect(await verdictOn(aToken())).toBe('token_revoked');
    log.restore(1);
    expect(await verdictOn(aToken())).toBe('token_revoked');
    expect(log.reads).toEqual([0, 2, 0]);
  });

  it('notices a restore by the incarnation, although the head has passed the cursor since', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.clientFloor, key: 'other' });
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    await verdictOn(aToken());
    log.restore(0);
    log.append({ kind: changeKinds.userFloor, key: 'user-2' });
    for (let change = 0; change < 5; change += 1) log.append({ kind: changeKinds.clientFloor, key: 'other' });
    expect(await verdictOn(aToken({ sub: 'user-2' }))).toBe('token_revoked');
    expect(await verdictOn(aToken())).toBe('token_revoked');
    expect(log.reads).toEqual([0, 2, 0, 6]);
  });

  it('notices a restore by a head that went back, too', async () => {
    const { log, verdictOn } = aReplica();
    log.append({ kind: changeKinds.globalFloor });
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    await verdictOn(aToken());
    log.restore(1, 'first');
    expect(await verdictOn(aToken({ af: 1 }))).toBe('token_revoked');
    expect(log.reads).toEqual([0, 2, 0]);
  });

  it('lets in whoever signs in afterwards, although the new sequences are lower', async () => {
    const { log, clock, verdictOn } = aReplica();
    for (let change = 0; change < 10; change += 1) log.append({ kind: changeKinds.globalFloor });
    await verdictOn(aToken());
    log.restore(0);
    clock.seconds += 10;
    await verdictOn(aToken());
    expect(await verdictOn(aToken({ af: 0, iat: clock.seconds + 1 }))).toBe('live');
    expect(await verdictOn(aToken({ af: 0, iat: clock.seconds }))).toBe('token_revoked');
  });

  it('forgets nothing when the log fails while it is read anew', async () => {
    const log = new ChangeLog();
    const source: ChangeSource = {
      readSince: (cursor) => {
        if (cursor === 0 && log.reads.length === 2) log.isDown = true;
        return log.readSince(cursor);
      },
    };
    const replica = new Replica({ source, now: () => new Date(noon * 1000) });
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    await replica.refresh();
    log.restore(0);
    await expect(replica.refresh()).rejects.toThrow(ChangesUnavailableError);
    expect(replica.findRevocation(aToken())).toBe('token_revoked');
    log.isDown = false;
    await replica.refresh();
    expect(replica.findRevocation(aToken())).toBe('token_revoked');
    expect(log.reads).toEqual([0, 1, 0, 1, 0]);
  });

  it('sweeps what the former history said, too', async () => {
    const { log, clock, verdictOn } = aReplica();
    log.append({ kind: changeKinds.userFloor, key: 'user-1', expiresAt: noon + 900 });
    await verdictOn(aToken());
    log.restore(0);
    expect(await verdictOn(aToken())).toBe('token_revoked');
    clock.seconds = noon + 1021;
    expect(await verdictOn(aToken())).toBe('live');
  });

  it('stays stopped by a critical change the restored log has forgotten', async () => {
    const { log, replica } = aReplica();
    log.append({ kind: 77, key: 'x', critical: true });
    await expect(replica.refresh()).rejects.toThrow(ChangesUnavailableError);
    log.restore(0);
    await expect(replica.refresh()).rejects.toThrow(/kind 77/);
  });

  it('keeps dead keys dead for ever', async () => {
    const { log, clock, verdictOn } = aReplica();
    log.append({ kind: changeKinds.keyDead, key: 'key-1' });
    await verdictOn(aToken());
    log.restore(0);
    await verdictOn(aToken());
    log.restore(0);
    clock.seconds += 86_400;
    expect(await verdictOn(aToken({ iat: clock.seconds + 60 }))).toBe('token_invalid');
  });

  it('takes roles from the restored log, and demotions from both', async () => {
    const { log, rolesOf } = aReplica();
    defineRoles(log, 'user', 'admin');
    log.append({ kind: changeKinds.userOverride, key: 'user-1', data: { roles: ['user'] } });
    log.append({ kind: changeKinds.roleDefinition, key: 'auditor', data: { scopes: ['*'] } });
    expect(await rolesOf({ roles: ['admin'], af: 2 })).toEqual(['user']);
    log.restore(2);
    expect(await rolesOf({ roles: ['admin'], af: 2 })).toEqual(['user']);
    expect(await rolesOf({ roles: ['auditor'], sub: 'user-2' })).toEqual([]);
  });

  it('hits tokens of the lost history by changes of the new one', async () => {
    const { log, verdictOn } = aReplica();
    for (let change = 0; change < 10; change += 1) log.append({ kind: changeKinds.clientFloor, key: 'other' });
    await verdictOn(aToken());
    log.restore(1);
    log.append({ kind: changeKinds.userFloor, key: 'user-1' });
    expect(await verdictOn(aToken({ af: 9 }))).toBe('token_revoked');
  });
});

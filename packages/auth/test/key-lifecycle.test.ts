import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyAccessToken } from '@sallyport/jwt';
import { describe, expect, it } from 'vitest';
import type { Auth } from '../src/auth.ts';
import { changeKinds } from '../src/changes/change.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { aClock, anAuth, issuer, password, type TestClock } from './auth-fixture.ts';

const day = 86_400;
const aFile = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'sallyport-keys-')), 'keys.db');

const stagesOf = async (auth: Auth): Promise<Record<string, string>> =>
  Object.fromEntries((await auth.keys.list()).map(({ keyId, stage }) => [keyId, stage]));

async function verify(auth: Auth, clock: TestClock, token: string): Promise<string | undefined> {
  const options = { keys: auth.keys.source, issuer, audience: issuer, now: clock() };
  return (await verifyAccessToken(token, options)).header.kid;
}

describe('a key that somebody else may have', () => {
  it('K3: is dead at once, in every process, for what it signed and will sign', async () => {
    const file = await aFile();
    const [one, other] = [await anAuth({}, sqlite(file)), await anAuth({}, sqlite(file))];
    const { id } = await one.auth.users.register({ username: 'ada', password });
    const stolen = await one.auth.tokens.issue(id);
    const [key] = await one.auth.keys.list();
    const keyId = key?.keyId ?? '';
    expect((await other.auth.introspect(stolen.accessToken)).active).toBe(true);

    expect(await one.auth.keys.revoke(keyId)).toMatchObject({ keyId, stage: 'compromised' });
    for (const { auth, clock } of [one, other]) {
      expect(await auth.introspect(stolen.accessToken)).toEqual({ active: false });
      clock.forward(2);
      expect((await auth.keys.publicJwkSet()).keys.map(({ kid }) => kid)).not.toContain(keyId);
      const renewed = await auth.refresh(stolen);
      expect(await verify(auth, one.clock, renewed.accessToken)).not.toBe(keyId);
      expect((await auth.introspect(renewed.accessToken)).active).toBe(true);
    }
    const { changes } = await one.auth.changes.readSince(2);
    expect(changes).toMatchObject([{ kind: changeKinds.keyDead, key: keyId, critical: true, expiresAt: undefined }]);
    expect(one.events.filter(({ type }) => type.startsWith('key_')).map(({ type }) => type)).toEqual([
      'key_created',
      'key_revoked',
      'key_created',
    ]);
    await Promise.all([one.auth.close(), other.auth.close()]);
  });

  it('K3: loses its private half, and stays in the list', async () => {
    const store = sqlite(':memory:');
    const { auth, clock } = await anAuth({}, store);
    const [key] = await auth.keys.list();
    await auth.keys.revoke(key?.keyId ?? '');
    expect((await store.keys.list()).map((each) => each.encryptedPrivateKey === undefined)).toEqual([true, false]);
    clock.forward(10 * day);
    await auth.upkeep();
    expect(Object.values(await stagesOf(auth))).toEqual(['compromised', 'current']);
    await auth.close();
  });

  it('K3: is not replaced when it does not sign, and is not revoked twice', async () => {
    const { auth, clock, events } = await anAuth();
    const [first] = await auth.keys.list();
    const waiting = await auth.keys.rotate();
    await auth.keys.revoke(waiting.keyId);
    expect(await stagesOf(auth)).toEqual({ [first?.keyId ?? '']: 'current', [waiting.keyId]: 'compromised' });
    clock.forward(3600);
    expect(await stagesOf(auth)).toEqual({ [first?.keyId ?? '']: 'current', [waiting.keyId]: 'compromised' });
    const { head } = await auth.changes.readSince(0);
    expect(await auth.keys.revoke(waiting.keyId)).toMatchObject({ stage: 'compromised' });
    expect((await auth.changes.readSince(0)).head).toBe(head);
    expect(events.filter(({ type }) => type === 'key_created')).toHaveLength(2);
    await auth.close();
  });

  it('K3: gets one successor, however many revoke it at once, and is not followed by the key before it', async () => {
    const file = await aFile();
    const fixtures = [await anAuth({}, sqlite(file)), await anAuth({}, sqlite(file))] as const;
    const [{ auth, clock }, other] = fixtures;
    const [oldest] = await auth.keys.list();
    const { keyId } = await auth.keys.rotate();
    for (const each of fixtures) each.clock.forward(700);
    await Promise.all([auth.keys.revoke(keyId), other.auth.keys.revoke(keyId)]);
    const stages = await stagesOf(auth);
    expect(Object.values(stages).toSorted()).toEqual(['compromised', 'current', 'retired']);
    expect(stages).toMatchObject({ [oldest?.keyId ?? '']: 'retired', [keyId]: 'compromised' });
    expect((await auth.keys.signingKey()).keyId).toBe((await other.auth.keys.signingKey()).keyId);
    expect(clock()).toEqual(other.clock());
    await Promise.all(fixtures.map((each) => each.auth.close()));
  });

  it('is refused when nobody knows it, or when it is the secret', async () => {
    const { auth } = await anAuth();
    await expect(auth.keys.revoke('nobody')).rejects.toMatchObject({ code: 'key_not_found' });
    await auth.close();
    const hmac = await anAuth({ algorithm: 'HS256' });
    await expect(hmac.auth.keys.revoke('any')).rejects.toMatchObject({ code: 'value_invalid' });
    await hmac.auth.close();
  });
});

describe('keys of age', () => {
  it('K2: are followed by one key, elected in the database, and no good token is refused', async () => {
    const file = await aFile();
    const config = { signingKeys: { rotateAfter: 30 * day } };
    const fixtures = [
      await anAuth(config, sqlite(file)),
      await anAuth(config, sqlite(file)),
      await anAuth(config, sqlite(file)),
    ];
    const [first] = fixtures;
    if (first === undefined) throw new Error('no engine');
    const { id } = await first.auth.users.register({ username: 'ada', password });
    const forward = (seconds: number): void => fixtures.forEach(({ clock }) => clock.forward(seconds));

    forward(30 * day - 1);
    await Promise.all(fixtures.map(({ auth }) => auth.upkeep()));
    expect(await first.auth.keys.list()).toHaveLength(1);
    forward(1);
    await Promise.all(fixtures.map(({ auth }) => auth.upkeep()));
    expect(Object.values(await stagesOf(first.auth))).toEqual(['current', 'next']);
    const tokens: { token: string; until: number }[] = [];
    for (let passed = 0; passed < 2400; passed += 120) {
      for (const { auth, clock } of fixtures) {
        tokens.push({ token: (await auth.tokens.issue(id)).accessToken, until: passed + 900 });
        const good = tokens.filter(({ until }) => until > passed);
        for (const { token } of good) expect(await verify(auth, clock, token)).toBeDefined();
        await auth.upkeep();
      }
      forward(120);
    }
    expect(Object.values(await stagesOf(first.auth))).toEqual(['current']);
    await Promise.all(fixtures.map(({ auth }) => auth.close()));
  });

  it('are deleted two days after the last token they signed has expired, and not because of another algorithm', async () => {
    const store = sqlite(':memory:');
    const { auth, clock } = await anAuth({}, store);
    await auth.keys.rotate();
    clock.forward(600 + 960 + 2 * day);
    await auth.upkeep();
    expect(await store.keys.list()).toHaveLength(2);
    clock.forward(1);
    await auth.upkeep();
    expect(await store.keys.list()).toHaveLength(1);
    await auth.close();
    const file = await aFile();
    await (await anAuth({}, sqlite(file))).auth.close();
    const later = aClock('2026-02-01T00:00:00Z');
    const edwards = await anAuth({ algorithm: 'EdDSA', clock: later }, sqlite(file));
    await edwards.auth.ready();
    later.forward(10 * day);
    await edwards.auth.upkeep();
    const fileStore = sqlite(file);
    expect(await fileStore.keys.list()).toHaveLength(2);
    await Promise.all([edwards.auth.close(), fileStore.close()]);
  });
});

describe('another secret', () => {
  const [old, fresh] = ['the secret of before, with thirty-two bytes', 'the secret of today, with thirty-two bytes'];

  it('K7: takes over signing keys, access tokens and refresh tokens from the one before', async () => {
    const file = await aFile();
    const before = await anAuth({ secretKey: old }, sqlite(file));
    const { id } = await before.auth.users.register({ username: 'ada', password });
    const [used, unused] = [await before.auth.tokens.issue(id), await before.auth.tokens.issue(id)];
    await before.auth.close();

    const both = await anAuth({ secretKey: fresh, previousSecretKey: old }, sqlite(file));
    expect((await both.auth.introspect(used.accessToken)).active).toBe(true);
    expect((await both.auth.introspect(used.refreshToken)).active).toBe(true);
    const next = await both.auth.refresh(used);
    expect((await both.auth.refresh(used)).refreshToken).toBe(next.refreshToken);
    await both.auth.close();

    const after = await anAuth({ secretKey: fresh }, sqlite(file));
    expect((await after.auth.introspect(next.accessToken)).active).toBe(true);
    expect((await after.auth.refresh(next)).sessionId).toBe(used.sessionId);
    await expect(after.auth.refresh(unused)).rejects.toMatchObject({ details: { outcome: 'unknown' } });
    await after.auth.close();
    await expect(anAuth({ secretKey: old }, sqlite(file))).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('works beside servers that still make everything with the old one, when they accept the new one', async () => {
    const file = await aFile();
    const first = await anAuth({ secretKey: old, previousSecretKey: fresh }, sqlite(file));
    const second = await anAuth({ secretKey: fresh, previousSecretKey: old }, sqlite(file));
    const { id } = await first.auth.users.register({ username: 'ada', password });
    let pair = await first.auth.tokens.issue(id);
    for (const { auth } of [second, first, second, first]) {
      pair = await auth.refresh(pair);
      for (const each of [first, second]) expect((await each.auth.introspect(pair.accessToken)).active).toBe(true);
    }
    await Promise.all([first.auth.close(), second.auth.close()]);
  });

  it('verifies HMAC tokens of the one before, and signs with its own', async () => {
    const file = await aFile();
    const before = await anAuth({ secretKey: old, algorithm: 'HS256' }, sqlite(file));
    const { id } = await before.auth.users.register({ username: 'ada', password });
    const { accessToken } = await before.auth.tokens.issue(id);
    await before.auth.close();
    const both = await anAuth({ secretKey: fresh, previousSecretKey: old, algorithm: 'HS256' }, sqlite(file));
    expect((await both.auth.introspect(accessToken)).active).toBe(true);
    const [retired, current] = await both.auth.keys.list();
    expect([retired?.stage, current?.stage]).toEqual(['retired', 'current']);
    expect(await verify(both.auth, both.clock, accessToken)).toBe(retired?.keyId);
    expect(await verify(both.auth, both.clock, (await both.auth.tokens.issue(id)).accessToken)).toBe(current?.keyId);
    await both.auth.close();
    const after = await anAuth({ secretKey: fresh, algorithm: 'HS256' }, sqlite(file));
    expect(await after.auth.introspect(accessToken)).toEqual({ active: false });
    await after.auth.close();
  });

  it('does not take one that is too short for an HMAC algorithm for a key', async () => {
    const secretKey = 'forty-eight bytes and more for HS384, as the RFC has it';
    const { auth } = await anAuth({ secretKey, previousSecretKey: old, algorithm: 'HS384' });
    expect(await auth.keys.list()).toHaveLength(1);
    await auth.close();
  });
});

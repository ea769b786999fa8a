import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { algorithmNames, verifyAccessToken } from '@sallyport/jwt';
import { describe, expect, it } from 'vitest';
import { KeyEncryption } from '../src/keys/key-encryption.ts';
import { stagesOf, type SigningKeyRecord } from '../src/keys/signing-key.ts';
import { systemRandom } from '../src/ports.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { aClock, anAuth, issuer, password } from './auth-fixture.ts';

const start = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);

function aKey(
  keyId: string,
  activatesAt: number,
  algorithm: SigningKeyRecord['algorithm'] = 'ES256',
): SigningKeyRecord {
  return {
    keyId,
    algorithm,
    publicJwk: { kty: 'EC' },
    encryptedPrivateKey: '',
    createdAt: start,
    activatesAt: after(activatesAt),
  };
}

const stages = (keys: readonly SigningKeyRecord[], at: number): Record<string, string> =>
  Object.fromEntries([...stagesOf(keys, 'ES256', 900, after(at))].map(([key, stage]) => [key.keyId, stage]));

describe('the stages of signing keys', () => {
  const keys = [aKey('a', 0), aKey('b', 600)];

  it.each([
    [0, { a: 'current', b: 'next' }],
    [599, { a: 'current', b: 'next' }],
    [600, { a: 'retired', b: 'current' }],
    [600 + 900 + 60, { a: 'retired', b: 'current' }],
    [600 + 900 + 61, { b: 'current' }],
  ])('K2: after %i s are %j', (at, expected) => {
    expect(stages(keys, at)).toEqual(expected);
  });

  it('K2: are not upset by a key of another algorithm in between', () => {
    const mixed = [aKey('a', 0), aKey('other', 50, 'EdDSA'), aKey('b', 10_000)];
    expect(stages(mixed, 9_999)).toEqual({ a: 'current', other: 'retired', b: 'next' });
    expect(stages(mixed, 10_000)).toEqual({ a: 'retired', other: 'retired', b: 'current' });
    expect(stages(mixed, 10_961)).toEqual({ b: 'current' });
  });

  it('let a server whose clock is behind sign with the first key', () => {
    expect(stages([aKey('a', 5)], 0)).toEqual({ a: 'current' });
  });

  it('keep the keys of an earlier algorithm until their tokens have expired', () => {
    const mixed = [aKey('old', 0, 'RS256'), aKey('new', 100)];
    expect(stages(mixed, 200)).toEqual({ old: 'retired', new: 'current' });
    expect(stages(mixed, 100 + 961)).toEqual({ new: 'current' });
  });
});

describe('signing keys', () => {
  it('K2: rotate without refusing a good token, and publish the next key before it signs', async () => {
    const { auth, clock } = await anAuth();
    await auth.users.register({ username: 'ada', password });
    const sign = async (): Promise<string> => (await auth.signIn({ username: 'ada', password })).accessToken;
    const verify = async (token: string): Promise<string | undefined> => {
      const options = { keys: auth.keys.source, issuer, audience: issuer, now: clock() };
      return (await verifyAccessToken(token, options)).header.kid;
    };
    const kids = async (): Promise<unknown[]> => (await auth.keys.publicJwkSet()).keys.map((jwk) => jwk.kid);

    const [first] = await auth.keys.list();
    const next = await auth.keys.rotate();
    expect(next.stage).toBe('next');
    expect(await kids()).toEqual([first?.keyId, next.keyId]);
    clock.forward(599);
    const before = await sign();
    expect(await verify(before)).toBe(first?.keyId);
    clock.forward(1);
    expect(await verify(await sign())).toBe(next.keyId);
    clock.forward(898);
    expect(await verify(before)).toBe(first?.keyId);
    clock.forward(63);
    expect(await kids()).toEqual([next.keyId]);
    await auth.close();
  });

  it.each(algorithmNames)('sign with %s by configuration alone', async (algorithm) => {
    const secretKey = 'sixty-four bytes and more, so that it serves every HMAC algorithm there is';
    const { auth, clock } = await anAuth({ algorithm, secretKey });
    const { id } = await auth.users.register({ username: 'ada', password });
    const { accessToken } = await auth.signIn({ username: 'ada', password });
    const options = { keys: auth.keys.source, issuer, audience: issuer, now: clock() };
    const { header, claims } = await verifyAccessToken(accessToken, options);
    expect(header).toMatchObject({ alg: algorithm, typ: 'at+jwt', kid: expect.stringMatching(/^[\w-]{8}$/) });
    expect(claims.sub).toBe(id);
    await auth.close();
  });

  it('K1: publish public members only, and no secret at all', async () => {
    for (const algorithm of ['RS256', 'ES256', 'EdDSA', 'HS256'] as const) {
      const { auth } = await anAuth({ algorithm });
      const { keys } = await auth.keys.publicJwkSet();
      expect(keys).toHaveLength(algorithm === 'HS256' ? 0 : 1);
      for (const jwk of keys) {
        expect(jwk).toMatchObject({ alg: algorithm, use: 'sig', kid: expect.any(String) });
        for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) expect(jwk).not.toHaveProperty(member);
      }
      await auth.close();
    }
  });

  it('K7: are useless to whoever steals the database', async () => {
    const store = sqlite(':memory:');
    const { auth } = await anAuth({}, store);
    const [record] = await store.keys.list();
    const stolen = Buffer.from(record?.encryptedPrivateKey ?? '', 'base64url').toString('latin1');
    expect(stolen).not.toContain('"d"');
    expect(record?.publicJwk).not.toHaveProperty('d');
    await auth.close();
  });

  it('say plainly that they need the secret they were encrypted under', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'sallyport-keys-')), 'keys.db');
    await (await anAuth({}, sqlite(file))).auth.close();
    const other = anAuth({ secretKey: 'not the secret that it was started with' }, sqlite(file));
    await expect(other).rejects.toMatchObject({ code: 'config_invalid', message: /earlier secret/ });
  });

  it('K3: retire when the algorithm changes, and are made anew when it changes back', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'sallyport-keys-')), 'keys.db');
    const clock = aClock();
    const stagesWith = async (algorithm: 'ES256' | 'EdDSA'): Promise<Record<string, string>> => {
      clock.forward(1);
      const { auth } = await anAuth({ algorithm, clock }, sqlite(file));
      await auth.ready();
      const keys = await auth.keys.list();
      await auth.close();
      return Object.fromEntries(keys.map((key) => [key.keyId, key.stage]));
    };
    const [first = ''] = Object.keys(await stagesWith('ES256'));
    const [other = ''] = Object.entries(await stagesWith('EdDSA')).flatMap(([id, stage]) =>
      stage === 'current' ? [id] : [],
    );
    expect(await stagesWith('EdDSA')).toEqual({ [first]: 'retired', [other]: 'current' });
    const back = await stagesWith('ES256');
    expect(Object.values(back).toSorted()).toEqual(['current', 'next', 'retired']);
    expect(back).toMatchObject({ [first]: 'current', [other]: 'retired' });
    clock.forward(600 + 961);
    const settled = await stagesWith('ES256');
    expect(Object.values(settled)).toEqual(['current']);
    expect(settled).not.toHaveProperty(first);
  });

  it('K2: are not made by whoever only looks, with whatever algorithm', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'sallyport-keys-')), 'keys.db');
    await (await anAuth({}, sqlite(file))).auth.close();
    for (const algorithm of ['RS256', 'EdDSA', 'ES256'] as const) {
      const { auth } = await anAuth({ algorithm }, sqlite(file));
      await auth.users.count();
      expect(await auth.keys.list()).toHaveLength(1);
      await auth.close();
    }
  });

  it('K2: wait for publication even when the algorithm changes while a key is waiting', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'sallyport-keys-')), 'keys.db');
    const { auth } = await anAuth({}, sqlite(file));
    await auth.keys.rotate();
    await auth.close();
    for (let round = 0; round < 3; round += 1) {
      const other = await anAuth({ algorithm: 'EdDSA' }, sqlite(file));
      await other.auth.ready();
      expect((await other.auth.keys.list()).filter((key) => key.algorithm === 'EdDSA')).toHaveLength(1);
      await other.auth.close();
    }
  });

  it('rotate also under an algorithm that was never used', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'sallyport-keys-')), 'keys.db');
    await (await anAuth({}, sqlite(file))).auth.close();
    const clock = aClock();
    clock.forward(60);
    const { auth } = await anAuth({ algorithm: 'EdDSA', clock }, sqlite(file));
    expect(await auth.keys.rotate()).toMatchObject({ algorithm: 'EdDSA', stage: 'next' });
    const listed = (await auth.keys.list()).map(({ algorithm, stage }) => `${algorithm} ${stage}`);
    expect(listed.toSorted()).toEqual(['ES256 retired', 'EdDSA current', 'EdDSA next']);
    await auth.close();
  });

  it('answer a second rotation with the key that is waiting', async () => {
    const { auth } = await anAuth();
    const [one, two] = await Promise.all([auth.keys.rotate(), auth.keys.rotate()]);
    expect(one.keyId).toBe(two.keyId);
    expect(await auth.keys.list()).toHaveLength(2);
    await auth.close();
  });

  it('cannot be rotated when tokens are signed with the secret itself', async () => {
    const { auth } = await anAuth({ algorithm: 'HS256' });
    await expect(auth.keys.rotate()).rejects.toMatchObject({ code: 'value_invalid', details: { field: 'algorithm' } });
    await auth.close();
  });
});

describe('encryption at rest', () => {
  const encryption = new KeyEncryption(Buffer.from('a secret'), systemRandom);

  it('gives back what it was given, under the same secret and key id only', () => {
    const encrypted = encryption.encrypt('k1', 'private');
    expect(encryption.decrypt('k1', encrypted)).toBe('private');
    expect(encryption.decrypt('k2', encrypted)).toBeUndefined();
    expect(new KeyEncryption(Buffer.from('another'), systemRandom).decrypt('k1', encrypted)).toBeUndefined();
    expect(encryption.decrypt('k1', encrypted.slice(0, 20))).toBeUndefined();
    expect(encryption.decrypt('k1', '')).toBeUndefined();
    expect(encryption.encrypt('k1', 'private')).not.toBe(encrypted);
  });

  it('reads what the secret before encrypted, and renews it', () => {
    const renewing = new KeyEncryption(Buffer.from('another'), systemRandom, Buffer.from('a secret'));
    const encrypted = encryption.encrypt('k1', 'private');
    expect(renewing.decrypt('k1', encrypted)).toBe('private');
    const renewed = renewing.renew('k1', encrypted) ?? '';
    expect(new KeyEncryption(Buffer.from('another'), systemRandom).decrypt('k1', renewed)).toBe('private');
    expect(renewing.renew('k1', renewed)).toBeUndefined();
    expect(encryption.renew('k1', encrypted)).toBeUndefined();
  });
});

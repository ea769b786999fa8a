import { deepEqual, equal } from 'node:assert/strict';
import { changeKinds } from '../../changes/change.ts';
import type { SigningKeyRecord } from '../../keys/signing-key.ts';
import { aUser, insertUsers, later, now, shifted } from './records.ts';
import { atOnce, type Checks } from './trial.ts';

const aKey = (keyId: string, activatesAt: Date): SigningKeyRecord => ({
  keyId,
  algorithm: 'ES256',
  publicJwk: { kty: 'EC', kid: keyId, crv: 'P-256', x: 'x', y: 'y' },
  encryptedPrivateKey: `private half of ${keyId}`,
  createdAt: now,
  activatesAt,
});

/** What a store must do for roles and signing keys. */
export const roleAndKeyChecks: Checks = {
  'starts with the built-in roles, and announces what they grant': async ({ store }) => {
    deepEqual(await store.roles.list(), [
      { name: 'admin', scopes: ['*'], builtIn: true },
      { name: 'user', scopes: [], builtIn: true },
    ]);
    const { incarnation, head, changes } = await store.changes.readSince(0);
    equal(head, 2);
    equal(incarnation.length > 0, true);
    const kind = changeKinds.roleDefinition;
    const common = { kind, expiresAt: undefined, critical: true, acknowledge: false };
    deepEqual(changes, [
      { sequence: 1, key: 'admin', data: { scopes: ['*'] }, ...common },
      { sequence: 2, key: 'user', data: { scopes: [] }, ...common },
    ]);
  },

  'makes, replaces and lists roles by name, and takes one that is deleted from everybody': async ({ store }) => {
    await store.roles.set('editor', ['todos:write']);
    await store.roles.set('editor', ['todos:read', 'todos:write']);
    await store.roles.set('auditor', []);
    deepEqual(await store.roles.find('editor'), {
      name: 'editor',
      scopes: ['todos:read', 'todos:write'],
      builtIn: false,
    });
    deepEqual(
      (await store.roles.list()).map(({ name }) => name),
      ['admin', 'auditor', 'editor', 'user'],
    );
    await insertUsers(store, { ...aUser('ada'), roles: ['auditor', 'editor'] });
    await store.roles.delete('editor');
    equal(await store.roles.find('editor'), undefined);
    deepEqual((await store.users.findByName('ada'))?.roles, ['auditor']);
    equal(await store.roles.find('no such role'), undefined);
  },

  'makes transactions that lock one role wait for each other': async ({ store }) => {
    await store.roles.set('counter', []);
    await atOnce(8, (index) =>
      store.transaction(async ({ roles }) => {
        equal(await roles.lock('counter'), true);
        const { scopes = [] } = (await roles.find('counter')) ?? {};
        await roles.set('counter', [...scopes, `s:${String(index)}`]);
      }),
    );
    equal((await store.roles.find('counter'))?.scopes.length, 8);
    equal(await store.transaction(({ roles }) => roles.lock('no such role')), false);
  },

  'keeps signing keys in the order in which they become active': async ({ store }) => {
    const keys = [aKey('b', now), aKey('c', later), aKey('a', shifted(now, 1))];
    for (const key of keys) await store.keys.insert(key);
    deepEqual(await store.keys.list(), [keys[0], keys[2], keys[1]]);
    await store.keys.delete('a');
    deepEqual(
      (await store.keys.list()).map(({ keyId }) => keyId),
      ['b', 'c'],
    );
  },

  'replaces a private half only while it is the one that was read, and removes it alone': async ({ store }) => {
    for (const id of ['a', 'b']) await store.keys.insert(aKey(id, now));
    await store.keys.replaceEncrypted('a', 'another', 'new');
    await store.keys.replaceEncrypted('b', 'private half of b', 'new');
    const halves = async (): Promise<unknown[]> =>
      (await store.keys.list()).map(({ encryptedPrivateKey }) => encryptedPrivateKey);
    deepEqual(await halves(), ['private half of a', 'new']);
    await store.keys.erase('a');
    deepEqual(await halves(), [undefined, 'new']);
    deepEqual((await store.keys.list())[0], { ...aKey('a', now), encryptedPrivateKey: undefined });
  },
};

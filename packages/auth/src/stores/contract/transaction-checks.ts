import { deepEqual, equal, rejects } from 'node:assert/strict';
import { isAuthError } from '../../errors.ts';
import { aChange, aUser, insertUsers, now } from './records.ts';
import { atOnce, numbers, type Checks } from './trial.ts';

/** What a store must do as a whole: transactions, migration, what it refuses. */
export const transactionChecks: Checks = {
  'finds nothing to do when it is migrated again, also several times at once': async ({ store, reopen }) => {
    const { from, to } = await store.migrate();
    equal(from, to);
    const others = [store, reopen(), reopen()];
    deepEqual(
      await Promise.all(others.map((each) => each.migrate())),
      Array.from({ length: 3 }, () => ({ from: to, to })),
    );
    equal(await store.changes.head(), 2);
  },

  'finds its data again': async ({ store, reopen }) => {
    await insertUsers(store, aUser('ada'));
    const again = reopen();
    equal(await again.users.count(), 1);
    await store.append(aChange('k'));
    equal(await again.changes.head(), 3);
  },

  'gives what the work of a transaction gives, which sees what it has written': async ({ store }) => {
    const ada = aUser('ada');
    const seen = await store.transaction(async ({ users, roles }) => {
      await users.insert(ada);
      await roles.set('editor', ['todos:write']);
      return [(await users.find(ada.id))?.username, (await roles.find('editor'))?.scopes];
    });
    deepEqual(seen, ['ada', ['todos:write']]);
    equal(await store.users.count(), 1);
  },

  'undoes everything a transaction did when its work throws, and throws that': async ({ store }) => {
    const work = store.transaction(async (transaction) => {
      await transaction.users.insert(aUser('ada'));
      await transaction.roles.set('editor', []);
      await transaction.raiseTokenLifetime(600);
      transaction.append(aChange('x'));
      throw new Error('stop');
    });
    await rejects(work, /^Error: stop$/);
    equal(await store.users.findByName('ada'), undefined);
    equal(await store.roles.find('editor'), undefined);
    equal(await store.changes.tokenLifetime(), 0);
    equal(await store.changes.head(), 2);
  },

  'undoes one transaction and not those beside it': async ({ store }) => {
    await atOnce(20, (index) =>
      store
        .transaction(async (transaction) => {
          await transaction.users.insert(aUser(`user-${String(index)}`));
          transaction.append(aChange(`change-${String(index)}`));
          if (index % 2 === 1) throw new Error('stop');
        })
        .catch(() => undefined),
    );
    equal(await store.users.count(), 10);
    const { changes } = await store.changes.readSince(2);
    deepEqual(
      changes.map(({ sequence }) => sequence),
      numbers(3, 12),
    );
  },

  'makes transactions that raise the life of tokens wait for each other': async ({ store }) => {
    const key = (keyId: string): Parameters<typeof store.keys.insert>[0] => ({
      keyId,
      algorithm: 'ES256',
      publicJwk: { kty: 'EC' },
      encryptedPrivateKey: 'private',
      createdAt: now,
      activatesAt: now,
    });
    await atOnce(8, (index) =>
      store.transaction(async (transaction) => {
        await transaction.raiseTokenLifetime(1);
        const isFirst = (await transaction.keys.list()).length === 0;
        if (isFirst) await transaction.keys.insert(key(`key-${String(index)}`));
      }),
    );
    equal((await store.keys.list()).length, 1);
  },

  'keeps text that holds a NUL as it is, or refuses it as a wrong value': async ({ store }) => {
    const isRefused = (error: unknown): boolean => isAuthError(error) && error.code === 'value_invalid';
    const name = 'a\0b';
    const inserted = await insertUsers(store, aUser(name)).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
      return [];
    });
    equal(await store.users.count(), inserted.length);
    if (inserted.length === 1) equal((await store.users.findByName(name))?.username, name);
    else await rejects(store.users.findByName(name), isRefused);
  },

  'answers, says where it is, and tells the time of its own computer, if that is another one': async ({ store }) => {
    await store.ping();
    equal(store.location.length > 0, true);
    const time = await store.changes.time();
    equal(time === undefined || !Number.isNaN(time.getTime()), true);
  },
};

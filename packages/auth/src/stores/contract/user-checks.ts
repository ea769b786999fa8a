import { deepEqual, equal } from 'node:assert/strict';
import type { NewUserRecord } from '../../users/user-store.ts';
import { aSession, aUser, insertUsers, now } from './records.ts';
import { atOnce, holds, type Checks } from './trial.ts';

const nobody = 'no such user';

/** What a store must do for users. */
export const userChecks: Checks = {
  'keeps a user as it was given, and finds it by its id and by its folded name': async ({ store }) => {
    const ada = { ...aUser('Ada', 'Ada@Example.com'), roles: ['user', 'admin'] };
    await insertUsers(store, ada);
    const expected = {
      id: ada.id,
      username: 'Ada',
      usernameFolded: 'ada',
      email: 'Ada@Example.com',
      roles: ['admin', 'user'],
      disabled: false,
      createdAt: now,
      passwordHash: 'hash',
      epoch: 0,
    };
    deepEqual(await store.users.find(ada.id), expected);
    deepEqual(await store.users.findByName('ada'), expected);
    equal(await store.users.findByName('Ada'), undefined);
    equal(await store.users.find(nobody), undefined);
    await insertUsers(store, aUser('grace'));
    equal((await store.users.findByName('grace'))?.email, undefined);
  },

  'lets no two users have one name or one e-mail address, and says which it was': async ({ store }) => {
    const insert = (name: string, email?: string): Promise<unknown> =>
      store.transaction(({ users }) => users.insert(aUser(name, email)));
    equal(await insert('Ada', 'ada@example.com'), undefined);
    equal(await insert('ADA'), 'username');
    equal(await insert('ada', 'ADA@example.com'), 'username');
    equal(await insert('Grace', 'ADA@example.com'), 'email');
    equal(await store.users.count(), 1);
    equal(await insert('Grace'), undefined);
    equal(await insert('Hedy'), undefined);
    equal(await store.users.count(), 3);
  },

  'keeps users without a password, under an id that was chosen, and never twice': async ({ store }) => {
    const vouched = { ...aUser('42'), id: '42', passwordHash: undefined, roles: ['admin'] };
    const insert = (user: NewUserRecord): Promise<unknown> => store.transaction(({ users }) => users.insert(user));
    equal(await insert(vouched), undefined);
    deepEqual((await store.users.find('42'))?.passwordHash, undefined);
    equal(await insert({ ...vouched, username: { shown: 'Ada', folded: 'ada' }, roles: [] }), 'username');
    holds(await store.users.find('42'), { username: '42', roles: ['admin'] });
    equal(await store.users.findByName('ada'), undefined);
    equal(await store.users.countEnabledWithRole('admin'), 0);
    equal(await store.users.replacePasswordHash('42', '', 'new'), false);
  },

  'lets one of many who ask for a name at once have it': async ({ store }) => {
    const answers = await atOnce(12, () => store.transaction(({ users }) => users.insert(aUser('ada'))));
    deepEqual(answers.toSorted(), [...Array.from({ length: 11 }, () => 'username'), undefined]);
    equal(await store.users.count(), 1);
  },

  'changes name and address, frees the old ones, and says what another user has': async ({ store }) => {
    const [ada, grace] = [aUser('ada', 'ada@example.com'), aUser('grace', 'grace@example.com')];
    await insertUsers(store, ada, grace);
    const address = (text: string): { shown: string; folded: string } => ({ shown: text, folded: text });
    equal(await store.users.update(grace.id, { username: address('ada') }), 'username');
    equal(await store.users.update(grace.id, { email: address('ada@example.com') }), 'email');
    equal(await store.users.update(ada.id, { username: { shown: 'Countess', folded: 'countess' } }), undefined);
    equal(await store.users.update(ada.id, { email: null }), undefined);
    holds(await store.users.findByName('countess'), { id: ada.id, username: 'Countess', email: undefined });
    equal(await store.users.findByName('ada'), undefined);
    equal(
      await store.users.update(grace.id, { username: address('ada'), email: address('ada@example.com') }),
      undefined,
    );
    holds(await store.users.findByName('ada'), { id: grace.id, email: 'ada@example.com' });
    equal(
      await store.users.update(grace.id, { email: { shown: 'ADA@example.com', folded: 'ada@example.com' } }),
      undefined,
    );
    equal(await store.users.update(nobody, { username: address('hedy') }), undefined);
    equal(await store.users.findByName('hedy'), undefined);
  },

  'lists users by name, a page at a time, and searches names and addresses without wildcards': async ({ store }) => {
    const names = ['delta', 'alpha', 'charlie', 'bravo', 'per%cent', 'under_score', String.raw`back\slash`];
    await insertUsers(store, ...names.map((each) => aUser(each)), aUser('echo', 'Alphabet@example.com'));
    const list = async (query: { limit: number; after?: string; contains?: string }): Promise<string[]> =>
      (await store.users.list({ after: undefined, contains: undefined, ...query })).map((user) => user.username);
    deepEqual(await list({ limit: 2 }), ['alpha', String.raw`back\slash`]);
    deepEqual(await list({ limit: 2, after: 'bravo' }), ['charlie', 'delta']);
    deepEqual(await list({ limit: 9, contains: 'alpha' }), ['alpha', 'echo']);
    deepEqual(await list({ limit: 9, contains: 'a%' }), []);
    deepEqual(await list({ limit: 9, contains: 'r%c' }), ['per%cent']);
    deepEqual(await list({ limit: 9, contains: 'r_s' }), ['under_score']);
    deepEqual(await list({ limit: 9, contains: String.raw`k\s` }), [String.raw`back\slash`]);
    deepEqual(await list({ limit: 9, contains: 'lt' }), ['delta']);
    const [first] = await store.users.list({ limit: 1, after: undefined, contains: undefined });
    deepEqual(first?.roles, ['user']);
  },

  'keeps the roles a user was given last': async ({ store }) => {
    await store.roles.set('editor', []);
    const [ada] = await insertUsers(store, aUser('ada'), aUser('grace'));
    await store.users.setRoles(ada?.id ?? '', ['user', 'editor', 'admin']);
    deepEqual((await store.users.findByName('ada'))?.roles, ['admin', 'editor', 'user']);
    deepEqual((await store.users.findByName('grace'))?.roles, ['user']);
    await store.users.setRoles(ada?.id ?? '', []);
    deepEqual((await store.users.findByName('ada'))?.roles, []);
  },

  'tells all roles of everybody who has one of them, and how many of those are enabled': async ({ store }) => {
    const users = [
      aUser('ada'),
      { ...aUser('grace'), roles: ['admin', 'user'] },
      { ...aUser('hedy'), roles: ['admin'] },
    ];
    const [ada, grace, hedy] = await insertUsers(store, ...users);
    const holders = await store.users.rolesOfHolders('admin');
    deepEqual(holders.size, 2);
    deepEqual([...(holders.get(grace?.id ?? '') ?? [])].toSorted(), ['admin', 'user']);
    deepEqual(holders.get(hedy?.id ?? ''), ['admin']);
    equal((await store.users.rolesOfHolders('no such role')).size, 0);
    equal(await store.users.countEnabledWithRole('admin'), 2);
    await store.users.setDisabled(hedy?.id ?? '', now);
    equal(await store.users.countEnabledWithRole('admin'), 1);
    equal((await store.users.find(hedy?.id ?? ''))?.disabled, true);
    equal((await store.users.find(ada?.id ?? ''))?.disabled, false);
    await store.users.setDisabled(hedy?.id ?? '', undefined);
    equal((await store.users.find(hedy?.id ?? ''))?.disabled, false);
    equal(await store.users.countEnabledWithRole('admin'), 2);
  },

  'replaces a password hash, or only while it is the one that was verified': async ({ store }) => {
    const [ada, grace] = await insertUsers(store, aUser('ada'), aUser('grace'));
    const hashOf = async (name: string): Promise<unknown> => (await store.users.findByName(name))?.passwordHash;
    equal(await store.users.replacePasswordHash(ada?.id ?? '', 'another', 'new'), false);
    equal(await hashOf('ada'), 'hash');
    equal(await store.users.replacePasswordHash(ada?.id ?? '', 'hash', 'new'), true);
    equal(await hashOf('ada'), 'new');
    equal(await store.users.replacePasswordHash(nobody, 'hash', 'new'), false);
    await store.users.setPasswordHash(grace?.id ?? '', 'set');
    deepEqual([await hashOf('ada'), await hashOf('grace')], ['new', 'set']);
  },

  'advances the epoch of one user, or of everybody': async ({ store }) => {
    const [ada] = await insertUsers(store, aUser('ada'), aUser('grace'));
    const epochs = async (): Promise<unknown[]> =>
      (await store.users.list({ limit: 9, after: undefined, contains: undefined })).map((user) => user.epoch);
    await store.users.advanceEpoch(ada?.id ?? '');
    deepEqual(await epochs(), [1, 0]);
    await store.users.advanceEveryEpoch();
    deepEqual(await epochs(), [2, 1]);
  },

  'removes with a user everything that is theirs, and nothing of others': async ({ store }) => {
    const [ada, grace] = await insertUsers(store, aUser('ada'), aUser('grace'));
    const [gone, kept] = [aSession(ada?.id ?? ''), aSession(grace?.id ?? '')];
    for (const session of [gone, kept]) await store.sessions.insert(session);
    await store.users.delete(ada?.id ?? '');
    equal(await store.users.find(ada?.id ?? ''), undefined);
    equal(await store.sessions.find(gone.id), undefined);
    holds(await store.sessions.find(kept.id), { userId: grace?.id ?? '' });
    deepEqual([...(await store.users.rolesOfHolders('user')).keys()], [grace?.id]);
    await insertUsers(store, aUser('ada'));
  },
};

import { randomBytes, randomUUID } from 'node:crypto';
import { type Auth, type Clock, createAuth, type Store } from '@sallyport/auth';
import pg from 'pg';
import { goodPassword, issuer } from '../../packages/server/test/http-server.ts';
import type { State, Victim } from './kinds-of-calls.ts';

export const secretKey = 'a-secret-key-for-tests-only-0123456789-abcdef';

/** Makes people to do something to, and looks into the database: on connections of its own. */
export interface Victims {
  readonly make: () => Promise<Victim>;
  /** An access token of an administrator. */
  readonly administrator: () => Promise<string>;
  /** What is there about somebody, with the part of the change log after `from`. */
  readonly stateOf: (victim: Victim, from: number) => Promise<State>;
  readonly store: Store;
  readonly close: () => Promise<void>;
}

export async function openVictims(url: string, store: Store, clock: Clock): Promise<Victims> {
  const auth = await createAuth({ issuer, store, secretKey, clock });
  await auth.roles.set('reader', ['users:read']);
  const { id } = await auth.users.create({ username: 'root', password: goodPassword, roles: ['admin'] });
  const passwordHash = (await store.users.find(id))?.passwordHash ?? '';
  const operator = new pg.Client({ connectionString: url });
  await operator.connect();
  return {
    make: () => aVictim(auth, store, passwordHash),
    administrator: async () => (await auth.tokens.issue(id)).accessToken,
    stateOf: (victim, from) => stateOf(operator, victim, from, passwordHash),
    store,
    close: async () => {
      await operator.end();
      await auth.close();
    },
  };
}

async function aVictim(auth: Auth, store: Store, passwordHash: string): Promise<Victim> {
  const name = `victim-${randomBytes(4).toString('hex')}`;
  const role = `role-of-${name}`;
  await store.roles.set(role, ['todos:read']);
  const user = { id: randomUUID(), email: undefined, passwordHash, roles: ['user', role], createdAt: auth.now() };
  // Past the engine: hashing a password for each would take longer than everything else.
  await store.transaction(({ users }) => users.insert({ ...user, username: { shown: name, folded: name } }));
  const [used, other] = [await auth.tokens.issue(user.id), await auth.tokens.issue(user.id)];
  await auth.refresh(await auth.refresh(other));
  const keyId = (await auth.keys.list()).find(({ stage }) => stage === 'current')?.keyId ?? '';
  const { accessToken: access, refreshToken: refresh, sessionId } = used;
  return { id: user.id, name, access, refresh, sessionId, stolen: other.refreshToken, keyId, role };
}

async function stateOf(operator: pg.Client, victim: Victim, from: number, passwordHash: string): Promise<State> {
  const { id, name, sessionId, keyId, role: ownRole } = victim;
  const rows = async <Row extends object>(text: string, ...values: unknown[]): Promise<Row[]> =>
    (await operator.query<Row>(text, values)).rows;
  const users = await rows(
    `select replace(username, $1, '') as name, replace(email, $1, '') as email, epoch, disabled_at is null as enabled, password_hash = $2 as same,
      array(select replace(role, $1, '') from user_roles where user_id = users.id order by role) as roles
    from users where username like $1 || '%' order by username`,
    name,
    passwordHash,
  );
  const sessions = await rows<State['sessions'][number]>(
    `select sessions.id = $2 as used, generation, base, ended_at is null as alive, end_reason, user_epoch = epoch as current
    from sessions join users on users.id = user_id where username like $1 || '%' order by 1, 2, 3, 4, 5, 6`,
    name,
    sessionId,
  );
  const role = await rows('select scopes from roles where name = any($1) order by 1', [name, ownRole]);
  const key = await rows('select length(encrypted_private_key) > 0 as signs from signing_keys where id = $1', keyId);
  const changes = await rows<State['changes'][number]>(
    'select kind, key, data from feed_log where sequence > $1 order by sequence',
    from,
  );
  const names = new Map([id, name, sessionId, keyId, ownRole].map((each, index) => [each, `#${String(index)}`]));
  const named = changes.map((change) => ({ ...change, key: names.get(change.key) ?? 'another' }));
  return { users, sessions, role, key, changes: named };
}

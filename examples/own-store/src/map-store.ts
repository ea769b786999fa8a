import {
  builtInRoles,
  isBuiltIn,
  roleDefinition,
  type FeedCredentialStore,
  type GuardStore,
  type Migrated,
  type NewChange,
  type PresentGuard,
  type Repositories,
  type Role,
  type RoleStore,
  type SigningKeyStore,
  type Store,
  type Transaction,
} from '@sallyport/auth/store';
import { appendTo, MapChanges } from './map-changes.ts';
import { MapSessions } from './map-sessions.ts';
import { MapUsers } from './map-users.ts';
import { change, emptyTables, sorted, type Run, type Tables } from './tables.ts';

/**
 * A store of maps. It forgets everything with the process, and copies everything for each call: an example, and nothing
 * else.
 */
export function mapStore(): Store {
  let tables = emptyTables();
  let last: Promise<unknown> = Promise.resolve();
  const watchers = new Set<() => void>();

  /** One after the other, each on a copy, which takes the place of the tables when the work is done. */
  const transact = <Result>(work: (copy: Tables) => Promise<Result>): Promise<Result> => {
    const turn = last.then(async () => {
      const copy = structuredClone(tables);
      const result = await work(copy);
      const hasGrown = copy.head.sequence > tables.head.sequence;
      tables = copy;
      if (hasGrown) for (const wake of watchers) wake();
      return result;
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  const run: Run = (work) => transact((copy) => Promise.resolve(work(copy)));
  return {
    ...repositories(run, new MapSessions(run, appendTo)),
    location: 'memory',
    migrate: () => run(migrate),
    transaction: (work) => transact((copy) => inTransaction(copy, work)),
    append: (entry) => run((copy) => appendTo(copy, entry)),
    watch: (wake) => {
      // One entry for each call, whoever calls.
      const watcher = (): void => wake();
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function migrate(tables: Tables): Migrated {
  if (tables.roles.size > 0) return { from: 1, to: 1 };
  const roles = Object.entries(builtInRoles);
  for (const [name, scopes] of roles) tables.roles.set(name, scopes);
  for (const [name, scopes] of roles) appendTo(tables, roleDefinition(name, scopes));
  return { from: 0, to: 1 };
}

/** Far more entries than a lineage can have had that nobody remembers. */
const mostForgotten = 1_000_000_000;

async function inTransaction<Result>(
  copy: Tables,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const run: Run = (step) => Promise.resolve().then(() => step(copy));
  const entries: NewChange[] = [];
  const append = (entry: NewChange): void => {
    entries.push(entry);
  };
  const result = await work({
    ...repositories(run, new MapSessions(run, (_copy, entry) => append(entry))),
    append,
    raiseTokenLifetime: (seconds) =>
      run(({ head }) => {
        head.tokenLifetime = Math.max(head.tokenLifetime, seconds);
      }),
    beginIncarnation: (name) =>
      run(({ head }) => {
        head.incarnation = name;
        head.sequence += mostForgotten;
        head.rightsSequence = head.sequence;
      }),
  });
  for (const entry of entries) appendTo(copy, entry);
  return result;
}

function repositories(run: Run, sessions: MapSessions): Repositories {
  return {
    users: new MapUsers(run),
    sessions,
    roles: rolesOn(run),
    keys: keysOn(run),
    changes: new MapChanges(run),
    feedCredentials: credentialsOn(run),
    guards: guardsOn(run),
  };
}

function rolesOn(run: Run): RoleStore {
  const toRole = (name: string, scopes: readonly string[]): Role => ({ name, scopes, builtIn: isBuiltIn(name) });
  return {
    find: (name) =>
      run(({ roles }) => {
        const scopes = roles.get(name);
        return scopes && toRole(name, scopes);
      }),
    list: () => run(({ roles }) => sorted(roles, ([name]) => name).map(([name, scopes]) => toRole(name, scopes))),
    set: (name, scopes) =>
      run(({ roles }) => {
        roles.set(name, scopes);
      }),
    delete: (name) =>
      run(({ roles, users }) => {
        roles.delete(name);
        for (const user of users.values()) {
          change(users, user.id, { roles: user.roles.filter((role) => role !== name) });
        }
      }),
    // Transactions wait for each other anyway.
    lock: (name) => run(({ roles }) => roles.has(name)),
  };
}

function keysOn(run: Run): SigningKeyStore {
  return {
    list: () =>
      run(({ keys }) =>
        sorted(
          sorted(keys.values(), ({ keyId }) => keyId),
          ({ activatesAt }) => activatesAt.getTime(),
        ),
      ),
    insert: (key) =>
      run(({ keys }) => {
        keys.set(key.keyId, key);
      }),
    replaceEncrypted: (keyId, from, to) =>
      run(({ keys }) => {
        change(keys, keyId, { encryptedPrivateKey: to }, ({ encryptedPrivateKey }) => encryptedPrivateKey === from);
      }),
    erase: (keyId) =>
      run(({ keys }) => {
        change(keys, keyId, { encryptedPrivateKey: undefined });
      }),
    delete: (keyId) =>
      run(({ keys }) => {
        keys.delete(keyId);
      }),
  };
}

function credentialsOn(run: Run): FeedCredentialStore {
  return {
    insert: (credential) =>
      run(({ credentials, head }) => {
        if ([...credentials.values()].some(({ name }) => name === credential.name)) return false;
        credentials.set(credential.id, credential);
        head.credentialVersion += 1;
        return true;
      }),
    find: (id) => run(({ credentials }) => credentials.get(id)),
    list: () => run(({ credentials }) => sorted(credentials.values(), ({ name }) => name)),
    delete: (name) =>
      run(({ credentials, head }) => {
        const credential = [...credentials.values()].find((each) => each.name === name);
        if (credential === undefined) return undefined;
        credentials.delete(credential.id);
        head.credentialVersion += 1;
        return credential;
      }),
  };
}

function guardsOn(run: Run): GuardStore {
  const leased = ({ guards }: Tables, after: Date): PresentGuard[] =>
    sorted(
      [...guards.values()].filter(({ leaseUntil }) => leaseUntil > after),
      ({ id }) => id,
    );
  return {
    renew: (renewed) =>
      run(({ guards }) => {
        for (const guard of renewed) {
          const { acknowledged = 0, leaseUntil = guard.leaseUntil } = guards.get(guard.id) ?? {};
          guards.set(guard.id, {
            ...guard,
            acknowledged: Math.max(acknowledged, guard.acknowledged),
            leaseUntil: leaseUntil > guard.leaseUntil ? leaseUntil : guard.leaseUntil,
          });
        }
      }),
    listLeased: (after) => run((tables) => leased(tables, after)),
    progress: (since, now) =>
      run((tables) => {
        const present = leased(tables, since);
        const granting = present.filter(({ leaseUntil }) => leaseUntil > now);
        return {
          guards: present.length,
          lapsed: present.length - granting.length,
          lowest: sorted(granting, ({ acknowledged }) => acknowledged)[0]?.acknowledged,
        };
      }),
    remove: (id) =>
      run(({ guards }) => {
        guards.delete(id);
      }),
    prune: (before) =>
      run(({ guards }) => {
        const over = [...guards.values()].filter(({ leaseUntil }) => leaseUntil < before);
        for (const { id } of over) guards.delete(id);
        return over.length;
      }),
  };
}

import type { Auth, AuthConfig, Store } from '@sallyport/auth';
import { findDatabaseFile, usingDatabaseFile } from '../environment/database-file.ts';
import { resolveSecretKey, type ResolvedSecretKey } from '../environment/secret-key.ts';
import { issuerOf, type Settings } from '../environment/settings.ts';

/** What {@link openAuth} needs besides the settings. */
export interface OpenOptions {
  /** The port the server listens on; it is part of the default issuer. */
  readonly port?: number;
  readonly onEvent?: AuthConfig['onEvent'];
}

/** An open engine, and what was found on the way. */
export interface OpenedAuth {
  readonly auth: Auth;
  readonly secretKeyFile: string | undefined;
  /** The SQLite file, when it was made just now. */
  readonly madeFile: string | undefined;
  readonly warnings: readonly string[];
}

/**
 * Opens the engine the settings describe: its database, which is migrated, its secret key and its signing key.
 *
 * @throws {EnvironmentError} `environment_invalid` when the secret key or the database's file is unusable
 * @throws {AuthError} `config_invalid`, `store_unavailable`
 */
export async function openAuth(settings: Settings, options: OpenOptions = {}): Promise<OpenedAuth> {
  const { createAuth } = await import('@sallyport/auth');
  const { store, madeFile, key } = await openDatabase(settings);
  const auth = await createAuth({
    issuer: issuerOf(settings, options.port),
    store,
    secretKey: key.secretKey,
    ...(settings.previousSecretKey !== undefined && { previousSecretKey: settings.previousSecretKey }),
    algorithm: settings.algorithm,
    signingKeys: { rotateAfter: settings.signingKeyRotation },
    accessToken: { lifetime: settings.accessTokenLifetime },
    refreshToken: {
      idleLifetime: settings.refreshTokenIdleLifetime,
      sessionLifetime: settings.sessionLifetime,
      policy: settings.refreshPolicy,
    },
    registration: settings.registration,
    password: { minLength: settings.passwordMinLength },
    ...(settings.audience && { audience: settings.audience }),
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
  return { auth, secretKeyFile: key.file, madeFile, warnings: key.warning === undefined ? [] : [key.warning] };
}

/** An open database and its key. */
export interface OpenedDatabase {
  readonly store: Store;
  readonly key: ResolvedSecretKey;
  /** The SQLite file, when it was made just now. */
  readonly madeFile: string | undefined;
}

/**
 * Opens the database of the settings as it is: nothing is migrated. The key comes first: a database without its key
 * would be refused by everybody who comes later.
 *
 * @throws {EnvironmentError} `environment_invalid` when the secret key or the database's file is unusable
 */
export async function openDatabase(settings: Settings): Promise<OpenedDatabase> {
  const found = findDatabaseFile(settings.database);
  const key = resolveSecretKey(settings);
  const store = await openStore(settings.database);
  return { store, key, madeFile: found?.exists === false ? found.path : undefined };
}

async function openStore(database: Settings['database']): Promise<Store> {
  if (database.kind === 'postgres') return (await import('@sallyport/auth/postgres')).postgres(database.url);
  const { sqlite } = await import('@sallyport/auth/sqlite');
  return database.kind === 'memory'
    ? sqlite(':memory:')
    : usingDatabaseFile(database.file, () => sqlite(database.file));
}

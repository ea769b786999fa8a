import type { Auth, AuthConfig, Store } from '@sallyport/auth';
import { resolveSecretKey } from '../environment/secret-key.ts';
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
  readonly warnings: readonly string[];
}

/**
 * Opens the engine the settings describe: its database, which is migrated, its secret key and its signing key.
 *
 * @throws {EnvironmentError} `environment_invalid` when the secret key is unusable
 * @throws {AuthError} `config_invalid`, `store_unavailable`
 */
export async function openAuth(settings: Settings, options: OpenOptions = {}): Promise<OpenedAuth> {
  const { secretKey, file, warning } = resolveSecretKey(settings);
  const { createAuth } = await import('@sallyport/auth');
  const auth = await createAuth({
    issuer: issuerOf(settings, options.port),
    store: await openStore(settings.database),
    secretKey,
    algorithm: settings.algorithm,
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
  return { auth, secretKeyFile: file, warnings: warning === undefined ? [] : [warning] };
}

/** Opens the database of the settings as it is: nothing is migrated. */
export async function openStore(database: Settings['database']): Promise<Store> {
  if (database.kind === 'postgres') return (await import('@sallyport/auth/postgres')).postgres(database.url);
  const { sqlite } = await import('@sallyport/auth/sqlite');
  return sqlite(database.kind === 'memory' ? ':memory:' : database.file);
}

import type { Algorithm } from '@sallyport/jwt';
import type { ChangeBatch } from './changes/change.ts';
import { resolveConfig, type AuthConfig, type ResolvedConfig } from './config.ts';
import { Confirmations, type Confirmation } from './feed/confirmations.ts';
import { Feed } from './feed/feed.ts';
import { FeedCredentials } from './feed/feed-credentials.ts';
import { KeyEncryption } from './keys/key-encryption.ts';
import { SecretSigningKey } from './keys/secret-signing-key.ts';
import { StoredSigningKeys, type SigningKeys } from './keys/signing-keys.ts';
import { PasswordHashes } from './passwords/password-hashes.ts';
import { steadyTime, type Clock } from './ports.ts';
import { PasswordPolicy } from './passwords/password-policy.ts';
import { Passwords } from './passwords/passwords.ts';
import { Roles } from './roles/roles.ts';
import { refreshPolicy } from './sessions/refresh-rotation.ts';
import { RefreshTokens } from './sessions/refresh-token.ts';
import { Sessions, type ConfirmOption } from './sessions/sessions.ts';
import type { Device } from './sessions/session.ts';
import type { Introspection } from './tokens/introspection.ts';
import { Refresh, type RefreshInput } from './tokens/refresh.ts';
import { IssuedTokens } from './tokens/issued-tokens.ts';
import { recover, type RecoveryReport } from './tokens/recovery.ts';
import { SignIn, type SignInInput } from './tokens/sign-in.ts';
import { TokenIssuer } from './tokens/token-issuer.ts';
import type { TokenPair } from './tokens/token-pair.ts';
import { VouchedSignIn, type VouchedUser } from './tokens/vouched-sign-in.ts';
import { DatabaseClock } from './upkeep/database-clock.ts';
import { Upkeep, type UpkeepReport } from './upkeep/upkeep.ts';
import { OwnAccount } from './users/own-account.ts';
import { Users } from './users/users.ts';

/** Where a guard in the same process learns what has changed; give it to `createGuard` as `changes`. */
export interface ChangeLog {
  /** What came after `cursor`; from 0, everything still kept. */
  readSince(cursor: number): Promise<ChangeBatch>;
}

/** An authorization server without HTTP: users, sessions, roles, keys and tokens. */
export interface Auth {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithm: Algorithm;
  /** Where the data is, without credentials: for people. */
  readonly location: string;
  readonly users: Users;
  readonly account: OwnAccount;
  readonly sessions: Sessions;
  readonly roles: Roles;
  readonly keys: SigningKeys;
  readonly changes: ChangeLog;
  /** The change log for guards in other processes. */
  readonly feed: Feed;
  /** The time tokens are issued by: give it to a guard in the same process as `now`. */
  readonly now: Clock;
  readonly tokens: {
    /**
     * Starts a session without a password, on an administrator's word.
     *
     * @throws {AuthError} `user_not_found`, `credentials_invalid` for a disabled user, `scope_invalid`
     */
    issue(userId: string, options?: { readonly scope?: string; readonly device?: Device }): Promise<TokenPair>;
    /**
     * Starts a session of a user whom your application keeps and has signed in itself.
     *
     * The user gets an account here by that id, without a password: it can never be signed in to with one, and everything
     * else works for it. Give the roles each time, and those of the running sessions follow. Does **not** check who the
     * user is: you did.
     *
     * @example
     * import type { Auth, TokenPair } from '@sallyport/auth';
     *
     * const tokensFor = (auth: Auth, user: { readonly id: number; readonly roles: readonly string[] }): Promise<TokenPair> =>
     *   auth.tokens.issueFor({ subject: String(user.id), roles: user.roles });
     *
     * @throws {AuthError} `value_invalid`, `role_not_found`, `scope_invalid`; `credentials_invalid` for a user who was
     * disabled here
     */
    issueFor(user: VouchedUser): Promise<TokenPair>;
    /** Kills one access token and leaves its session alive; false when it is no unexpired token of ours. */
    revokeAccessToken(token: string): Promise<boolean>;
  };
  /**
   * Signs a user in with a password. First-party clients only: RFC 9700, section 2.4 has the reasons.
   *
   * @throws {AuthError} `credentials_invalid`, `scope_invalid`, `busy`
   */
  signIn(input: SignInInput): Promise<TokenPair>;
  /** Trades a refresh token for new tokens. @throws {AuthError} `refresh_token_invalid`, `scope_invalid` */
  refresh(input: RefreshInput): Promise<TokenPair>;
  /**
   * Ends the session either token belongs to (RFC 7009). Unknown tokens are ignored. With `{ confirm: true }` it resolves
   * when every guard on the feed knows, or grants no more, and tells how many did.
   */
  revoke(token: string): Promise<void>;
  revoke(token: string, options: ConfirmOption): Promise<Confirmation>;
  /** Tells about a token (RFC 7662). */
  introspect(token: string): Promise<Introspection>;
  /** Loads what the first new password would otherwise wait for: word lists, some tens of megabytes. */
  warmUp(): Promise<void>;
  /**
   * Does at once what is done about every minute anyway while the engine is open: adjusts the clock, rotates signing keys
   * that have come of age, removes sessions and changes that were over two days ago.
   */
  upkeep(): Promise<UpkeepReport>;
  /**
   * Makes worthless whatever was issued before: to be called once after a backup has been restored, or after a failover that
   * lost commits. Every session ends, every signing key is replaced, and guards start over, keeping what they knew.
   */
  recover(): Promise<RecoveryReport>;
  /** Resolves when the database answers and a key can sign. @throws {AuthError} `store_unavailable` */
  ready(): Promise<void>;
  /** Sends guards elsewhere and closes the store. Calls after it fail. */
  close(): Promise<void>;
}

/**
 * Opens an authorization server: brings the database up to date, makes the first signing key, wires everything.
 *
 * Every method may also throw {@link AuthError} `store_unavailable` while the database is away.
 *
 * @example
 * import { createAuth } from '@sallyport/auth';
 * import { sqlite } from '@sallyport/auth/sqlite';
 *
 * const auth = await createAuth({
 *   issuer: 'https://auth.example.com',
 *   store: sqlite('data/app.db'),
 *   secretKey: process.env['SECRET_KEY'] ?? '',
 * });
 *
 * @throws {AuthError} `config_invalid` with every problem there is, `store_unavailable`
 */
export async function createAuth(config: AuthConfig): Promise<Auth> {
  const resolved = resolveConfig(config);
  const { store } = resolved;
  try {
    await store.migrate();
    await store.transaction((transaction) => transaction.raiseTokenLifetime(resolved.accessTokenLifetime));
    const clock = new DatabaseClock({ own: resolved.clock, steady: steadyTime, database: store.changes });
    // A clock of the caller's own is believed.
    const adjustClock =
      config.clock === undefined ? (): Promise<void> => clock.adjust() : (): Promise<void> => Promise.resolve();
    await adjustClock();
    const timed = { ...resolved, clock: clock.now };
    const hashes = new PasswordHashes(resolved.random);
    const keys = await openKeys(timed);
    return wire(timed, keys, hashes, { upkeep: new Upkeep({ ...timed, keys, adjustClock }), ownClock: resolved.clock });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openKeys(config: ResolvedConfig): Promise<SigningKeys> {
  const { secret, previousSecret, random, algorithm, clock } = config;
  if (algorithm === 'HS256' || algorithm === 'HS384' || algorithm === 'HS512') {
    return new SecretSigningKey(secret, algorithm, clock(), previousSecret);
  }
  const keys = new StoredSigningKeys({ ...config, encryption: new KeyEncryption(secret, random, previousSecret) });
  await keys.open();
  return keys;
}

/** What depends on the clock as it was before the database had a say. */
interface Timekeeping {
  readonly upkeep: Upkeep;
  readonly ownClock: Clock;
}

function wire(
  config: ResolvedConfig,
  keys: SigningKeys,
  hashes: PasswordHashes,
  { upkeep, ownClock }: Timekeeping,
): Auth {
  const { issuer, audience, algorithm, store, clock, random, emit } = config;
  const policy = new PasswordPolicy(config.minPasswordLength, ['sallyport', new URL(issuer).hostname]);
  const refreshTokens = new RefreshTokens(config.secret, config.previousSecret);
  const lifetimes = { idle: config.idleLifetime, absolute: config.sessionLifetime };
  const accessTokens = { issuer, audience, lifetime: config.accessTokenLifetime, random };
  const tokenIssuer = new TokenIssuer(keys, accessTokens, refreshTokens, lifetimes);
  const base = { store, clock, emit };

  const credentials = new FeedCredentials({ ...base, random });
  const feed = new Feed({ ...base, keys, credentials, issuer, secret: config.secret, ownClock, random });
  const confirmations = new Confirmations({ ...base, feed });
  const sessions = new Sessions({ ...base, confirmations });
  const roles = new Roles(base);
  const signIn = new SignIn({ ...base, hashes, issuer: tokenIssuer, lifetimes, random });
  const vouchedSignIn = new VouchedSignIn({ ...base, issuer: tokenIssuer, lifetimes, random });
  const refresh = new Refresh({
    ...base,
    refreshTokens,
    issuer: tokenIssuer,
    lifetimes,
    policy: refreshPolicy(config.policy, config.idleLifetime),
  });
  const issued = new IssuedTokens({ ...base, keys, sessions, confirmations, refreshTokens, issuer, audience });
  const passwords = new Passwords(hashes, policy);
  const users = new Users({ ...base, passwords, registration: config.registration, random });
  const account = new OwnAccount({
    ...base,
    users,
    passwords,
    startSession: (userId, device, provenHash) => signIn.forUser(userId, { device, provenHash }),
  });

  upkeep.start();
  return {
    issuer,
    audience,
    algorithm,
    location: store.location,
    users,
    account,
    sessions,
    roles,
    keys,
    changes: store.changes,
    feed,
    now: clock,
    tokens: {
      issue: (userId, options) => signIn.forUser(userId, options),
      issueFor: (user) => vouchedSignIn.forUser(user),
      revokeAccessToken: (token) => issued.revokeAccessToken(token),
    },
    signIn: (input) => signIn.withPassword(input),
    refresh: (input) => refresh.withToken(input),
    revoke: issued.revoke.bind(issued),
    introspect: (token) => issued.introspect(token),
    warmUp: () => policy.prepare(),
    upkeep: () => upkeep.run(),
    ready: async () => {
      await store.ping();
      await keys.signingKey();
    },
    recover: () => recover({ ...base, keys, random }),
    close: async () => {
      feed.stop();
      confirmations.stop();
      await upkeep.stop();
      await store.close();
    },
  };
}

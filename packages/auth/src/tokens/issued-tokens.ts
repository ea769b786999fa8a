import { decodeJwtUnverified, isJwtError, verifyAccessToken, type AccessTokenClaims } from '@sallyport/jwt';
import { changeKinds, earliest, latest, tokenDead } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import { nothingToConfirm, type Confirmation, type Confirmations } from '../feed/confirmations.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Clock } from '../ports.ts';
import { parseRefreshToken, type RefreshTokens } from '../sessions/refresh-token.ts';
import type { SessionRecord } from '../sessions/session.ts';
import type { ConfirmOption, Sessions } from '../sessions/sessions.ts';
import { SerialReads } from '../serial-reads.ts';
import type { Repositories, Store } from '../stores/store.ts';
import type { UserRecord } from '../users/user.ts';
import { firstPartyClient } from './access-tokens.ts';
import { grantScope, scopesOfRoles } from './granted-scope.ts';
import type { ActiveToken, Introspection } from './introspection.ts';

/** What judging tokens works with. */
export interface IssuedTokenDependencies {
  readonly store: Store;
  readonly keys: SigningKeys;
  readonly sessions: Sessions;
  readonly confirmations: Confirmations;
  readonly refreshTokens: RefreshTokens;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly clock: Clock;
  readonly emit: EventListener;
}

/**
 * How old the knowledge of dead keys may be by which a token ends its session, in milliseconds: whoever has such a key can
 * end sessions a little longer, and nothing else.
 */
const endingMaxAge = 50;

/** A session that is alive, and its user. */
interface LiveSession {
  readonly session: SessionRecord;
  readonly user: UserRecord;
}

/** Takes tokens back and tells which are live. The database decides, so the answer is true at once everywhere. */
export class IssuedTokens {
  readonly #dependencies: IssuedTokenDependencies;
  /** By the keys' ids. */
  readonly #keyDeaths = new Map<string, SerialReads<boolean>>();

  constructor(dependencies: IssuedTokenDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Ends the session a token belongs to, whichever of its tokens is given: an access token, even an expired one, or a
   * refresh token, even a spent one. A token that is none of ours is ignored (RFC 7009, section 2.2).
   */
  revoke(token: string): Promise<void>;
  revoke(token: string, options: ConfirmOption): Promise<Confirmation>;
  async revoke(token: string, { confirm = false }: { confirm?: boolean } = {}): Promise<unknown> {
    const { sessions, confirmations } = this.#dependencies;
    const sessionId = await this.#sessionOf(token);
    if (sessionId === undefined) return nothingToConfirm;
    const end = (): Promise<boolean> => sessions.endFor(sessionId, 'signed_out', confirm);
    if (!confirm) return end();
    return (await confirmations.of({ kind: changeKinds.sessionDead, key: sessionId }, end)).confirmation;
  }

  /** Kills one access token and leaves its session alive; false when it is no unexpired token of ours. */
  async revokeAccessToken(token: string): Promise<boolean> {
    const { store, clock, emit } = this.#dependencies;
    const claims = await this.#verify(token, ['early']);
    if (claims?.jti === undefined) return false;
    const { jti: tokenId, iat = 0 } = claims;
    await store.append(tokenDead(tokenId, latest(clock(), new Date(iat * 1000))));
    emit({ type: 'access_token_revoked', at: clock(), tokenId });
    return true;
  }

  /** Tells about a token as RFC 7662 has it. Honours every way a token can die: expiry, session, user, itself. */
  async introspect(token: string): Promise<Introspection> {
    const refreshToken = await this.#introspectRefreshToken(token);
    return refreshToken ?? this.#introspectAccessToken(token);
  }

  async #introspectRefreshToken(token: string): Promise<Introspection | undefined> {
    const { store, refreshTokens, issuer } = this.#dependencies;
    const presented = parseRefreshToken(token);
    if (presented === undefined) return undefined;
    const live = await this.#live(store, presented.sessionId);
    const isCurrent =
      live !== undefined &&
      presented.generation === live.session.generation &&
      refreshTokens.isGenuine(presented, live.session.salt);
    if (!isCurrent) return { active: false };
    return {
      active: true,
      token_type: 'refresh_token',
      iss: issuer,
      ...(await this.#person(live, live.session.scope)),
      exp: seconds(earliest(live.session.idleExpiresAt, live.session.expiresAt)),
      iat: seconds(live.session.mintedAt),
    };
  }

  async #introspectAccessToken(token: string): Promise<Introspection> {
    const { store } = this.#dependencies;
    const claims = await this.#verify(token);
    if (claims?.sid === undefined || claims.jti === undefined) return { active: false };
    const live = await this.#live(store, claims.sid);
    const isDead = (await store.changes.find(changeKinds.tokenDead, claims.jti)) !== undefined;
    if (live === undefined || isDead) return { active: false };
    const { iss, exp, iat = exp, nbf, aud, jti } = claims;
    const limit = claims['limited'] === true ? claims.scope : undefined;
    return {
      active: true,
      token_type: 'Bearer',
      iss,
      ...(await this.#person(live, limit)),
      exp,
      iat,
      aud,
      jti,
      ...(nbf === undefined ? {} : { nbf }),
    };
  }

  async #person({ session, user }: LiveSession, limit: string | undefined): Promise<Person> {
    const { store } = this.#dependencies;
    const { scope } = grantScope(await scopesOfRoles(store, user.roles), limit, undefined);
    return {
      sub: user.id,
      username: user.username,
      client_id: firstPartyClient,
      scope,
      roles: user.roles,
      sid: session.id,
    };
  }

  async #live(store: Repositories, sessionId: string): Promise<LiveSession | undefined> {
    const session = await store.sessions.find(sessionId);
    const now = this.#dependencies.clock();
    if (session === undefined || session.endedAt !== undefined) return undefined;
    if (session.expiresAt <= now || session.idleExpiresAt <= now) return undefined;
    const user = await store.users.find(session.userId);
    const isOver = user === undefined || user.disabled || user.epoch !== session.userEpoch;
    return isOver ? undefined : { session, user };
  }

  async #sessionOf(token: string): Promise<string | undefined> {
    const { store, refreshTokens } = this.#dependencies;
    const presented = parseRefreshToken(token);
    if (presented === undefined) return (await this.#verify(token, ['early', 'late'], endingMaxAge))?.sid;
    const session = await store.sessions.find(presented.sessionId);
    const isGenuine = session !== undefined && refreshTokens.isGenuine(presented, session.salt);
    return isGenuine ? presented.sessionId : undefined;
  }

  async #verify(token: string, accepted: readonly Untimely[] = [], maxAge = 0): Promise<AccessTokenClaims | undefined> {
    const { keys, issuer, audience, clock } = this.#dependencies;
    try {
      const now = accepted.length === 0 ? clock() : momentWithin(token, clock(), accepted);
      const { header, claims } = await verifyAccessToken(token, { keys: keys.source, issuer, audience, now });
      return (await this.#isKeyDead(header.kid ?? '', maxAge)) ? undefined : claims;
    } catch (error) {
      if (!isJwtError(error)) throw error;
      if (error.code !== 'keys_unavailable') return undefined;
      // The clock was set far ahead while the keys were being read: they are too old all of a sudden.
      throw new AuthError('store_unavailable', 'the keys are too old', { retryAfter: 1 }, { cause: error });
    }
  }

  /** The keys in memory may be older than the word that one of them is dead. Only keys that have signed are asked about. */
  #isKeyDead(keyId: string, maxAge: number): Promise<boolean> {
    const { changes } = this.#dependencies.store;
    const known = this.#keyDeaths.get(keyId);
    const read = known ?? new SerialReads(async () => (await changes.find(changeKinds.keyDead, keyId)) !== undefined);
    this.#keyDeaths.set(keyId, read);
    return maxAge === 0 ? read.fresh() : read.recent(maxAge);
  }
}

/** What both kinds of token tell about their owner. */
type Person = Pick<ActiveToken, 'sub' | 'username' | 'client_id' | 'scope' | 'roles' | 'sid'>;

/** A token that comes before its life began, by a clock that was set back since, or after it has ended. */
type Untimely = 'early' | 'late';

/** Now, or the moment next to it at which an untimely token is good: its signature is checked all the same. */
function momentWithin(token: string, now: Date, accepted: readonly Untimely[]): Date {
  const { exp, nbf, iat } = decodeJwtUnverified(token).claims;
  const bounded = accepted.includes('late') && isMoment(exp) ? earliest(now, new Date((exp - 1) * 1000)) : now;
  const begins = [nbf, iat].filter(isMoment).map((begin) => new Date(begin * 1000));
  return accepted.includes('early') ? begins.reduce(latest, bounded) : bounded;
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function seconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}

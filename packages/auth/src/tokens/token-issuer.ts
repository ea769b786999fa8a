import type { SigningKeys } from '../keys/signing-keys.ts';
import type { RefreshTokens } from '../sessions/refresh-token.ts';
import type { SessionLifetimes } from '../sessions/session-lifetimes.ts';
import type { SessionRecord } from '../sessions/session.ts';
import type { UserRecord } from '../users/user.ts';
import { signAccessToken, type AccessTokenConfig } from './access-tokens.ts';
import type { GrantedScope } from './granted-scope.ts';
import type { TokenPair } from './token-pair.ts';

/** Everything that the tokens will say. */
export interface TokenGrant {
  readonly session: Pick<SessionRecord, 'id' | 'generation' | 'salt' | 'createdAt' | 'expiresAt'>;
  readonly user: Pick<UserRecord, 'id' | 'roles'>;
  readonly granted: GrantedScope;
  /** Position of the change log, read before everything else or together with it. */
  readonly asOf: number;
  readonly issuedAt: Date;
}

/** Signs the tokens of a session in its present state. */
export class TokenIssuer {
  readonly #keys: SigningKeys;
  readonly #accessTokens: AccessTokenConfig;
  readonly #refreshTokens: RefreshTokens;
  readonly #lifetimes: SessionLifetimes;

  constructor(
    keys: SigningKeys,
    accessTokens: AccessTokenConfig,
    refreshTokens: RefreshTokens,
    lifetimes: SessionLifetimes,
  ) {
    this.#keys = keys;
    this.#accessTokens = accessTokens;
    this.#refreshTokens = refreshTokens;
    this.#lifetimes = lifetimes;
  }

  async issue({ session, user, granted, asOf, issuedAt }: TokenGrant): Promise<TokenPair> {
    const claims = {
      userId: user.id,
      sessionId: session.id,
      roles: user.roles,
      granted,
      asOf,
      authenticatedAt: session.createdAt,
      issuedAt,
      sessionExpiresAt: session.expiresAt,
    };
    return {
      ...signAccessToken(this.#accessTokens, claims, await this.#keys.signingKey(asOf)),
      refreshToken: this.#refreshTokens.make(session.id, session.generation, session.salt),
      refreshExpiresIn: Math.min(this.#lifetimes.idle, secondsBetween(issuedAt, session.expiresAt)),
      scope: granted.scope,
      sessionId: session.id,
      userId: user.id,
    };
  }
}

function secondsBetween(from: Date, to: Date): number {
  return Math.floor((to.getTime() - from.getTime()) / 1000);
}

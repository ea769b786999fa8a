import { issueAccessToken, type JwtKey } from '@sallyport/jwt';
import { randomId, type Random } from '../ports.ts';
import type { GrantedScope } from './granted-scope.ts';

/** The client that every caller is until clients can be registered. */
export const firstPartyClient = 'first-party';

/** How many characters of role names and of what they grant a token holds together before the latter stays out. */
const longestSnapshot = 72;

/** Whom an access token is for, read in the transaction that starts or continues the session. */
export interface AccessTokenGrant {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
  readonly granted: GrantedScope;
  /** Position of the change log, read before everything else here. */
  readonly asOf: number;
  /** When the user signed in, which no refresh moves. */
  readonly authenticatedAt: Date;
  /** When the token starts to live; its end follows from it, so that no pause before signing prolongs it. */
  readonly issuedAt: Date;
  /** An access token never outlives its session. */
  readonly sessionExpiresAt: Date;
}

/** A signed access token and its life in whole seconds. */
export interface IssuedAccessToken {
  readonly accessToken: string;
  readonly expiresIn: number;
}

/** What every access token of this server shares. */
export interface AccessTokenConfig {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  readonly random: Random;
}

/**
 * Signs an access token (RFC 9068).
 *
 * Its size is bounded whatever the user may do: a snapshot of what many roles grant stays out when it is long. Guards
 * with the change log look the roles up anyway; others see such a token without scopes, which opens nothing.
 */
export function signAccessToken(config: AccessTokenConfig, grant: AccessTokenGrant, key: JwtKey): IssuedAccessToken {
  const { issuer, audience, lifetime, random } = config;
  const { scope, limited } = grant.granted;
  const fits = scope.length + grant.roles.join().length <= longestSnapshot;
  const issuedAt = toSeconds(grant.issuedAt);
  const expiresAt = Math.min(issuedAt + lifetime, toSeconds(grant.sessionExpiresAt));
  const claims = {
    iss: issuer,
    sub: grant.userId,
    aud: audience.length === 1 ? audience.join() : audience,
    client_id: firstPartyClient,
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
    auth_time: toSeconds(grant.authenticatedAt),
    jti: randomId(random),
    sid: grant.sessionId,
    af: grant.asOf,
    scope: limited || fits ? scope : '',
    roles: grant.roles,
    ...(limited ? { limited } : {}),
  };
  return { accessToken: issueAccessToken(claims, key), expiresIn: expiresAt - issuedAt };
}

function toSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}

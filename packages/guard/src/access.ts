import type { AccessTokenClaims } from '@sallyport/jwt';
import type { MaxStaleness } from './replica/truth.ts';

/** The words of one application: its claims, scopes and roles, as far as the compiler is told. */
export interface Terms {
  readonly claims: object;
  readonly scope: string;
  readonly role: string;
}

/** The words of an application that told nothing: the claims of RFC 9068, any scope, any role. */
export interface AnyTerms extends Terms {
  readonly claims: AccessTokenClaims;
}

/** Whether a person is behind a token or a program for itself. */
export type TokenKind = 'user' | 'client';

/** Who calls and what they may do, once a guard has granted the request. */
export interface Access<Words extends Terms = AnyTerms> {
  /** The user, or for a client acting for itself the client: the token's `sub`. */
  readonly subject: string;
  /** `client` when the token's `sub` is its own `client_id`, else `user`. */
  readonly tokenKind: TokenKind;
  /** What the caller may do. Wildcards stand as granted (`todos:*`): ask {@link Access.hasScope}. */
  readonly scopes: ReadonlySet<string>;
  /** The caller's roles, by name. */
  readonly roles: ReadonlySet<string>;
  /** Whom the token is meant for: `aud`, as a list. */
  readonly audience: readonly string[];
  /** The session the token belongs to: `sid`. */
  readonly sessionId?: string;
  /** The token's own identifier: `jti`. */
  readonly tokenId?: string;
  /** The client the token was issued to: `client_id`. */
  readonly clientId?: string;
  /** When the user signed in, if the token says so: `auth_time`. A refresh does not move it. */
  readonly authenticatedAt?: Date;
  /** When the token expires: `exp`. */
  readonly expiresAt: Date;
  /** All claims as verified. `scope` and `roles` in here are what the token says, not what holds now. */
  readonly claims: Words['claims'];
  /** Tells whether the caller's scopes cover this one. */
  hasScope(scope: Words['scope']): boolean;
  /** Tells whether the caller has exactly this role. */
  hasRole(role: Words['role']): boolean;
  /**
   * Tells whether the caller meets a demand, inside a handler. A policy must answer at once.
   *
   * @throws {TypeError} when the demand is misspelt, or a policy in it answers with a promise.
   */
  meets(demand: Demand<Words>): boolean;
  /**
   * Goes on only if the caller meets a demand, inside a handler. A policy must answer at once.
   *
   * @throws {AccessRefusedError} which every framework answers with its status and challenge.
   * @throws {TypeError} when the demand is misspelt, or a policy in it answers with a promise.
   */
  demand(demand: Demand<Words>): void;
}

/**
 * A rule of your own: the caller may pass if it answers exactly `true`, at once or in a promise. `context` is what the
 * framework hands its handlers (Express its request, Hono its context), and `undefined` inside a handler.
 */
export type Policy<Words extends Terms = AnyTerms, Context = unknown> = (
  access: Access<Words>,
  context: Context,
) => boolean | Promise<boolean>;

/** What can be asked of a caller. Everything that is named must hold. */
export interface Demand<Words extends Terms = AnyTerms, Context = unknown> {
  /** Scopes the caller must have, **all** of them. Default: none. */
  readonly scope?: Words['scope'] | readonly Words['scope'][];
  /** Scopes of which the caller must have **one**. Default: any or none. */
  readonly anyScope?: readonly Words['scope'][];
  /** Roles of which the caller must have **one**. Default: any or none. */
  readonly role?: Words['role'] | readonly Words['role'][];
  /** Who must be behind the token. Default: either. */
  readonly tokenKind?: TokenKind;
  /** Names of which the token must be meant for **one**, besides being meant for the guard. Default: any. */
  readonly audience?: string | readonly string[];
  /**
   * Seconds since the user signed in, at most. Whoever signed in before is told to do it again (RFC 9470); so is whose
   * token does not say. Default: any time.
   */
  readonly maxAge?: number;
  /** A rule of your own. Default: none. */
  readonly policy?: Policy<Words, Context>;
  /** Demands of which **one** must be met. Default: none. */
  readonly anyOf?: readonly Demand<Words, Context>[];
  /** Demands that must **all** be met, for what cannot be said twice in one. Default: none. */
  readonly allOf?: readonly Demand<Words, Context>[];
}

/**
 * What a route asks of the caller. An empty requirement asks only for a valid access token.
 *
 * @example
 * import type { Requirement } from '@sallyport/guard';
 *
 * const requirement: Requirement = { scope: ['todos:read', 'todos:write'], role: ['editor', 'admin'] };
 */
export interface Requirement<Words extends Terms = AnyTerms, Context = unknown> extends Demand<Words, Context> {
  /**
   * Lets a request without credentials pass, with `access` undefined. Default: `false`.
   * A bad token is refused all the same, and a good one must still meet all the rest.
   */
  readonly optional?: boolean;
  /**
   * How old the guard's knowledge of revocations and roles may be for this route: seconds from 1 to 86400, or
   * `'until-expiry'`. Over it the guard asks the issuer, or answers 503. Default: as the guard's `feed` says.
   */
  readonly maxStaleness?: MaxStaleness;
}

/** A requirement that lets no stranger pass: behind it there is always a caller. */
export interface CallersOnly<Words extends Terms = AnyTerms, Context = unknown> extends Requirement<Words, Context> {
  readonly optional?: false;
}

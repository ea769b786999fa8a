import type { AccessTokenClaims, Algorithm, Keys, StandardSchema } from '@sallyport/jwt';
import type { CredentialSource } from './credentials/credential-source.ts';
import type { SeveralCredentials } from './credentials/credentials.ts';
import type { ChangeSource } from './replica/change.ts';
import type { FeedOptions } from './replica/feed/feed-options.ts';

/** What a guard must be told. `issuer` and `audience` have no default, on purpose. */
export interface GuardOptions<
  Claims extends object = AccessTokenClaims,
  Scope extends string = string,
  Role extends string = string,
> {
  /** The `iss` every token must have, exactly: an https URL, or an http one on a loopback address. */
  readonly issuer: string;
  /** This resource server's name in `aud`: a token must be meant for it, or for one of several. */
  readonly audience: string | readonly string[];
  /**
   * Keys that sign the issuer's tokens: a key, several, a JWK Set, or one fetched by `remoteJwkSet`.
   * Default: the keys the issuer publishes (`issuerJwkSet(issuer)`).
   */
  readonly keys?: Keys;
  /**
   * The algorithms accepted. Default: those of the keys. Needed for issuers whose RSA keys do not name theirs.
   */
  readonly algorithms?: readonly Algorithm[];
  /**
   * Live truth about revocations, roles and keys, over the network: the guard follows the issuer's feed. It begins to
   * when it is created; see {@link Guard.ready}, {@link Guard.status} and {@link Guard.close}.
   *
   * Default: none. A guard without it, and without `changes`, knows keys and expiry only: a token revoked, a user
   * disabled or a role taken away after the token was issued stays good until the token expires.
   */
  readonly feed?: FeedOptions;
  /**
   * The same truth in the process of the authorization server itself, read for every decision: `auth.changes`. Instead
   * of `feed`. Default: none.
   */
  readonly changes?: ChangeSource;
  /**
   * Asked about every token that is good in itself, after its signature was checked: for a list of revoked tokens of
   * your own. What it throws or rejects with, and any answer but `true` and `false`, makes a 503. It costs a question
   * per request, which `feed` and `changes` do not. Default: nobody is asked.
   *
   * @example
   * import { createGuard } from '@sallyport/guard';
   *
   * const revokedTokenIds = new Set<string>();
   * const guard = createGuard({
   *   issuer: 'https://auth.example.com',
   *   audience: 'https://api.example.com',
   *   isRevoked: ({ jti }) => jti === undefined || revokedTokenIds.has(jti),
   * });
   */
  readonly isRevoked?: (claims: AccessTokenClaims) => boolean | Promise<boolean>;
  /**
   * Where a request may bring its token, in this order. Default: `[{ in: 'header' }]`, the `Authorization` header as
   * `Bearer`.
   */
  readonly credentials?: readonly CredentialSource[];
  /**
   * What to do with a request that brings two credentials: `refuse` it, or believe the `first-match` in the order of
   * `credentials`. Default: `refuse`.
   */
  readonly severalCredentials?: SeveralCredentials;
  /**
   * What an `OPTIONS` request without credentials gets, which is how browsers ask whether they may send the real one:
   * `answer` it here, saying nothing and running no handler, or let it `pass` to a CORS handler behind the guard.
   * Behind a guard that lets it pass no handler may answer every method alike (`app.all`), for strangers reach it.
   * Default: `answer`. Best is a CORS handler before the guard: then nothing of this matters.
   */
  readonly preflight?: 'answer' | 'pass';
  /**
   * A validator for the claims (Zod, Valibot, ArkType, any Standard Schema that answers synchronously):
   * `access.claims` is what it makes of them, in its type, and a token it refuses is invalid. Default: the claims as
   * they are.
   */
  readonly claims?: StandardSchema<Claims>;
  /**
   * The scopes of this API, each with a sentence for people. A requirement that names another does not compile, and
   * throws when its route is declared. Default: any scope.
   */
  readonly scopes?: Readonly<Record<Scope, string>>;
  /** The roles of this API, likewise. Default: any role. */
  readonly roles?: readonly Role[];
  /**
   * Where people sign in, for the documentation of this API alone: the Authorize button of its page asks there for a
   * token. `false`: nowhere, a token must be pasted. Default: `/token` below the issuer, as Sallyport has it.
   */
  readonly tokenEndpoint?: string | false;
  /** The realm in challenges: printable ASCII without quotes and backslashes. Default: the issuer. */
  readonly realm?: string;
  /** The `typ` header every token must have. Default: `'at+jwt'`. Set it only for issuers that do not follow RFC 9068. */
  readonly typ?: string;
  /** How far `nbf` and `iat` may lie in the future, in seconds, at most 60; `exp` is exact. Default: 5. */
  readonly clockTolerance?: number;
  /**
   * How many verified tokens are recognised without checking their signature again: only while they live and the keys
   * are the same, and before every other check, which is made each time. About 1.1 KB each; 0 for none. Default: 1000.
   */
  readonly cacheSize?: number;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
  /**
   * Hears why a request was answered 503: the key source or the change source is down. For your log.
   * Default: nobody is told.
   */
  readonly onUnavailable?: (cause: unknown) => void;
}

import { type AccessTokenClaims, coversScope } from '@sallyport/jwt';
import type { Access, Demand, TokenKind } from './access.ts';
import { findShortfall, resolveRequirement, type Vocabulary } from './requirement.ts';
import type { Rights } from './rights.ts';
import type { Shortfall } from './rules.ts';
import type { VerifiedToken } from './verification.ts';

/** What an access needs of the guard that granted it. */
export interface Grantor {
  readonly vocabulary: Vocabulary;
  readonly now: () => Date;
  /** Makes the error of a demand that is not met. */
  readonly refused: (shortfall: Shortfall) => Error;
}

/** The token an access was granted for, and its text as it was sent. */
export interface GrantedToken {
  readonly token: VerifiedToken;
  readonly text: string;
}

const milliseconds = 1000;

/** The access a verified token gives, with the rights that hold now. */
export class GrantedAccess implements Access {
  readonly subject: string;
  readonly tokenKind: TokenKind;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  readonly claims: AccessTokenClaims;
  // Absent, not undefined, where the token does not say.
  declare readonly sessionId?: string;
  declare readonly tokenId?: string;
  declare readonly clientId?: string;
  declare readonly authenticatedAt?: Date;
  readonly #granted: GrantedToken;
  readonly #grantor: Grantor;

  constructor(granted: GrantedToken, { scopes, roles }: Rights, grantor: Grantor) {
    const { claims, typedClaims } = granted.token;
    const { sub, aud, exp, sid, jti, client_id, auth_time } = claims;
    this.#granted = granted;
    this.#grantor = grantor;
    this.subject = sub;
    this.tokenKind = sub === client_id ? 'client' : 'user';
    this.scopes = scopes;
    this.roles = roles;
    this.audience = typeof aud === 'string' ? [aud] : aud;
    this.expiresAt = new Date(exp * milliseconds);
    // What the type of the claims promises is what the application's schema has made of them.
    this.claims = typedClaims as AccessTokenClaims;
    if (sid !== undefined) this.sessionId = sid;
    if (jti !== undefined) this.tokenId = jti;
    if (client_id !== undefined) this.clientId = client_id;
    if (auth_time !== undefined) this.authenticatedAt = new Date(auth_time * milliseconds);
    Object.freeze(this);
  }

  /** The token behind an access that one of our guards has granted. It is no member, so that no log shows it. */
  static tokenOf(access: object): GrantedToken | undefined {
    return #granted in access ? access.#granted : undefined;
  }

  hasScope(scope: string): boolean {
    return coversScope(this.scopes, scope);
  }

  hasRole(role: string): boolean {
    return this.roles.has(role);
  }

  meets(demand: Demand): boolean {
    return this.#findShortfall(demand) === undefined;
  }

  demand(demand: Demand): void {
    const lacking = this.#findShortfall(demand);
    if (lacking !== undefined) throw this.#grantor.refused(lacking);
  }

  #findShortfall(demand: Demand): Shortfall | undefined {
    const { vocabulary, now } = this.#grantor;
    const finding = findShortfall(this, resolveRequirement(demand, vocabulary), { now, context: undefined });
    if (!(finding instanceof Promise)) return finding;
    finding.catch(() => undefined);
    throw new TypeError('Inside a handler a policy must answer at once: await what it needs before');
  }
}

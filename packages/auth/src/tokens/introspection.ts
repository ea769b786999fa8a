/** What RFC 7662 tells about a token, in its own names. A token that is not live is only that. */
export type Introspection = { readonly active: false } | ActiveToken;

/** A live token. */
export interface ActiveToken {
  readonly active: true;
  readonly token_type: 'Bearer' | 'refresh_token';
  readonly iss: string;
  readonly sub: string;
  readonly username: string;
  readonly client_id: string;
  /** What the token grants now: live roles, not those of the day it was issued. */
  readonly scope: string;
  readonly roles: readonly string[];
  readonly sid: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly iat: number;
  readonly nbf?: number;
  readonly aud?: string | readonly string[];
  readonly jti?: string;
}

/** What a token for a test should be like. */
export interface TokenWishes {
  /** Whose it is. Default: `user-1`. */
  readonly subject?: string;
  /** The roles of its owner. Default: `['user']`. */
  readonly roles?: readonly string[];
  /**
   * What it may do: scopes, in a list or separated by spaces. Default: what the issuer was told its roles grant.
   * Within roles the issuer was told of, a token may do no more than they grant.
   */
  readonly scope?: string | readonly string[];
  /** Its session. Default: one of its own. */
  readonly sessionId?: string;
  /** Its client. The same as `subject`: the token of a program that acts for itself. Default: `test-client`. */
  readonly clientId?: string;
  /** Whom it is meant for. Default: the issuer's audience. */
  readonly audience?: string | readonly string[];
  /** How long it lives, in seconds. Default: 900. */
  readonly lifetime?: number;
  /** How long ago its owner signed in, in seconds. Default: 0. */
  readonly signedInAgo?: number;
  /** More claims, or other values for those that are there; `undefined` takes one away. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;

  /** Its life is over. */
  readonly expired?: boolean;
  /** Its life has not begun. */
  readonly notYetValid?: boolean;
  /** It was taken back. */
  readonly revoked?: boolean;
  /** Somebody else's key has signed it. */
  readonly wrongKey?: boolean;
  /** Another issuer's name is in it. */
  readonly wrongIssuer?: boolean;
  /** It is meant for another API. */
  readonly wrongAudience?: boolean;
  /** It is no access token: its `typ` is `JWT`. */
  readonly wrongType?: boolean;
  /** Its claims were changed after it was signed. */
  readonly tampered?: boolean;
}

const known: Readonly<Record<keyof TokenWishes, true>> = {
  subject: true,
  roles: true,
  scope: true,
  sessionId: true,
  clientId: true,
  audience: true,
  lifetime: true,
  signedInAgo: true,
  claims: true,
  expired: true,
  notYetValid: true,
  revoked: true,
  wrongKey: true,
  wrongIssuer: true,
  wrongAudience: true,
  wrongType: true,
  tampered: true,
};

/** Refuses a wish nobody could fulfil, so that no test passes for a flaw its token does not have. */
export function checkWishes(wishes: TokenWishes): void {
  const strange = Object.keys(wishes).find((name) => !Object.hasOwn(known, name));
  if (strange === undefined) return;
  throw new TypeError(`tokenFor: unknown wish "${strange}" (known: ${Object.keys(known).join(', ')})`);
}

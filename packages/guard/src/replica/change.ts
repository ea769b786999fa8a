/** What a change is about, by the number it has in the change log; after each, what its key holds. */
export const changeKinds = {
  /** A session was ended. Key: `sid`. */
  sessionDead: 1,
  /** Every token of a user issued before is revoked. Key: `sub`. */
  userFloor: 2,
  /** Every token of an organisation issued before is revoked. Key: `o`. */
  organisationFloor: 3,
  /** Every token of a client issued before is revoked. Key: `client_id`. */
  clientFloor: 4,
  /** Every token issued before is revoked. Key: empty. */
  globalFloor: 5,
  /** A signing key may no longer be believed, whenever the token was issued. Key: `kid`. */
  keyDead: 6,
  /** A role was defined anew. Key: the role's name. Data: `{ scopes }`, or `null` once the role is deleted. */
  roleDefinition: 7,
  /** A user's roles changed. Key: `sub`. Data: `{ roles }`. */
  userOverride: 8,
  /** One token was revoked. Key: `jti`. */
  tokenDead: 9,
} as const;

/** The number of a change this version understands. */
export type ChangeKind = (typeof changeKinds)[keyof typeof changeKinds];

/** One entry of the change log. */
export interface Change {
  /** The entry's place in the log: gapless, in commit order, from 1. A token's `af` is such a place. */
  readonly sequence: number;
  /** One of {@link changeKinds}, or a kind of a later version. */
  readonly kind: number;
  /** Whom or what the change is about; {@link changeKinds} says what it holds for each kind. */
  readonly key: string;
  /** When no token it concerns can be alive any more, in epoch seconds; `undefined`: it never expires. */
  readonly expiresAt: number | undefined;
  /** Whether a guard that does not know the kind must stop granting rather than skip it. */
  readonly critical: boolean;
  /** What the kind adds, if anything. */
  readonly data?: unknown;
}

/** What a change source answers: everything after a cursor, as of one moment. */
export interface ChangeBatch {
  /** Names this history of the log. Another value means the log was restored or replaced. */
  readonly incarnation: string;
  /** The log's last sequence, read together with the changes or before them, never after. */
  readonly head: number;
  /** Every live change after the cursor up to `head`, in order. */
  readonly changes: readonly Change[];
}

/**
 * Where a guard learns of revocations, role changes and dead keys. In the authorization server's own process it is
 * the database.
 *
 * @example
 * import { type ChangeSource, createGuard } from '@sallyport/guard';
 *
 * const changes: ChangeSource = {
 *   readSince: async (cursor) => ({ incarnation: 'a1', head: cursor, changes: [] }),
 * };
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com', changes });
 */
export interface ChangeSource {
  /**
   * Reads every live change after `cursor`, from the truth and not from a cache: a guard is as fresh as this answer.
   * Cursor 0 asks for everything still live. Reject when the truth cannot be read: the guard answers 503 then.
   */
  readSince(cursor: number): Promise<ChangeBatch>;
}

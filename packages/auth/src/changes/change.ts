/**
 * What kinds of change a guard must learn. The numbers are the feed's wire format and never change their meaning.
 *
 * A floor or a death hits every token whose `af` is lower than the change's own sequence number.
 */
export const changeKinds = {
  /** The session is over. Key: session id. */
  sessionDead: 1,
  /** Every token of a user made before this is dead. Key: user id. */
  userFloor: 2,
  /** The same for an organisation. Key: its id. */
  organisationFloor: 3,
  /** The same for a client. Key: client id. */
  clientFloor: 4,
  /** The same for everybody. Key: empty. */
  globalFloor: 5,
  /** A signing key is no longer trusted. Key: key id. */
  keyDead: 6,
  /** What a role grants. Key: role name, data: `{ scopes }` or null when the role is gone. */
  roleDefinition: 7,
  /** The roles a user has now, instead of those in older tokens. Key: user id, data: `{ roles }`. */
  userOverride: 8,
  /** One access token is dead. Key: its `jti`. */
  tokenDead: 9,
} as const;

/** One entry of the change log. */
export interface Change {
  /** Position in the log: gapless, in commit order. */
  readonly sequence: number;
  /** One of {@link changeKinds}; a newer server may write kinds an older reader does not know. */
  readonly kind: number;
  readonly key: string;
  /** Seconds since 1970 after which no token it concerns can be valid; absent: never. */
  readonly expiresAt: number | undefined;
  /** Whether a reader that does not know the kind must stop trusting tokens until it is upgraded. */
  readonly critical: boolean;
  /** Whether somebody waits until guards have it: they tell at once. */
  readonly acknowledge: boolean;
  readonly data?: unknown;
}

/** A change that has not been given its place in the log yet. */
export interface NewChange extends Pick<Change, 'kind' | 'key' | 'critical' | 'data'> {
  /** The last moment at which a token it concerns can have been issued; absent: it concerns tokens for ever. */
  readonly issuedUntil: Date | undefined;
  /** Somebody waits until guards have it. Default: nobody does. */
  readonly acknowledge?: boolean;
}

/** How far the log has come, and what else its head row says. */
export interface LogPosition {
  /** Names this lineage of the database; it changes when a backup is restored. */
  readonly incarnation: string;
  /** The last sequence number in the log. */
  readonly head: number;
  /** The longest life an access token was ever issued with, in seconds. */
  readonly tokenLifetime: number;
  /** Another number whenever the feed credentials have changed. */
  readonly credentialVersion: number;
}

/** How far the log has come, and the part of it after a cursor. */
export interface ChangeBatch extends LogPosition {
  readonly changes: readonly Change[];
}

/** How long a change outlives the last token it can concern, in seconds: covers clocks that differ. */
const expiryMargin = 60;

/** When the last token that a change concerns has expired, given the longest life a token was ever issued with. */
export function expiryOf({ issuedUntil }: NewChange, tokenLifetime: number): number | undefined {
  if (issuedUntil === undefined) return undefined;
  return Math.ceil(issuedUntil.getTime() / 1000) + tokenLifetime + expiryMargin;
}

/** What an entry is about. */
export interface ChangeSubject {
  readonly kind: number;
  readonly key: string;
}

/** The later of two moments: tokens may have been issued by a clock that was set back since. */
export function latest(now: Date, issued: Date | undefined): Date {
  return issued !== undefined && issued > now ? issued : now;
}

/** The earlier of two moments. */
export function earliest(one: Date, other: Date): Date {
  return other < one ? other : one;
}

/** A session is over. */
export function sessionDead(sessionId: string, issuedUntil: Date): NewChange {
  return { kind: changeKinds.sessionDead, key: sessionId, issuedUntil, critical: true };
}

/** Every token of a user made before is dead. */
export function userFloor(userId: string, issuedUntil: Date): NewChange {
  return { kind: changeKinds.userFloor, key: userId, issuedUntil, critical: true };
}

/** Every token made before is dead. */
export function globalFloor(): NewChange {
  return { kind: changeKinds.globalFloor, key: '', issuedUntil: undefined, critical: true };
}

/** A signing key is trusted no more, whatever it signed and will sign. */
export function keyDead(keyId: string): NewChange {
  return { kind: changeKinds.keyDead, key: keyId, issuedUntil: undefined, critical: true };
}

/** What a role grants from now on; without scopes: there is no such role any more. */
export function roleDefinition(role: string, scopes: readonly string[] | undefined): NewChange {
  const data = scopes === undefined ? null : { scopes };
  return { kind: changeKinds.roleDefinition, key: role, issuedUntil: undefined, critical: true, data };
}

/** The roles a user has now, instead of those in older tokens. */
export function userOverride(userId: string, roles: readonly string[], issuedUntil: Date): NewChange {
  return { kind: changeKinds.userOverride, key: userId, issuedUntil, critical: true, data: { roles } };
}

/** One access token is dead. */
export function tokenDead(tokenId: string, issuedUntil: Date): NewChange {
  return { kind: changeKinds.tokenDead, key: tokenId, issuedUntil, critical: true };
}

/** Whether a change alters what somebody may do: their roles, or what a role grants. */
export function isAboutRoles({ kind }: Pick<NewChange, 'kind'>): boolean {
  return kind === changeKinds.roleDefinition || kind === changeKinds.userOverride;
}

/** The same change, and whether somebody waits until guards have it. */
export function marked(change: NewChange, acknowledge: boolean): NewChange {
  return acknowledge ? { ...change, acknowledge } : change;
}

/** One signed-in device, as its owner sees it. */
export interface Session {
  /** The `sid` of its access tokens: an identifier, not a secret. */
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  /** When it ends by itself unless it is used before. */
  readonly expiresAt: Date;
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
  /** The narrower scope its client asked for; absent: all that the user's roles grant. */
  readonly scope: string | undefined;
}

/** A session as it is kept. Constant in size, however often it is refreshed. */
export interface SessionRecord {
  readonly id: string;
  readonly userId: string;
  /** The user's epoch at sign-in; another one now means this session was ended with all the others. */
  readonly userEpoch: number;
  /** The only generation of the refresh token that may rotate. */
  readonly generation: number;
  /** The last generation that the client has proven to hold. */
  readonly base: number;
  /** When the current generation was made. */
  readonly mintedAt: Date;
  /** When `base` was proven: a fork does not move it. */
  readonly rotatedAt: Date;
  /** Without it the server's key alone makes no refresh token. */
  readonly salt: Uint8Array;
  readonly scope: string | undefined;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly idleExpiresAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | undefined;
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
}

/** Where a request came from, as far as it says: for the owner's list of devices, not for decisions. */
export interface Device {
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
}

/** Why a session ended. */
export type SessionEndReason = 'signed_out' | 'ended_by_user' | 'refresh_token_reused';

/** Shows a record to its owner. */
export function toSession(record: SessionRecord): Session {
  return {
    id: record.id,
    userId: record.userId,
    createdAt: record.createdAt,
    lastUsedAt: record.lastUsedAt,
    expiresAt: record.idleExpiresAt < record.expiresAt ? record.idleExpiresAt : record.expiresAt,
    userAgent: record.userAgent,
    address: record.address,
    scope: record.scope,
  };
}

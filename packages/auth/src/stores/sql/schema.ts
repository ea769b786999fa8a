import type { Generated } from 'kysely';

/** Moments are milliseconds since 1970, flags 0 or 1: the same in every database. */
export interface Database {
  users: {
    id: string;
    username: string;
    username_folded: string;
    email: string | null;
    email_folded: string | null;
    password_hash: string;
    epoch: Generated<number>;
    disabled_at: number | null;
    created_at: number;
  };
  user_roles: {
    user_id: string;
    role: string;
  };
  roles: {
    name: string;
    /** Separated by spaces. */
    scopes: string;
  };
  sessions: {
    id: string;
    user_id: string;
    user_epoch: number;
    generation: number;
    base: number;
    minted_at: number;
    rotated_at: number;
    salt: Uint8Array;
    scope: string | null;
    created_at: number;
    last_used_at: number;
    idle_expires_at: number;
    expires_at: number;
    ended_at: number | null;
    end_reason: string | null;
    user_agent: string | null;
    address: string | null;
  };
  signing_keys: {
    id: string;
    algorithm: string;
    public_jwk: string;
    encrypted_private_key: string;
    created_at: number;
    activates_at: number;
  };
  /** One row: the length of the log and the name of this lineage of the database. */
  feed_head: {
    id: number;
    incarnation: string;
    sequence: number;
    /** The last entry of the log that was about roles, of one user or in general. */
    rights_sequence: Generated<number>;
    /** The longest life an access token was ever issued with, in seconds. */
    token_lifetime: number;
    /** Counts how often the feed credentials have changed. */
    credentials: Generated<number>;
  };
  feed_log: {
    sequence: number;
    kind: number;
    key: string;
    /** Seconds since 1970. */
    expires_at: number | null;
    critical: number;
    /** Whether somebody waits until guards have this entry. */
    acknowledge: Generated<number>;
    data: string | null;
  };
  feed_credentials: {
    id: string;
    name: string;
    /** base64url of a SHA-256. */
    secret_hash: string;
    created_at: number;
  };
  /** The guards that follow the feed, one row each. */
  guards: {
    id: string;
    /** The server process that wrote the row last. */
    node: string;
    /** The last entry the guard has applied. */
    acknowledged: number;
    lease_until: number;
  };
}

/** What the one set of queries must know about a database: nothing else differs. */
export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres';
  /** The type of a column that holds bytes. */
  readonly bytes: 'blob' | 'bytea';
}

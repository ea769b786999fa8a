import type { Restart } from './feed/feed-tail.ts';
import type { RefreshOutcome } from './sessions/refresh-rotation.ts';

/** What each thing that happens tells an observer: ids and outcomes, never a token, a password or a key. */
export interface AuthEventDetails {
  user_registered: { readonly userId: string };
  user_created: { readonly userId: string };
  user_updated: { readonly userId: string };
  user_disabled: { readonly userId: string };
  user_enabled: { readonly userId: string };
  user_deleted: { readonly userId: string };
  password_changed: { readonly userId: string };
  password_rehashed: { readonly userId: string };
  roles_set: { readonly userId: string; readonly roles: readonly string[] };
  signed_in: { readonly userId: string; readonly sessionId: string };
  /** Who was tried is told only when that user exists: a name that does not may be a password typed in the wrong field. */
  sign_in_refused: {
    readonly reason: 'unknown_user' | 'wrong_password' | 'no_password' | 'disabled';
    readonly userId: string | undefined;
  };
  /** Every presentation of a refresh token, classified; `reused` means two parties held one lineage. */
  refresh_presented: { readonly outcome: RefreshOutcome; readonly sessionId: string | undefined };
  session_ended: { readonly sessionId: string; readonly reason: string };
  sessions_ended: { readonly userId: string; readonly reason: string };
  every_session_ended: { readonly count: number };
  access_token_revoked: { readonly tokenId: string };
  role_set: { readonly role: string; readonly scopes: readonly string[] };
  role_deleted: { readonly role: string };
  key_created: { readonly keyId: string; readonly algorithm: string };
  /** The key was marked compromised: nothing that it signed is accepted any more. */
  key_revoked: { readonly keyId: string };
  feed_credential_created: { readonly name: string };
  feed_credential_revoked: { readonly name: string };
  /**
   * The change log went on from another place: `recovered` by `recover`; `shortened` by a restored backup or a failover that
   * lost commits, after which `recover` must be run; or entries were `incomplete`. Guards start over with a snapshot.
   */
  change_log_restarted: { readonly reason: Restart; readonly from: number; readonly to: number };
  /** Everything issued before was made worthless, after a backup was restored. */
  recovered: { readonly sessions: number; readonly keys: number };
  /** What had been over for two days was removed from the database. */
  pruned: { readonly sessions: number; readonly changes: number };
}

/** One thing that happened, for the log and the audit trail. `switch (event.type)` narrows the rest. */
export type AuthEvent = {
  [Type in keyof AuthEventDetails]: { readonly type: Type; readonly at: Date } & AuthEventDetails[Type];
}[keyof AuthEventDetails];

/** Receives every event after it was committed. What it throws or rejects with becomes a process warning. */
export type EventListener = (event: AuthEvent) => void;

/** An observer that fails must not undo what it observes: it is only warned of. */
export function quietly(listener: EventListener): EventListener {
  const warn = (error: unknown): void => {
    process.emitWarning(error instanceof Error ? error : String(error), 'SallyportEventListener');
  };
  return (event) => {
    try {
      const returned: unknown = listener(event);
      if (returned instanceof Promise) returned.catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}

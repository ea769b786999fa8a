import type { SessionStanding } from '../sessions/session-store.ts';
import type { SessionRecord } from '../sessions/session.ts';
import { grantScope, type GrantedScope } from './granted-scope.ts';

/** How many sessions are kept at most; each takes some 700 bytes. */
const mostSessions = 32_768;

/** What is known of a session that was refreshed lately. */
export interface RecentSession extends Pick<SessionRecord, 'id' | 'userId' | 'salt' | 'createdAt' | 'expiresAt'> {
  readonly roles: readonly string[];
  readonly granted: GrantedScope;
  /** The last entry about roles in the change log when roles and scope were read: as long as it stays, they hold. */
  readonly rightsAsOf: number;
}

/**
 * What never changes in the sessions that were refreshed lately, and what their users might do then. Whoever knows a
 * salt can tell a genuine token without asking the database.
 */
export class RecentSessions {
  #recent = new Map<string, RecentSession>();
  #older = new Map<string, RecentSession>();

  get(sessionId: string): RecentSession | undefined {
    return this.#recent.get(sessionId) ?? this.#older.get(sessionId);
  }

  /** Only for sessions whose token has proven genuine, so that nobody else can push them out. */
  remember({ session, user, scopes, rightsAsOf }: SessionStanding): RecentSession {
    if (this.#recent.size >= mostSessions / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    const { id, userId, salt, createdAt, expiresAt, scope } = session;
    const granted = grantScope(scopes, scope, undefined);
    const recent = { id, userId, salt, createdAt, expiresAt, roles: user.roles, granted, rightsAsOf };
    this.#recent.set(id, recent);
    return recent;
  }
}

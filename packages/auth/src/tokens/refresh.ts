import { sessionDead } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import { decideRefresh, type RefreshOutcome, type RefreshPolicy } from '../sessions/refresh-rotation.ts';
import { parseRefreshToken, type PresentedRefreshToken, type RefreshTokens } from '../sessions/refresh-token.ts';
import { later, type SessionLifetimes } from '../sessions/session-lifetimes.ts';
import type { SessionStore, SessionUse } from '../sessions/session-store.ts';
import type { Device, SessionRecord } from '../sessions/session.ts';
import type { Store } from '../stores/store.ts';
import { grantScope } from './granted-scope.ts';
import type { TokenGrant, TokenIssuer } from './token-issuer.ts';
import type { TokenPair } from './token-pair.ts';

/** How often a decision is taken anew because another process changed the session in between. */
const attempts = 5;

/** What refreshing works with. */
export interface RefreshDependencies {
  readonly store: Store;
  readonly refreshTokens: RefreshTokens;
  readonly issuer: TokenIssuer;
  readonly lifetimes: SessionLifetimes;
  readonly policy: RefreshPolicy;
  readonly clock: Clock;
  readonly emit: EventListener;
}

/** What a refresh brings. */
export interface RefreshInput {
  readonly refreshToken: string;
  /** Less than the session has, for this access token only. Default: all that it has. */
  readonly scope?: string | undefined;
  readonly device?: Device | undefined;
}

/** What became of a presented token; with a grant, it buys new tokens. */
interface Presentation {
  readonly outcome: RefreshOutcome;
  readonly grant?: TokenGrant;
}

/** Another process changed the session first: decide again. */
const lost = Symbol('lost');

/** Trades refresh tokens for new ones, by the rule of `refresh-rotation.ts`. */
export class Refresh {
  readonly #dependencies: RefreshDependencies;

  constructor(dependencies: RefreshDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Every failure carries the same code; what really happened is in the event and in `details.outcome`.
   *
   * @throws {AuthError} `refresh_token_invalid`, `scope_invalid`
   */
  async withToken(input: RefreshInput): Promise<TokenPair> {
    const { issuer, clock, emit } = this.#dependencies;
    const token = parseRefreshToken(input.refreshToken);
    const { outcome, grant }: Presentation =
      token === undefined ? { outcome: 'malformed' } : await this.#present(token, input);
    // Anybody can write a session's id into a token: only a genuine one may speak in that session's name.
    const isProven = outcome !== 'unknown' && outcome !== 'malformed';
    emit({ type: 'refresh_presented', at: clock(), outcome, sessionId: isProven ? token?.sessionId : undefined });
    if (grant === undefined) throw new AuthError('refresh_token_invalid', 'refresh refused', { outcome });
    return issuer.issue(grant);
  }

  async #present(token: PresentedRefreshToken, input: RefreshInput): Promise<Presentation> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const presentation = await this.#decide(token, input);
      if (presentation !== lost) return presentation;
    }
    throw new AuthError('store_unavailable', 'a session kept changing', { retryAfter: 1 });
  }

  /**
   * One read and at most one write that names the generation it expects. What changes in between kills the tokens all
   * the same: the log was read with the rest, and the session dies with its user's epoch.
   */
  async #decide(token: PresentedRefreshToken, input: RefreshInput): Promise<Presentation | typeof lost> {
    const { store, refreshTokens, policy, clock } = this.#dependencies;
    // Before the read, so that no token outlives the change that kills it.
    const issuedAt = clock();
    const standing = await store.sessions.findStanding(token.sessionId);
    if (standing === undefined || !refreshTokens.isGenuine(token, standing.session.salt)) return { outcome: 'unknown' };
    const { session, user, asOf, scopes } = standing;
    if (user.disabled || user.epoch !== session.userEpoch) return { outcome: 'ended' };

    const decision = decideRefresh(session, token.generation, issuedAt, policy);
    if (decision === 'future' || decision === 'ended' || decision === 'expired') return { outcome: decision };
    if (decision === 'reuse') return this.#endStolen(session, issuedAt);

    const granted = grantScope(scopes, session.scope, input.scope);
    const { outcome, write } = moves[decision];
    const generation = await write(store.sessions, session, this.#use(issuedAt, input.device));
    if (generation === lost) return lost;
    return { outcome, grant: { session: { ...session, generation }, user, granted, asOf, issuedAt } };
  }

  async #endStolen(session: SessionRecord, now: Date): Promise<Presentation> {
    await this.#dependencies.store.transaction(async (transaction) => {
      if (await transaction.sessions.end(session.id, 'refresh_token_reused', now)) {
        transaction.append(sessionDead(session.id, now));
      }
    });
    return { outcome: 'reused' };
  }

  #use(now: Date, device: Device | undefined): SessionUse {
    return { now, idleExpiresAt: later(now, this.#dependencies.lifetimes.idle), ...device };
  }
}

interface Move {
  readonly outcome: RefreshOutcome;
  /** Writes the move and gives the generation whose token the client gets. */
  readonly write: (sessions: SessionStore, session: SessionRecord, use: SessionUse) => Promise<number | typeof lost>;
}

/** What the decisions that give new tokens write. */
const moves: Readonly<Record<'rotate' | 'replay' | 'fork', Move>> = {
  rotate: {
    outcome: 'rotated',
    write: async (sessions, { id, generation }, use) =>
      (await sessions.rotate(id, generation, use)) ? generation + 1 : lost,
  },
  replay: { outcome: 'replayed', write: (_sessions, { generation }) => Promise.resolve(generation) },
  fork: {
    outcome: 'forked',
    write: async (sessions, { id, generation }, { now }) =>
      (await sessions.fork(id, generation, now)) ? generation + 1 : lost,
  },
};

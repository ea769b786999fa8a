import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import {
  decideRefresh,
  outcomeOf,
  type RefreshDecision,
  type RefreshOutcome,
  type RefreshPolicy,
} from '../sessions/refresh-rotation.ts';
import { parseRefreshToken, type PresentedRefreshToken, type RefreshTokens } from '../sessions/refresh-token.ts';
import { later, type SessionLifetimes } from '../sessions/session-lifetimes.ts';
import type { SessionStore, SessionUse } from '../sessions/session-store.ts';
import type { Device, SessionRecord } from '../sessions/session.ts';
import { grantScope } from './granted-scope.ts';
import { RecentSessions, type RecentSession } from './recent-sessions.ts';
import type { TokenGrant, TokenIssuer } from './token-issuer.ts';
import type { TokenPair } from './token-pair.ts';

/** How often a decision is taken anew because another process changed the session in between. */
const attempts = 5;

/** What refreshing works with. */
export interface RefreshDependencies {
  readonly store: { readonly sessions: Pick<SessionStore, 'findStanding' | 'rotate' | 'fork' | 'end'> };
  readonly refreshTokens: RefreshTokens;
  readonly issuer: Pick<TokenIssuer, 'issue'>;
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
  readonly #recent = new RecentSessions();

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
   * Reads, decides, and writes what was decided unless somebody else was faster. What changes in between kills the tokens
   * all the same: the log was read with the rest, and the session dies with its user's epoch.
   */
  async #decide(token: PresentedRefreshToken, input: RefreshInput): Promise<Presentation | typeof lost> {
    const { store, refreshTokens, policy, clock } = this.#dependencies;
    // Before the read, so that no token outlives the change that kills it.
    const now = clock();
    const rotated = await this.#rotateUnread(token, input, now);
    if (rotated !== undefined) return rotated;
    const standing = await store.sessions.findStanding(token.sessionId);
    if (standing === undefined || !refreshTokens.isGenuine(token, standing.session.salt)) return { outcome: 'unknown' };
    this.#recent.remember(standing);
    const { session, user } = standing;
    if (user.disabled || user.epoch !== session.userEpoch) return { outcome: 'ended' };

    const decision = decideRefresh(session, token.generation, now, policy);
    const outcome = outcomeOf(decision, session, now);
    if (decision === 'reuse') await store.sessions.end(session.id, 'refresh_token_reused', now);
    if (!isMove(decision)) return { outcome };

    const granted = grantScope(standing.scopes, session.scope, input.scope);
    const next = await moves[decision](store.sessions, session, this.#use(now, input.device));
    if (next === lost) return lost;
    return { outcome, grant: { session: next, user, granted, asOf: standing.asOf, issuedAt: now } };
  }

  /**
   * The way almost every refresh goes: whoever has refreshed here lately is known to be genuine before anything is read,
   * and one statement rotates on the conditions of the rule. Undefined when it does not: then the rule says why.
   */
  async #rotateUnread(
    token: PresentedRefreshToken,
    { scope, device }: RefreshInput,
    now: Date,
  ): Promise<Presentation | undefined> {
    const { store, refreshTokens } = this.#dependencies;
    const known = this.#recent.get(token.sessionId);
    // A scope that is asked for may have to be refused, before anything is written.
    if (known === undefined || scope !== undefined || !refreshTokens.isGenuine(token, known.salt)) return undefined;
    const position = await store.sessions.rotate(token.sessionId, token.generation, this.#use(now, device));
    if (position === undefined) return undefined;
    const current = position.rightsAsOf === known.rightsAsOf ? known : await this.#readAgain(token.sessionId);
    // Deleted in between, with its user.
    if (current === undefined) return { outcome: 'ended' };
    const { userId, roles, granted } = current;
    const session = { ...current, generation: token.generation + 1 };
    // As of the rotation, though roles may be newer: a change in between asks for one look too many, never for none.
    const grant = { session, user: { id: userId, roles }, granted, asOf: position.asOf, issuedAt: now };
    return { outcome: 'rotated', grant };
  }

  /** Roles have changed since: somebody's. */
  async #readAgain(sessionId: string): Promise<RecentSession | undefined> {
    const standing = await this.#dependencies.store.sessions.findStanding(sessionId);
    return standing && this.#recent.remember(standing);
  }

  #use(now: Date, device: Device | undefined): SessionUse {
    return { now, idleExpiresAt: later(now, this.#dependencies.lifetimes.idle), ...device };
  }
}

/** Writes a decision that gives new tokens, and tells the session whose token the client gets. */
type Move = (
  sessions: Pick<SessionStore, 'rotate' | 'fork'>,
  session: SessionRecord,
  use: SessionUse,
) => Promise<SessionRecord | typeof lost>;

const moves: Readonly<Record<'rotate' | 'replay' | 'fork', Move>> = {
  rotate: advanceBy('rotate'),
  replay: (_sessions, session) => Promise.resolve(session),
  fork: advanceBy('fork'),
};

function advanceBy(write: 'rotate' | 'fork'): Move {
  return async (sessions, session, use) => {
    const { id, generation } = session;
    return (await sessions[write](id, generation, use)) ? { ...session, generation: generation + 1 } : lost;
  };
}

function isMove(decision: RefreshDecision): decision is keyof typeof moves {
  return Object.hasOwn(moves, decision);
}

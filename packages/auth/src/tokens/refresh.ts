import { latest, sessionDead } from '../changes/change.ts';
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
import type { SessionUse } from '../sessions/session-store.ts';
import type { Device, SessionRecord } from '../sessions/session.ts';
import type { Store, Transaction } from '../stores/store.ts';
import { grantScope, scopesOfRoles } from './granted-scope.ts';
import type { TokenGrant, TokenIssuer } from './token-issuer.ts';
import type { TokenPair } from './token-pair.ts';

/** How often a decision is taken anew because another process changed the session in between. */
const attempts = 5;

/** What refreshing works with. */
export interface RefreshDependencies {
  readonly store: Pick<Store, 'transaction'>;
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
      // The outcome is returned, not thrown: throwing would undo the end of a stolen session.
      const presentation = await this.#dependencies.store.transaction((transaction) =>
        this.#decide(transaction, token, input),
      );
      if (presentation !== lost) return presentation;
    }
    throw new AuthError('store_unavailable', 'a session kept changing', { retryAfter: 1 });
  }

  async #decide(
    transaction: Transaction,
    token: PresentedRefreshToken,
    input: RefreshInput,
  ): Promise<Presentation | typeof lost> {
    const { refreshTokens, policy, clock } = this.#dependencies;
    // First of all, so that a change that comes in between kills the token instead of being missed by it.
    const asOf = await transaction.changes.head();
    const session = await transaction.sessions.find(token.sessionId);
    if (session === undefined || !refreshTokens.isGenuine(token, session.salt)) return { outcome: 'unknown' };
    const user = await transaction.users.find(session.userId);
    if (user === undefined || user.disabled || user.epoch !== session.userEpoch) return { outcome: 'ended' };

    const issuedAt = clock();
    const decision = decideRefresh(session, token.generation, issuedAt, policy);
    const outcome = outcomeOf(decision, session, issuedAt);
    if (decision === 'reuse') await endStolen(transaction, session, issuedAt);
    if (!isMove(decision)) return { outcome };

    const granted = grantScope(await scopesOfRoles(transaction, user.roles), session.scope, input.scope);
    const generation = await moves[decision](transaction, session, this.#use(issuedAt, input.device));
    if (generation === lost) return lost;
    return { outcome, grant: { session: { ...session, generation }, user, granted, asOf, issuedAt } };
  }

  #use(now: Date, device: Device | undefined): SessionUse {
    return { now, idleExpiresAt: later(now, this.#dependencies.lifetimes.idle), ...device };
  }
}

async function endStolen(transaction: Transaction, session: SessionRecord, now: Date): Promise<void> {
  if (await transaction.sessions.end(session.id, 'refresh_token_reused', now)) {
    transaction.append(sessionDead(session.id, latest(now, session.mintedAt)));
  }
}

/** Writes a decision that gives new tokens, and tells the generation the client gets. */
type Move = (transaction: Transaction, session: SessionRecord, use: SessionUse) => Promise<number | typeof lost>;

const moves: Readonly<Record<'rotate' | 'replay' | 'fork', Move>> = {
  rotate: async ({ sessions }, { id, generation }, use) =>
    (await sessions.rotate(id, generation, use)) ? generation + 1 : lost,
  replay: (_transaction, { generation }) => Promise.resolve(generation),
  fork: async ({ sessions }, { id, generation }, use) =>
    (await sessions.fork(id, generation, use)) ? generation + 1 : lost,
};

function isMove(decision: RefreshDecision): decision is keyof typeof moves {
  return Object.hasOwn(moves, decision);
}

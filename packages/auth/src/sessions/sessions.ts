import { globalFloor, latest, userFloor } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import type { Store, Transaction } from '../stores/store.ts';
import { toSession, type Session, type SessionEndReason } from './session.ts';

/** What the operations on sessions work with. */
export interface SessionDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly emit: EventListener;
}

/** Signed-in devices. Ending a session kills its refresh token and its access tokens. Made by `createAuth`. */
export class Sessions {
  readonly #dependencies: SessionDependencies;

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies;
  }

  /** The live sessions of a user, newest first. @throws {AuthError} `user_not_found` */
  async list(userId: string): Promise<readonly Session[]> {
    const { store, clock } = this.#dependencies;
    const epoch = await epochOf(store, userId);
    return (await store.sessions.listLive(userId, epoch, clock())).map(toSession);
  }

  /**
   * Ends one session; with `userId`, only if it is that user's.
   *
   * @throws {AuthError} `session_not_found` when there is no such live session
   */
  async end(id: string, options: { readonly userId?: string } = {}): Promise<void> {
    const session = await this.#dependencies.store.sessions.find(id);
    const isTheirs = options.userId === undefined || session?.userId === options.userId;
    if (session === undefined || !isTheirs || !(await this.endFor(id, 'ended_by_user'))) {
      throw new AuthError('session_not_found', 'no such live session', {});
    }
  }

  /** Ends a session for a reason; false when it had ended. */
  async endFor(id: string, reason: SessionEndReason): Promise<boolean> {
    const { store, clock, emit } = this.#dependencies;
    const ended = await store.sessions.end(id, reason, clock());
    if (ended) emit({ type: 'session_ended', at: clock(), sessionId: id, reason });
    return ended;
  }

  /** Ends every session of a user by one write, however many there are; says how many. @throws {AuthError} `user_not_found` */
  async endAll(userId: string): Promise<number> {
    const { store, clock, emit } = this.#dependencies;
    const count = await store.transaction(async (transaction) => {
      const now = clock();
      const epoch = await epochOf(transaction, userId);
      const live = await transaction.sessions.countLive(now, { userId, userEpoch: epoch });
      await endEverySession(transaction, userId, now);
      return live;
    });
    emit({ type: 'sessions_ended', at: clock(), userId, reason: 'all_ended' });
    return count;
  }

  /** Ends every session of everybody; says how many there were. */
  async endEverything(): Promise<number> {
    const { store, clock, emit } = this.#dependencies;
    const count = await store.transaction(async (transaction) => {
      const live = await transaction.sessions.countLive(clock());
      await transaction.users.advanceEveryEpoch();
      transaction.append(globalFloor());
      return live;
    });
    emit({ type: 'every_session_ended', at: clock(), count });
    return count;
  }
}

async function epochOf(store: Pick<Store, 'users'>, userId: string): Promise<number> {
  const user = await store.users.find(userId);
  if (user === undefined) throw new AuthError('user_not_found', 'no such user', {});
  return user.epoch;
}

/** Ends every session of a user, by one row and one entry in the log. */
export async function endEverySession(transaction: Transaction, userId: string, now: Date): Promise<void> {
  await transaction.users.advanceEpoch(userId);
  transaction.append(userFloor(userId, await lastIssue(transaction, userId, now)));
}

/** The last moment at which a user's tokens can have been issued: now, or later by a clock that was set back since. */
export async function lastIssue({ sessions }: Pick<Transaction, 'sessions'>, userId: string, now: Date): Promise<Date> {
  return latest(now, await sessions.lastMinted(userId));
}

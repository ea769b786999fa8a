import { changeKinds, globalFloor, latest, marked, userFloor } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Confirmation, Confirmations } from '../feed/confirmations.ts';
import type { Clock } from '../ports.ts';
import type { Store, Transaction } from '../stores/store.ts';
import { toSession, type Session, type SessionEndReason } from './session.ts';

/** What the operations on sessions work with. */
export interface SessionDependencies {
  readonly store: Store;
  readonly confirmations: Confirmations;
  readonly clock: Clock;
  readonly emit: EventListener;
}

/** Whether to wait until every guard has learned of it, or has stopped granting by itself. Default: nobody waits. */
export interface ConfirmOption {
  readonly confirm: true;
}

/** What ending many sessions came to, for somebody who waited for the guards. */
export interface ConfirmedEnd {
  /** How many live sessions there were. */
  readonly ended: number;
  readonly confirmation: Confirmation;
}

/**
 * Signed-in devices. Ending a session kills its refresh token and its access tokens. Made by `createAuth`.
 *
 * With `{ confirm: true }` an end resolves when every guard on the feed knows of it or its lease has run out, and tells how
 * many did: within milliseconds, unless a guard has died lately. It has happened even if the wait fails.
 */
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
  end(id: string, options?: { readonly userId?: string }): Promise<void>;
  end(id: string, options: { readonly userId?: string } & ConfirmOption): Promise<Confirmation>;
  async end(id: string, { userId, confirm = false }: { userId?: string; confirm?: boolean } = {}): Promise<unknown> {
    const session = await this.#dependencies.store.sessions.find(id);
    const isTheirs = userId === undefined || session?.userId === userId;
    const refuse = (): never => {
      throw new AuthError('session_not_found', 'no such live session', {});
    };
    if (session === undefined || !isTheirs) return refuse();
    const end = async (): Promise<unknown> => (await this.endFor(id, 'ended_by_user', confirm)) || refuse();
    return confirm ? this.#confirmed(changeKinds.sessionDead, id, end) : end();
  }

  /** Ends a session for a reason; false when it had ended. With `isAwaited`, guards tell at once when they know. */
  async endFor(id: string, reason: SessionEndReason, isAwaited = false): Promise<boolean> {
    const { store, clock, emit } = this.#dependencies;
    const ended = await store.sessions.end(id, reason, clock(), isAwaited);
    if (ended) emit({ type: 'session_ended', at: clock(), sessionId: id, reason });
    return ended;
  }

  /** Ends every session of a user by one write, however many there are; says how many. @throws {AuthError} `user_not_found` */
  endAll(userId: string): Promise<number>;
  endAll(userId: string, options: ConfirmOption): Promise<ConfirmedEnd>;
  async endAll(userId: string, { confirm = false }: { confirm?: boolean } = {}): Promise<unknown> {
    const end = (): Promise<number> => this.#endAll(userId, confirm);
    return confirm ? this.#confirmedEnd(changeKinds.userFloor, userId, end) : end();
  }

  /** Ends every session of everybody; says how many there were. */
  endEverything(): Promise<number>;
  endEverything(options: ConfirmOption): Promise<ConfirmedEnd>;
  async endEverything({ confirm = false }: { confirm?: boolean } = {}): Promise<unknown> {
    const end = (): Promise<number> => this.#endEverything(confirm);
    return confirm ? this.#confirmedEnd(changeKinds.globalFloor, '', end) : end();
  }

  async #endAll(userId: string, isAwaited: boolean): Promise<number> {
    const { store, clock, emit } = this.#dependencies;
    const count = await store.transaction(async (transaction) => {
      const now = clock();
      const epoch = await epochOf(transaction, userId);
      const live = await transaction.sessions.countLive(now, { userId, userEpoch: epoch });
      await endEverySession(transaction, userId, now, isAwaited);
      return live;
    });
    emit({ type: 'sessions_ended', at: clock(), userId, reason: 'all_ended' });
    return count;
  }

  async #endEverything(isAwaited: boolean): Promise<number> {
    const { store, clock, emit } = this.#dependencies;
    const count = await store.transaction(async (transaction) => {
      const live = await transaction.sessions.countLive(clock());
      await transaction.users.advanceEveryEpoch();
      transaction.append(marked(globalFloor(), isAwaited));
      return live;
    });
    emit({ type: 'every_session_ended', at: clock(), count });
    return count;
  }

  async #confirmed(kind: number, key: string, end: () => Promise<unknown>): Promise<Confirmation> {
    return (await this.#dependencies.confirmations.of({ kind, key }, end)).confirmation;
  }

  async #confirmedEnd(kind: number, key: string, end: () => Promise<number>): Promise<ConfirmedEnd> {
    const { result: ended, confirmation } = await this.#dependencies.confirmations.of({ kind, key }, end);
    return { ended, confirmation };
  }
}

async function epochOf(store: Pick<Store, 'users'>, userId: string): Promise<number> {
  const user = await store.users.find(userId);
  if (user === undefined) throw new AuthError('user_not_found', 'no such user', {});
  return user.epoch;
}

/** Ends every session of a user, by one row and one entry in the log. */
export async function endEverySession(
  transaction: Transaction,
  userId: string,
  now: Date,
  isAwaited = false,
): Promise<void> {
  await transaction.users.advanceEpoch(userId);
  transaction.append(marked(userFloor(userId, await lastIssue(transaction, userId, now)), isAwaited));
}

/** The last moment at which a user's tokens can have been issued: now, or later by a clock that was set back since. */
export async function lastIssue({ sessions }: Pick<Transaction, 'sessions'>, userId: string, now: Date): Promise<Date> {
  return latest(now, await sessions.lastMinted(userId));
}

import {
  latest,
  marked,
  sessionDead,
  type NewChange,
  type Position,
  type Pruned,
  type SessionEndReason,
  type SessionRecord,
  type SessionStanding,
  type SessionStore,
  type SessionUse,
} from '@sallyport/auth/store';
import { toRecord } from './map-users.ts';
import { change, sorted, stretchAfter, type Run, type Tables } from './tables.ts';

export class MapSessions implements SessionStore {
  readonly #run: Run;
  readonly #append: (tables: Tables, entry: NewChange) => void;

  /** @param append adds an entry to the log with the transaction that ends a session */
  constructor(run: Run, append: (tables: Tables, entry: NewChange) => void) {
    this.#run = run;
    this.#append = append;
  }

  insert(session: SessionRecord): Promise<void> {
    return this.#run(({ sessions }) => {
      sessions.set(session.id, session);
    });
  }

  find(id: string): Promise<SessionRecord | undefined> {
    return this.#run(({ sessions }) => sessions.get(id));
  }

  findStanding(id: string): Promise<SessionStanding | undefined> {
    return this.#run((tables) => {
      const session = tables.sessions.get(id);
      const user = toRecord(tables.users.get(session?.userId ?? ''));
      if (session === undefined || user === undefined) return undefined;
      const scopes = new Set(user.roles.flatMap((role) => tables.roles.get(role) ?? []));
      const { epoch, disabled, roles } = user;
      return { session, ...positionOf(tables), user: { id: user.id, epoch, disabled, roles }, scopes };
    });
  }

  rotate(id: string, generation: number, use: SessionUse): Promise<Position | undefined> {
    return this.#run((tables) => {
      const counters = { base: generation, generation: generation + 1, rotatedAt: use.now };
      const mayRotate = (session: SessionRecord): boolean =>
        session.generation === generation && isLive(session, use.now) && mayGoOn(tables, session);
      const isDone = change(tables.sessions, id, { ...counters, ...writtenBy(use) }, mayRotate);
      return isDone ? positionOf(tables) : undefined;
    });
  }

  fork(id: string, generation: number, use: SessionUse): Promise<boolean> {
    const mayFork = (session: SessionRecord): boolean =>
      session.generation === generation && session.endedAt === undefined;
    return this.#run(({ sessions }) =>
      change(sessions, id, { generation: generation + 1, ...writtenBy(use) }, mayFork),
    );
  }

  end(id: string, _reason: SessionEndReason, now: Date, isAwaited = false): Promise<boolean> {
    return this.#run((tables) => {
      const session = tables.sessions.get(id);
      if (!change(tables.sessions, id, { endedAt: now }, ({ endedAt }) => endedAt === undefined)) return false;
      this.#append(tables, marked(sessionDead(id, latest(now, session?.mintedAt)), isAwaited));
      return true;
    });
  }

  listLive(userId: string, userEpoch: number, now: Date): Promise<readonly SessionRecord[]> {
    return this.#run(({ sessions }) => {
      const live = [...sessions.values()].filter(
        (session) => session.userId === userId && session.userEpoch === userEpoch && isLive(session, now),
      );
      return sorted(live, ({ createdAt }) => -createdAt.getTime());
    });
  }

  countLive(now: Date, of?: { readonly userId: string; readonly userEpoch: number }): Promise<number> {
    return this.#run((tables) => {
      const isCounted = (session: SessionRecord): boolean =>
        isLive(session, now) &&
        tables.users.get(session.userId)?.epoch === session.userEpoch &&
        (of === undefined || (session.userId === of.userId && session.userEpoch === of.userEpoch));
      return [...tables.sessions.values()].filter(isCounted).length;
    });
  }

  lastMinted(userId: string): Promise<Date | undefined> {
    return this.#run(({ sessions }) => {
      const theirs = [...sessions.values()].filter((session) => session.userId === userId);
      return sorted(theirs, ({ mintedAt }) => mintedAt.getTime()).at(-1)?.mintedAt;
    });
  }

  prune(after: string, limit: number, before: Date): Promise<Pruned<string>> {
    return this.#run(({ sessions }) => {
      const { keys, next } = stretchAfter(sessions, after, limit);
      const over = keys.filter((key) => isOver(sessions.get(key), before));
      for (const key of over) sessions.delete(key);
      return { removed: over.length, next };
    });
  }
}

function positionOf({ head }: Tables): Position {
  return { asOf: head.sequence, rightsAsOf: head.rightsSequence };
}

function isLive({ endedAt, expiresAt, idleExpiresAt }: SessionRecord, now: Date): boolean {
  return endedAt === undefined && expiresAt > now && idleExpiresAt > now;
}

function isOver(session: SessionRecord | undefined, before: Date): boolean {
  if (session === undefined) return false;
  const { endedAt, expiresAt, idleExpiresAt } = session;
  return (endedAt !== undefined && endedAt < before) || expiresAt < before || idleExpiresAt < before;
}

function mayGoOn({ users }: Tables, { userId, userEpoch }: SessionRecord): boolean {
  const user = users.get(userId);
  return user !== undefined && user.disabledAt === undefined && user.epoch === userEpoch;
}

/** What a rotation and a fork write besides the counters. */
function writtenBy({ now, idleExpiresAt, userAgent, address }: SessionUse): Partial<SessionRecord> {
  return {
    mintedAt: now,
    lastUsedAt: now,
    idleExpiresAt,
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(address === undefined ? {} : { address }),
  };
}

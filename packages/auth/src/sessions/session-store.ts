import type { Pruned } from '../upkeep/pruned.ts';
import type { Device, SessionEndReason, SessionRecord } from './session.ts';

/** What a rotation or a fork writes besides the counters. */
export interface SessionUse extends Device {
  readonly now: Date;
  readonly idleExpiresAt: Date;
}

/** How far the change log had come at one moment. */
export interface Position {
  /** Its last entry: whatever changes later kills the tokens that are made as of it. */
  readonly asOf: number;
  /** Its last entry about roles: as long as it stays, so does what everybody may do. */
  readonly rightsAsOf: number;
}

/** A session and all that decides on its tokens, as of one moment. */
export interface SessionStanding extends Position {
  readonly session: SessionRecord;
  readonly user: {
    readonly id: string;
    readonly epoch: number;
    readonly disabled: boolean;
    readonly roles: readonly string[];
  };
  /** What the user's roles grant. */
  readonly scopes: ReadonlySet<string>;
}

/** Keeps sessions. Every write that changes a generation names the one it expects: exactly one caller wins. */
export interface SessionStore {
  insert(session: SessionRecord): Promise<void>;
  find(id: string): Promise<SessionRecord | undefined>;
  /** Everything that refreshing a session looks at, by one read. */
  findStanding(id: string): Promise<SessionStanding | undefined>;
  /**
   * `base := generation, generation := generation + 1`, on the conditions of `decideRefresh`, by one statement: that is
   * still its generation, it has neither ended nor expired, and its user may go on. Tells how far the log had come then;
   * undefined when it does not rotate.
   */
  rotate(id: string, generation: number, use: SessionUse): Promise<Position | undefined>;
  /** `generation := generation + 1` with `base` kept, if that is still its generation and it has not ended. */
  fork(id: string, generation: number, use: SessionUse): Promise<boolean>;
  /**
   * Ends a session and says so in the log (`sessionDead`); false when it does not exist or had ended. With `isAwaited`, guards
   * tell at once when they know; default: they do not.
   */
  end(id: string, reason: SessionEndReason, now: Date, isAwaited?: boolean): Promise<boolean>;
  /** The live sessions of a user's epoch, newest first. */
  listLive(userId: string, userEpoch: number, now: Date): Promise<readonly SessionRecord[]>;
  /** How many sessions are live: of one user's epoch, or of everybody. */
  countLive(now: Date, of?: { readonly userId: string; readonly userEpoch: number }): Promise<number>;
  /** When tokens were last made for a user, in any session; undefined when there is none. */
  lastMinted(userId: string): Promise<Date | undefined>;
  /** Looks at `limit` sessions after an id and removes those that ended or expired before a moment. */
  prune(after: string, limit: number, before: Date): Promise<Pruned<string>>;
}

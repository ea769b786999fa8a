/** One moment on two clocks, in milliseconds. */
export interface Moment {
  /** Never set, but it may stand still while the machine sleeps. */
  readonly monotonic: number;
  /** Goes on while the machine sleeps, but it may be set. */
  readonly wall: number;
}

/** The two clocks that together cannot hide how much time has passed. */
export interface Clocks {
  monotonic(): number;
  wall(): number;
}

/** The clock of a guard that was given none. */
export const systemTime = (): Date => new Date();

/** The clocks of this machine, with another wall clock where there is one. */
export function clocksWith(now: () => Date): Clocks {
  // A decision reads it, and a `Date` takes as long as the reading.
  const wall = now === systemTime ? (): number => Date.now() : (): number => now().getTime();
  return { monotonic: () => performance.now(), wall };
}

export function momentOf(clocks: Clocks): Moment {
  return { monotonic: clocks.monotonic(), wall: clocks.wall() };
}

/** How much time has passed between two moments, by whichever clock says that more has. */
export function elapsed(since: Moment, now: Moment): number {
  return Math.max(now.monotonic - since.monotonic, now.wall - since.wall);
}

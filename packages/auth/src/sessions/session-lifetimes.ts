/** How long sessions live, in seconds. */
export interface SessionLifetimes {
  /** Without being used. */
  readonly idle: number;
  /** However often they are used. */
  readonly absolute: number;
}

/** A moment some seconds after another. */
export function later(moment: Date, seconds: number): Date {
  return new Date(moment.getTime() + seconds * 1000);
}

/** A clock that goes like the system's until it is moved. */
export interface TestClock {
  /** What it shows. */
  now(): Date;
  /** Moves it on, or back with a negative number of seconds. */
  forward(seconds: number): void;
}

const milliseconds = 1000;

export function createTestClock(): TestClock {
  let offset = 0;
  return {
    now: () => new Date(Date.now() + offset),
    forward: (seconds) => {
      if (!Number.isFinite(seconds)) throw new TypeError('forward needs a number of seconds');
      offset += seconds * milliseconds;
    },
  };
}

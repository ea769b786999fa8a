import { createAuth, type Auth } from '../src/auth.ts';
import type { AuthConfig } from '../src/config.ts';
import type { AuthEvent } from '../src/events.ts';
import type { Store } from '../src/stores/store.ts';
import { sqlite } from '../src/stores/sqlite.ts';

export const issuer = 'https://auth.test';
export const password = 'correct horse battery staple';
export const secretKey = 'test secret: never use it, 32 bytes or more';

/** A clock that stands until it is moved. */
export interface TestClock {
  (): Date;
  forward(seconds: number): void;
}

export function aClock(start = '2026-01-01T00:00:00Z'): TestClock {
  let now = new Date(start).getTime();
  const clock = (): Date => new Date(now);
  return Object.assign(clock, {
    forward: (seconds: number) => {
      now += seconds * 1000;
    },
  });
}

/** An engine with a clock to move and its events to read. */
export interface AuthFixture {
  readonly auth: Auth;
  readonly clock: TestClock;
  readonly events: AuthEvent[];
}

export async function anAuth(
  config: Partial<AuthConfig> = {},
  store: Store = sqlite(':memory:'),
): Promise<AuthFixture> {
  const clock = aClock();
  const events: AuthEvent[] = [];
  const auth = await createAuth({
    issuer,
    store,
    secretKey,
    clock,
    onEvent: (event) => {
      events.push(event);
    },
    ...config,
  });
  return { auth, clock, events };
}

import { describe, expect, it } from 'vitest';
import type { Auth } from '../src/auth.ts';
import { AuthError, isAuthError } from '../src/errors.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import type { Store } from '../src/stores/store.ts';
import { aClock, anAuth, type AuthFixture, password } from './auth-fixture.ts';

const day = 86_400;
const away = { code: 'store_unavailable' };

/** A store whose named method of sessions fails as long as `isAway`. */
function failing(method: 'end' | 'rotate' | 'prune'): { readonly store: Store; isAway: boolean } {
  const store = sqlite(':memory:');
  const state = { store, isAway: false };
  const original = store.sessions[method].bind(store.sessions) as (...values: unknown[]) => Promise<unknown>;
  const replaced = (...values: unknown[]): Promise<unknown> =>
    state.isAway
      ? Promise.reject(new AuthError('store_unavailable', 'for a test', { retryAfter: 1 }))
      : original(...values);
  Object.assign(store.sessions, { [method]: replaced });
  return state;
}

async function signedIn(fixture: AuthFixture): ReturnType<Auth['signIn']> {
  await fixture.auth.users.register({ username: 'ada', password });
  return fixture.auth.signIn({ username: 'ada', password });
}

const outcomesIn = ({ events }: AuthFixture): string[] =>
  events.flatMap((event) => (event.type === 'refresh_presented' ? [event.outcome] : []));

describe('what cannot be written', () => {
  it('R8: gives a stolen refresh token nothing, and ends its session as soon as it can', async () => {
    const writes = failing('end');
    const fixture = await anAuth({}, writes.store);
    const stolen = await signedIn(fixture);
    const second = await fixture.auth.refresh(stolen);
    const third = await fixture.auth.refresh(second);
    writes.isAway = true;
    await expect(fixture.auth.refresh(stolen)).rejects.toMatchObject(away);
    expect(await fixture.auth.changes.readSince(2)).toMatchObject({ head: 2, changes: [] });
    writes.isAway = false;
    await expect(fixture.auth.refresh(stolen)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
    await expect(fixture.auth.refresh(third)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
    expect(await fixture.auth.introspect(third.accessToken)).toEqual({ active: false });
    expect(outcomesIn(fixture)).toEqual(['rotated', 'rotated', 'reused', 'ended']);
    await fixture.auth.close();
  });

  it('R8: spends no honest refresh token', async () => {
    const writes = failing('rotate');
    const fixture = await anAuth({}, writes.store);
    const first = await signedIn(fixture);
    for (let attempt = 0; attempt < 20; attempt += 1) {
      writes.isAway = true;
      await expect(fixture.auth.refresh(first)).rejects.toMatchObject(away);
    }
    writes.isAway = false;
    const second = await fixture.auth.refresh(first);
    expect((await fixture.auth.introspect(second.accessToken)).active).toBe(true);
    expect(outcomesIn(fixture)).toEqual(['rotated']);
    await fixture.auth.close();
  });

  it('R8: keeps no session from ending, nor a stolen token from being refused, when it is the upkeep', async () => {
    const writes = failing('prune');
    const fixture = await anAuth({}, writes.store);
    const pair = await signedIn(fixture);
    await fixture.auth.revoke(pair.refreshToken);
    fixture.clock.forward(3 * day);
    writes.isAway = true;
    await expect(fixture.auth.upkeep()).rejects.toMatchObject(away);
    await expect(fixture.auth.refresh(pair)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
    writes.isAway = false;
    expect((await fixture.auth.upkeep()).sessions).toBe(1);
    await expect(fixture.auth.refresh(pair)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
    await fixture.auth.close();
  });
});

describe('a clock that is set in the middle of a call', () => {
  const calls: readonly (readonly [
    string,
    (auth: Auth, pair: Awaited<ReturnType<Auth['signIn']>>) => Promise<unknown>,
  ])[] = [
    ['introspecting an access token', (auth, pair) => auth.introspect(pair.accessToken)],
    ['introspecting a refresh token', (auth, pair) => auth.introspect(pair.refreshToken)],
    ['refreshing', (auth, pair) => auth.refresh(pair)],
    ['revoking by access token', (auth, pair) => auth.revoke(pair.accessToken)],
    ['revoking by refresh token', (auth, pair) => auth.revoke(pair.refreshToken)],
    ['killing an access token', (auth, pair) => auth.tokens.revokeAccessToken(pair.accessToken)],
    ['signing in', (auth) => auth.signIn({ username: 'ada', password })],
  ];

  it.each(calls)('R9: makes of %s an outage at worst, never a failure or a token that is over', async (_what, call) => {
    const clock = aClock();
    let [left, by] = [Infinity, 0];
    const jumping = (): Date => {
      left -= 1;
      if (left === 0) clock.forward(by);
      return clock();
    };
    const { auth } = await anAuth({ clock: jumping });
    const { id } = await auth.users.create({ username: 'ada', password });
    for (let reading = 1; reading <= 12; reading += 1) {
      for (const jump of [-3600, day]) {
        const pair = await auth.tokens.issue(id);
        [left, by] = [reading, jump];
        const result = await call(auth, pair).catch((error: unknown) => error);
        left = Infinity;
        if (isAuthError(result)) expect(['store_unavailable', 'refresh_token_invalid']).toContain(result.code);
        else expect(result).not.toBeInstanceOf(Error);
        // Whatever came of it, the engine goes on.
        expect((await auth.tokens.issue(id)).expiresIn).toBe(900);
      }
    }
    await auth.close();
  });
});

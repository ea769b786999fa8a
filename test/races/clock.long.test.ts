import { decodeJwtUnverified } from '@sallyport/jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { post, password, type Tokens, tokensIn } from '../http-client.ts';
import { aFakeClock, faketime, withoutFaketime } from './faketime.ts';
import { type Fleet, heldIn, outcomesOf, refreshAt, startFleet, statusesOf } from './fleet.ts';

const hour = 3600;
const day = 24 * hour;

async function startOn(
  name: string,
  envOf: Parameters<typeof startFleet>[1],
): Promise<{ database: TestDatabase; fleet: Fleet }> {
  const database = await testDatabases.find((each) => each.name === name)?.start();
  if (database === undefined) throw new Error(`no ${name}`);
  const fleet = await startFleet(await database.create(), envOf);
  await fleet.auth.users.create({ username: 'ada', password });
  return { database, fleet };
}

const signInAt = async (url: string): Promise<Tokens> =>
  sound(tokensIn(await post(`${url}/token`, { username: 'ada', password })));
const refresh = async (url: string, token: string): Promise<Tokens> => sound(tokensIn(await refreshAt(url, token)));

function sound(tokens: Tokens): Tokens {
  expect(tokens.expires_in).toBeGreaterThan(0);
  expect(tokens.expires_in).toBeLessThanOrEqual(900);
  return tokens;
}

const sessionOf = (tokens: Tokens): string => String(decodeJwtUnverified(tokens.access_token).claims['sid']);

describe('three servers whose clocks are five minutes behind, right, and five minutes ahead, on PostgreSQL', () => {
  const clocks = [aFakeClock(-300), aFakeClock(0), aFakeClock(300)];
  let database: TestDatabase | undefined;
  let fleet: Fleet;
  beforeAll(async () => {
    if (faketime !== undefined)
      ({ database, fleet } = await startOn('PostgreSQL', (index) => clocks[index]?.env ?? {}));
  });
  afterAll(async () => {
    if (database === undefined) return;
    await fleet.stop();
    await database.stop();
  });

  it('S4, R9: take each other’s tokens, keep one grace, and end no honest session', async ({ skip }) => {
    if (faketime === undefined) return skip(withoutFaketime);
    for (const { url } of fleet.servers) {
      const first = await signInAt(url);
      expect(await statusesOf(fleet, '/me', first.access_token)).toEqual([200, 200, 200]);
      const { iat = 0 } = decodeJwtUnverified(first.access_token).claims;
      expect(Math.abs(Number(iat) - Date.now() / 1000)).toBeLessThan(5);
      const racing = await Promise.all(Array.from({ length: 9 }, () => refreshAt(fleet.next(), first.refresh_token)));
      const late = [];
      for (const server of fleet.servers) late.push(await refreshAt(server.url, first.refresh_token));
      const successors = new Set([...racing, ...late].map((answer) => heldIn(answer)?.refresh));
      expect(successors.size).toBe(1);
      await refresh(fleet.next(), [...successors][0] ?? '');
      expect(outcomesOf(fleet, sessionOf(first))).not.toContain('forked');
    }
  });

  it('S8, R9: revive nothing that one of them ended', async ({ skip }) => {
    if (faketime === undefined) return skip(withoutFaketime);
    for (const [index, { url }] of fleet.servers.entries()) {
      const tokens = await signInAt(fleet.servers[(index + 1) % 3]?.url ?? '');
      await post(`${url}/token/revoke`, { token: tokens.refresh_token });
      expect(await statusesOf(fleet, '/me', tokens.access_token)).toEqual([401, 401, 401]);
      for (const server of fleet.servers)
        expect(heldIn(await refreshAt(server.url, tokens.refresh_token))).toBeUndefined();
    }
  });

  it('S4, R9: go on when their clocks are set while they run: an hour back, a day forward', async ({ skip }) => {
    if (faketime === undefined) return skip(withoutFaketime);
    let tokens = await signInAt(fleet.next());
    const [behind, , ahead] = clocks;
    for (const [back, forward] of [
      [-300 - hour, 300 + day],
      [-300, 300],
    ] as const) {
      behind?.set(back);
      ahead?.set(forward);
      for (let count = 0; count < 6; count += 1) {
        tokens = await refresh(fleet.next(), tokens.refresh_token);
        expect(await statusesOf(fleet, '/me', tokens.access_token)).toEqual([200, 200, 200]);
        const { iat = 0 } = decodeJwtUnverified(tokens.access_token).claims;
        expect(Math.abs(Number(iat) - Date.now() / 1000)).toBeLessThan(5);
      }
    }
  });
});

describe('three servers on one SQLite file, whose computer’s clock is set', () => {
  const clock = aFakeClock();
  let database: TestDatabase | undefined;
  let fleet: Fleet;
  beforeAll(async () => {
    if (faketime !== undefined) ({ database, fleet } = await startOn('SQLite in a file', () => clock.env));
  });
  afterAll(async () => {
    if (database === undefined) return;
    await fleet.stop();
    await database.stop();
  });

  const isOver = async (...all: readonly Tokens[]): Promise<void> => {
    for (const { access_token: access, refresh_token: token } of all) {
      expect(await statusesOf(fleet, '/me', access)).toEqual([401, 401, 401]);
      expect(heldIn(await refreshAt(fleet.next(), token))).toBeUndefined();
    }
  };
  const isAlive = async (tokens: Tokens): Promise<Tokens> => {
    const renewed = await refresh(fleet.next(), tokens.refresh_token);
    expect(await statusesOf(fleet, '/me', renewed.access_token)).toEqual([200, 200, 200]);
    return renewed;
  };

  it('S5, S8, R9: revive nothing and end no honest session when it goes an hour back and a day forward', async ({
    skip,
  }) => {
    if (faketime === undefined) return skip(withoutFaketime);
    const signIn = (): Promise<Tokens> => signInAt(fleet.next());
    const [ended, stolen, endedLater] = [await signIn(), await signIn(), await signIn()];
    let honest = await signIn();
    await post(`${fleet.next()}/token/revoke`, { token: ended.access_token });
    const second = await refresh(fleet.next(), stolen.refresh_token);
    const third = await refresh(fleet.next(), second.refresh_token);

    clock.set(-hour);
    await isOver(ended);
    honest = await isAlive(honest);
    // A token from before the step, whose life begins in an hour: signing out by it counts all the same.
    await post(`${fleet.next()}/token/revoke`, { token: endedLater.access_token });
    expect(heldIn(await refreshAt(fleet.next(), stolen.refresh_token))).toBeUndefined();
    await isOver(ended, endedLater, third);

    clock.set(0);
    await isOver(ended, endedLater, third);
    honest = await isAlive(honest);

    clock.set(day);
    await isOver(ended, endedLater, third);
    expect(await statusesOf(fleet, '/me', honest.access_token)).toEqual([401, 401, 401]);
    honest = await isAlive(honest);

    clock.set(0);
    await isOver(ended, endedLater, third);
    honest = await isAlive(honest);
    expect(outcomesOf(fleet, sessionOf(honest)).filter((outcome) => outcome !== 'rotated')).toEqual([]);
  });
});

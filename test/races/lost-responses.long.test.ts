import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { type Fleet, heldIn, logLengths, outcomesOf, refreshAt, startFleet } from './fleet.ts';
import { patience, repetitions } from './repetitions.ts';

const rounds = repetitions(2, 28);
const sessions = repetitions(25, 50);
const refreshes = rounds * sessions;

interface Sent {
  /** The token that came; undefined: the socket was destroyed before. */
  readonly token: string | undefined;
}

/** Presents a token and destroys the socket at a random moment, before, while or after the server works on it. */
function presentAndCut(url: string, token: string, agent: Agent, longestWait: number): Promise<Sent> {
  return new Promise((resolve) => {
    const body = JSON.stringify({ refresh_token: token });
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(`${url}/token/refresh`, { method: 'POST', headers, agent });
    const timer = setTimeout(() => sent.destroy(), Math.random() * longestWait);
    const done = (got: string | undefined): void => {
      clearTimeout(timer);
      resolve({ token: got });
    };
    sent.once('error', () => done(undefined));
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.once('close', () => {
        if (!response.complete) return done(undefined);
        done((JSON.parse(text) as { refresh_token?: string }).refresh_token ?? '');
      });
    });
    sent.end(body);
  });
}

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`answers that get lost between three servers on ${name} and their clients`, () => {
    let database: TestDatabase;
    let fleet: Fleet;
    beforeAll(async () => {
      database = await start();
      fleet = await startFleet(await database.create());
    });
    afterAll(async () => {
      await fleet.stop();
      await database.stop();
    });

    /** Waits until no server has anything to say any more: a request that was cut may still be worked on. */
    async function untilQuiet(): Promise<void> {
      for (let before = '', now = logLengths(fleet).join(); before !== now; now = logLengths(fleet).join()) {
        before = now;
        await delay(150);
      }
    }

    it(`S4, R4: end no honest session in ${refreshes} refreshes`, { timeout: patience }, async () => {
      const { id } = await fleet.auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' });
      const agent = new Agent({ keepAlive: false });
      const issued = await Promise.all(Array.from({ length: sessions }, () => fleet.auth.tokens.issue(id)));
      const current = issued.map(({ refreshToken }) => refreshToken);
      let [lost, usual] = [0, 20];

      /** One refresh as a client sees it: asked again, at another server, when the answer does not come. */
      const refresh = async (index: number): Promise<void> => {
        const token = current[index] ?? '';
        const first = await presentAndCut(fleet.next(), token, agent, 2 * usual);
        if (first.token === undefined) lost += 1;
        const begun = performance.now();
        const next = first.token ?? heldIn(await refreshAt(fleet.next(), token))?.refresh;
        if (first.token === undefined) usual = 0.8 * usual + 0.2 * (performance.now() - begun);
        expect(next).toMatch(/^[\w-]{42}$/);
        current[index] = next ?? '';
      };

      for (let round = 0; round < rounds; round += 1) {
        for (let from = 0; from < sessions; from += 5) {
          await Promise.all([0, 1, 2, 3, 4].map((place) => refresh(from + place)));
        }
        // Clients refresh when an access token is about to expire, not in the same breath.
        await untilQuiet();
      }
      const ids = issued.map(({ sessionId }) => sessionId);
      for (const token of current) expect(heldIn(await refreshAt(fleet.next(), token))).toBeDefined();
      expect(lost).toBeGreaterThan(refreshes / 20);
      expect(lost).toBeLessThan(refreshes);
      const outcomes = ids.flatMap((sessionId) => outcomesOf(fleet, sessionId));
      const again = outcomes.filter((outcome) => outcome === 'raced' || outcome === 'retried').length;
      console.log(
        `${name}: ${String(lost)} of ${String(refreshes)} answers lost, ${String(again)} tokens presented again after their rotation`,
      );
      expect(again).toBeGreaterThan(0);
      expect(outcomes.filter((outcome) => !['rotated', 'raced', 'retried', 'forked'].includes(outcome))).toEqual([]);
      expect(await fleet.auth.sessions.list(id)).toHaveLength(sessions);
    });
  });
}

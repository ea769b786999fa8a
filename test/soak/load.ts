import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, get, post, signIn, signUp, tokensIn, type Tokens } from '../http-client.ts';

const clients = 24;
/** Milliseconds between two calls of one client, about. */
const pause = 120;

/** Calls of a kind that were answered as they should be. */
export type Counts = Record<'sign-in' | 'refresh' | 'look' | 'introspection' | 'revocation', number>;

/** Steady traffic until `isOver`; rejects at the first answer that is not as it should be. */
export async function putUnderLoad(url: string, isOver: () => boolean): Promise<Counts> {
  const counts: Counts = { 'sign-in': 0, refresh: 0, look: 0, introspection: 0, revocation: 0 };
  const work = Array.from({ length: clients }, async (_, index) => {
    const name = `user-${String(index)}`;
    let tokens: Tokens | undefined = await signUp(url, name);
    while (!isOver()) {
      await delay(pause * (0.5 + Math.random()));
      tokens = await step(url, name, tokens, counts);
    }
  });
  await Promise.all(work);
  return counts;
}

/** A refresh, often a look with the new token, now and then out and in again. */
async function step(url: string, name: string, held: Tokens, counts: Counts): Promise<Tokens> {
  const tokens = tokensIn(await post(`${url}/token/refresh`, { refresh_token: held.refresh_token }));
  counts.refresh += 1;
  const chance = Math.random();
  if (chance < 0.2) {
    expectStatus(200, await get(`${url}/me`, tokens.access_token));
    counts.look += 1;
  } else if (chance < 0.3) {
    const answer = await post(
      `${url}/token/introspect`,
      { token: tokens.access_token },
      { token: tokens.access_token },
    );
    expectStatus(200, answer);
    if (answer.body['active'] !== true) throw new Error('a live token is said to be dead');
    counts.introspection += 1;
  } else if (chance < 0.31) {
    expectStatus(200, await post(`${url}/token/revoke`, { token: tokens.refresh_token }));
    counts.revocation += 1;
    counts['sign-in'] += 1;
    return signIn(url, name);
  }
  return tokens;
}

function expectStatus(status: number, answer: Answer): void {
  if (answer.status !== status) throw new Error(`${String(answer.status)} ${JSON.stringify(answer.body)}`);
}

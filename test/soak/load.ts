import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, get, password, post, signUp, tokensIn, type Tokens, unlessLost } from '../http-client.ts';

const clients = 24;
/** Milliseconds between two steps of one client, by the clock: a busy machine makes them late, not fewer. */
const interval = 500;

/** Calls of a kind that were answered as they should be. */
export type Counts = Record<
  'sign-in' | 'refresh' | 'look' | 'introspection' | 'revocation' | 'put off' | 'lost',
  number
>;

/** Steady traffic until `isOver`; rejects at the first answer that is not as it should be. */
export async function putUnderLoad(url: string, isOver: () => boolean): Promise<Counts> {
  const counts: Counts = { 'sign-in': 0, refresh: 0, look: 0, introspection: 0, revocation: 0, 'put off': 0, lost: 0 };
  const work = Array.from({ length: clients }, async (_, index) => {
    const name = `user-${String(index)}`;
    let tokens = await signUp(url, name);
    const begun = performance.now() + Math.random() * interval;
    for (let step = 1; !isOver(); step += 1) {
      await delay(Math.max(0, begun + step * interval - performance.now()));
      tokens = await act(url, name, tokens, counts);
    }
  });
  await Promise.all(work);
  return counts;
}

/** A refresh, often a look with the new token, now and then out and in again. */
async function act(url: string, name: string, held: Tokens, counts: Counts): Promise<Tokens> {
  const ask = (call: () => Promise<Answer>): Promise<Answer> => untilAnswered(call, counts);
  const tokens = tokensIn(await ask(() => post(`${url}/token/refresh`, { refresh_token: held.refresh_token })));
  const { access_token: token } = tokens;
  counts.refresh += 1;
  const chance = Math.random();
  if (chance < 0.2) {
    expectOk(await ask(() => get(`${url}/me`, token)));
    counts.look += 1;
  } else if (chance < 0.3) {
    const answer = await ask(() => post(`${url}/token/introspect`, { token }, { token }));
    expectOk(answer);
    if (answer.body['active'] !== true) throw new Error('a live token is said to be dead');
    counts.introspection += 1;
  } else if (chance < 0.31) {
    expectOk(await ask(() => post(`${url}/token/revoke`, { token: tokens.refresh_token })));
    counts.revocation += 1;
    counts['sign-in'] += 1;
    return tokensIn(await ask(() => post(`${url}/token`, { username: name, password })));
  }
  return tokens;
}

/**
 * Whatever is looked up at the moment of a jump may be too old all of a sudden, and an idle connection may be closed just
 * when it is used again: the same call again is answered.
 */
async function untilAnswered(call: () => Promise<Answer>, counts: Counts): Promise<Answer> {
  for (let left = 5; ; left -= 1) {
    const answer = await unlessLost(call);
    if (answer !== undefined && (answer.status !== 503 || left === 0)) return answer;
    if (left === 0) throw new Error('the server does not answer');
    counts[answer === undefined ? 'lost' : 'put off'] += 1;
  }
}

function expectOk({ status, body }: Answer): void {
  if (status !== 200) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
}

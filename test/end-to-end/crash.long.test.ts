import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post, signIn, signUp, tokensIn } from '../http-client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

const sessionCount = 20;
const refreshesPerLife = 100;
const lives = 5;

let server: ServerProcess;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.remove());

/** Refreshes all sessions in parallel, each token in turn, until so many were acknowledged; then kills the server. */
async function refreshUntilKilled(acknowledged: string[]): Promise<void> {
  let count = 0;
  const client = async (index: number): Promise<void> => {
    for (;;) {
      const answer = await post(`${server.url}/token/refresh`, { refresh_token: acknowledged[index] ?? '' }).catch(
        () => undefined,
      );
      if (answer === undefined) return;
      acknowledged[index] = tokensIn(answer).refresh_token;
      count += 1;
      if (count === refreshesPerLife) server.program.child.kill('SIGKILL');
    }
  };
  await Promise.all(acknowledged.map((_token, index) => client(index)));
  await server.program.stop('SIGKILL');
  expect(count).toBeGreaterThanOrEqual(refreshesPerLife);
}

describe('kill -9 during 500 refreshes', () => {
  it('loses no acknowledged refresh token and leaves no session with two live branches', async () => {
    await signUp(server.url, 'ada');
    const signIns = Array.from({ length: sessionCount }, () => signIn(server.url, 'ada'));
    const acknowledged = (await Promise.all(signIns)).map((tokens) => tokens.refresh_token);
    for (let life = 0; life < lives; life += 1) {
      await refreshUntilKilled(acknowledged);
      server = await server.restart();
      for (const [index, token] of acknowledged.entries()) {
        const successor = tokensIn(await post(`${server.url}/token/refresh`, { refresh_token: token })).refresh_token;
        const again = tokensIn(await post(`${server.url}/token/refresh`, { refresh_token: token })).refresh_token;
        // One live branch: whoever presents the parent gets the one successor there is.
        expect(again).toBe(successor);
        acknowledged[index] = successor;
      }
    }
    expect(new Set(acknowledged).size).toBe(sessionCount);
  });

  it('leaves a database that passes its integrity check', async () => {
    await server.program.stop();
    const database = new DatabaseSync(join(server.folder, 'data/sallyport.db'));
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    database.close();
  });
});

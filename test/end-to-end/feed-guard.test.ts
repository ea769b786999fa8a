import { createGuard, type Guard } from '@sallyport/guard';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { post, signIn, signUp, type Tokens } from '../http-client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

// Processes and databases start here, on machines that may be busy with others.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describe.each(['stream', 'poll'] as const)('guards in another process that follow by %s', (transport) => {
  let server: ServerProcess;
  let guards: readonly Guard[];
  let early: Tokens;

  beforeAll(async () => {
    server = await startServer();
    const made = (await server.sallyportJson(['feed-credentials', 'create', 'todos'])) as { credential: string };
    const { credential } = made;
    await signUp(server.url, 'ada');
    early = await signIn(server.url, 'ada');
    await post(`${server.url}/token/revoke`, { token: early.refresh_token });
    const options = { issuer: server.url, audience: server.url, feed: { credential, transport } };
    guards = [createGuard(options), createGuard(options)];
    await Promise.all(guards.map((guard) => guard.ready()));
  });
  afterAll(async () => {
    for (const guard of guards) await guard.close();
    await server.remove();
  });

  const grants = async ({ access_token: token }: Tokens): Promise<readonly boolean[]> => {
    const granted: boolean[] = [];
    for (const guard of guards) granted.push((await guard.check({ authorization: [`Bearer ${token}`] })).granted);
    return granted;
  };

  it('refuse what was revoked before they came, and grant what was not', async () => {
    expect(await grants(early)).toEqual([false, false]);
    expect(await grants(await signIn(server.url, 'ada'))).toEqual([true, true]);
  });

  it('refuse a session from the moment on at which its end was confirmed', async () => {
    const byCommandLine = (token: string): Promise<unknown> =>
      server.sallyportJson(['tokens', 'revoke', token, '--confirm']);
    const overHttp = async (token: string): Promise<unknown> =>
      (await post(`${server.url}/token/revoke`, { token, confirm: 'true' })).body;
    for (const revoke of [byCommandLine, overHttp, overHttp]) {
      const tokens = await signIn(server.url, 'ada');
      expect(await grants(tokens)).toEqual([true, true]);
      const confirmation = { acknowledged: 2, lapsed: 0, pending: 0 };
      expect(await revoke(tokens.access_token)).toMatchObject({ confirmation });
      expect(await grants(tokens)).toEqual([false, false]);
    }
  });

  it('go on at the server that takes the place of a killed one, and have missed nothing', async () => {
    const tokens = await signIn(server.url, 'ada');
    await server.program.stop('SIGKILL');
    expect(await grants(tokens)).toEqual([true, true]);
    await server.sallyportJson(['tokens', 'revoke', tokens.refresh_token]);
    server = await server.restart();
    await expect.poll(() => grants(tokens), { timeout: 60_000 }).toEqual([false, false]);
    expect(await grants(await signIn(server.url, 'ada'))).toEqual([true, true]);
  });
});

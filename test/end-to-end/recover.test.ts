import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EventStream } from '../event-stream.ts';
import { get, post, signIn, signUp, type Tokens } from '../http-client.ts';
import { type ServerProcess, startServer, temporaryFolder } from '../server-process.ts';

// Processes and databases start here, on machines that may be busy with others.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

interface Report {
  readonly incarnation: string;
  readonly sessions: number;
  readonly keys: number;
  readonly key: string;
}

describe('a backup that was restored', () => {
  let server: ServerProcess;
  const backup = temporaryFolder();
  let before: Tokens;
  let ended: Tokens;
  let lost: Tokens;
  let credential: string;
  let lostCursor: string;
  let oldKey: string;

  const data = (): string => join(server.folder, 'data');
  const statusOf = async ({ access_token: token }: Tokens): Promise<number> =>
    (await get(`${server.url}/me`, token)).status;
  const refresh = ({ refresh_token: token }: Tokens): Promise<number> =>
    post(`${server.url}/token/refresh`, { refresh_token: token }).then(({ status }) => status);

  async function lengthenTheLog(by: number): Promise<void> {
    const { access_token: token } = await signIn(server.url, 'chief');
    for (let count = 0; count < by; count += 1) {
      const { status } = await fetch(`${server.url}/roles/role-${String(count)}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ scopes: ['x:y'] }),
      });
      expect(status).toBe(200);
    }
  }

  beforeAll(async () => {
    server = await startServer();
    ({ credential } = (await server.sallyportJson(['feed-credentials', 'create', 'todos'])) as { credential: string });
    await signUp(server.url, 'chief');
    await server.sallyportJson(['users', 'set-roles', 'chief', 'admin']);
    before = await signUp(server.url, 'ada');
    ended = await signIn(server.url, 'ada');
    await server.program.stop();
    cpSync(data(), backup, { recursive: true });
    server = await server.restart();
    await post(`${server.url}/token/revoke`, { token: ended.refresh_token });
    oldKey = ((await server.sallyportJson(['keys', 'list'])) as { items: { id: string }[] }).items[0]?.id ?? '';
    await server.sallyportJson(['keys', 'revoke', oldKey]);
    await lengthenTheLog(10);
    lost = await signIn(server.url, 'ada');
    const { body } = await get(`${server.url}/feed?guard=lost-guard&lease=30&poll=0`, credential);
    lostCursor = `${String(body['inc'])}.${String(body['head'])}`;
    await server.program.stop();
    for (const name of readdirSync(data())) rmSync(join(data(), name));
    cpSync(backup, data(), { recursive: true });
    server = await server.restart();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(backup, { recursive: true, force: true });
  });

  it('revives what was ended since, until recover is run', async () => {
    expect(await statusOf(ended)).toBe(200);
    expect(await statusOf(before)).toBe(200);
  });

  it('has nothing in it that works any more once it is, however long its log becomes', async () => {
    const stream = await EventStream.open(
      server.url,
      credential,
      `guard=former-guard&lease=30&cursor=${lostCursor.replace(/\.\d+$/, '.3')}`,
    );
    await stream.until(({ names }) => names.includes('hello'));
    const report = (await server.sallyportJson(['recover'])) as Report;
    expect(report).toEqual({
      incarnation: expect.stringMatching(/^[\w-]{11}$/) as string,
      sessions: 3,
      keys: 1,
      key: expect.stringMatching(/^[\w-]{8}$/) as string,
    });
    expect(report.key).not.toBe(oldKey);
    await stream.untilOver();
    expect(stream.events.at(-1)?.name).toBe('resync');
    await lengthenTheLog(30);
    for (const tokens of [before, ended, lost]) {
      expect(await statusOf(tokens)).toBe(401);
      expect(await refresh(tokens)).toBe(400);
      const introspected = await post(
        `${server.url}/token/introspect`,
        { token: tokens.access_token },
        { token: credential },
      );
      expect(introspected.body).toEqual({ active: false });
    }
    const { keys } = (await get(`${server.url}/.well-known/jwks.json`)).body as { keys: { kid: string }[] };
    expect(keys.map(({ kid }) => kid)).toEqual([report.key]);
  });

  it('lets everybody sign in again, and sends guards for the snapshot', async () => {
    const again = await signIn(server.url, 'ada');
    expect(await statusOf(again)).toBe(200);
    expect(await refresh(again)).toBe(200);
    const { body } = await get(`${server.url}/feed?guard=lost-guard&lease=30&poll=0&cursor=${lostCursor}`, credential);
    expect(body).toMatchObject({ resync: true });
    expect(`${String(body['inc'])}.`).not.toBe(lostCursor.replace(/\d+$/, ''));
  });

  it('says what it has done, and what nobody can know', async () => {
    const { status, stdout } = await server.sallyport(['recover']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^The database goes on as lineage [\w-]{11}; nothing issued before is accepted any more:\n/);
    expect(stdout).toMatch(/- \d+ sessions? ended: everybody signs in again\./);
    expect(stdout).toMatch(/- 1 signing key was revoked; [\w-]{8} signs now\./);
    expect(stdout).toContain('feed-credentials list');
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../src/cli/program.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-feed-'));
  vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`);
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  await sallyport('users create ann', 'violet tractor 7 sings');
});
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command line on the test's database. */
async function sallyport(line: string, input = ''): Promise<{ status: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const status = await runCommandLine(line.split(' '), {
    isInteractive: false,
    hasColors: false,
    print: (text) => void (said.out += `${text}\n`),
    note: (text) => void (said.err += `${text}\n`),
    readNewPassword: () => Promise.resolve(input),
    readLine: () => Promise.resolve(input),
  });
  return { status, ...said };
}

const json = async (line: string): Promise<unknown> => JSON.parse((await sallyport(`${line} --json`)).out);
const codeOf = async (line: string): Promise<unknown> => {
  const { status, err } = await sallyport(`${line} --json`);
  expect(status).toBe(1);
  return (JSON.parse(err) as { error: { code: string } }).error.code;
};

describe('feed-credentials', () => {
  it('are made, shown once, listed without their secret, and revoked', async () => {
    const made = await json('feed-credentials create todos');
    expect(made).toEqual({
      credential: expect.stringMatching(/^spfeed_[\w-]{54}$/) as string,
      id: expect.stringMatching(/^[\w-]{11}$/) as string,
      name: 'todos',
      created_at: expect.stringMatching(/Z$/) as string,
    });
    const { out } = await sallyport('feed-credentials create notes');
    expect(out).toMatch(/^spfeed_[\w-]{54}\n\nGive it to the guard \(FEED_CREDENTIAL\)\./);
    const listed = await sallyport('feed-credentials list');
    expect(listed.out).toMatch(/^NAME +ID +MADE\nnotes +[\w-]{11} .*\ntodos +[\w-]{11} .*\n$/);
    expect(listed.out).not.toContain('spfeed_');
    expect(await json('feed-credentials revoke todos')).toEqual({ revoked: 'todos' });
    expect(await json('feed-credentials list')).toMatchObject({ items: [{ name: 'notes' }] });
  });

  it('have names of their own that fit everywhere', async () => {
    expect(await codeOf('feed-credentials create notes')).toBe('feed_credential_taken');
    expect(await codeOf('feed-credentials create ../notes')).toBe('value_invalid');
    expect(await codeOf('feed-credentials revoke nobody')).toBe('feed_credential_not_found');
  });
});

describe('--confirm', () => {
  const confirmation = { acknowledged: 0, lapsed: 0, pending: 0, milliseconds: expect.any(Number) as number };
  const issue = async (): Promise<{ refresh_token: string }> =>
    (await json('tokens issue ann')) as { refresh_token: string };

  it('says how many guards know', async () => {
    await issue();
    expect(await json('sessions revoke --user ann --confirm')).toEqual({ revoked: 1, confirmation });
    await issue();
    expect((await sallyport('sessions revoke --all --confirm')).out).toMatch(
      /^Ended 1 session\. 0 guards know \(\d+ ms\)\.\n$/,
    );
    const { refresh_token: token } = await issue();
    expect(await json(`tokens revoke ${token} --confirm`)).toEqual({ revoked: 1, confirmation });
    expect(await json(`tokens revoke ${token} --confirm`)).toEqual({ revoked: 0, confirmation });
    await issue();
    const { items } = (await json('sessions list ann')) as { items: readonly { id: string }[] };
    expect(await json(`sessions revoke ${items[0]?.id ?? ''} --confirm`)).toEqual({ revoked: 1, confirmation });
    expect(await codeOf(`sessions revoke ${items[0]?.id ?? ''} --confirm`)).toBe('session_not_found');
  });
});

describe('recover', () => {
  it('says what it has done, where tokens are signed with the secret, too', async () => {
    await json('tokens issue ann');
    expect(await json('recover')).toMatchObject({ sessions: 1, keys: 1 });
    vi.stubEnv('ALGORITHM', 'HS256');
    const { status, out } = await sallyport('recover');
    vi.stubEnv('ALGORITHM', undefined);
    expect(status).toBe(0);
    expect(out).toContain('- 0 sessions ended: everybody signs in again.');
    expect(out).toContain('- SECRET_KEY signs tokens and stays');
  });
});

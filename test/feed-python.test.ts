import { spawnSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { decodeJwtUnverified } from '@sallyport/jwt';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, post, signIn, signUp, type Tokens } from './http-client.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { root } from './source-files.ts';

// Processes and databases start here, on machines that may be busy with others.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const folder = join(root, 'examples/feed-python');
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** The guard in Python, as a process of its own. */
class PythonGuard {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  constructor(issuer: string, credential: string, lease: number) {
    const { PATH } = process.env;
    const env = { PATH, ISSUER: issuer, FEED_CREDENTIAL: credential, LEASE: String(lease) };
    this.#child = spawn('python3', ['main.py'], { cwd: folder, env });
    this.#lines = createInterface({ input: this.#child.stdout });
  }

  /** What it says next. */
  answer(): Promise<string> {
    return new Promise((resolve) => this.#lines.once('line', resolve));
  }

  /** What it says of a token. */
  ask({ access_token: token }: Pick<Tokens, 'access_token'>): Promise<string> {
    const { header, claims } = decodeJwtUnverified(token);
    const answer = this.answer();
    this.#child.stdin.write(`${JSON.stringify({ claims, kid: header.kid })}\n`);
    return answer;
  }

  stop(): void {
    this.#child.kill();
  }
}

it('the guard in Python', ({ skip }) => {
  if (!hasPython) skip('not run: there is no python3 here');
  expect(hasPython).toBe(true);
});

describe.runIf(hasPython)('a guard in Python', () => {
  let server: ServerProcess;
  let credential: string;
  let guard: PythonGuard;
  let ada: Tokens;
  let bob: Tokens;

  beforeAll(async () => {
    server = await startServer();
    ({ credential } = (await server.sallyportJson(['feed-credentials', 'create', 'python'])) as { credential: string });
    ada = await signUp(server.url, 'ada');
    bob = await signUp(server.url, 'bob');
    const early = await signIn(server.url, 'ada');
    await revoke(early.access_token);
    guard = new PythonGuard(server.url, credential, 5);
    expect(await guard.answer()).toBe('ready');
    // From the snapshot.
    expect(await guard.ask(early)).toBe('revoked');
  });
  afterAll(async () => {
    guard.stop();
    await server.remove();
  });

  const revoke = (token: string): Promise<Answer> => post(`${server.url}/token/revoke`, { token });

  /** Asks until it says this of a token. */
  const expectSoon = async (tokens: Tokens, what: string | RegExp): Promise<void> => {
    const options = { timeout: 60_000, interval: 200 };
    await expect.poll(() => guard.ask(tokens), options).toMatch(what);
  };

  it('hashes like everybody else', () => {
    const { key, outputs } = JSON.parse(readFileSync(join(root, 'test/vectors/half-sip-hash-2-4-64.json'), 'utf8')) as {
      key: string;
      outputs: string[];
    };
    const program =
      'import json, sys; from sallyport_feed import half_sip_hash as hash\n' +
      `print(json.dumps([hash(bytes.fromhex("${key}"), bytes(range(n))).to_bytes(8, "little").hex() for n in range(64)]))`;
    const { stdout } = spawnSync('python3', ['-c', program], { cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual(outputs);
  });

  it('learns of a session, a user and a key that are dead, and of nothing else', async () => {
    const other = await signIn(server.url, 'ada');
    expect(await guard.ask(ada)).toBe('good');
    await revoke(ada.refresh_token);
    await expectSoon(ada, 'revoked');
    expect(await guard.ask(other)).toBe('good');
    expect(await guard.ask(bob)).toBe('good');
    await server.sallyportJson(['sessions', 'revoke', '--user', 'ada']);
    await expectSoon(other, 'revoked');
    const again = await signIn(server.url, 'ada');
    expect(await guard.ask(again)).toBe('good');
    expect(await guard.ask(bob)).toBe('good');
    await server.sallyportJson(['keys', 'rotate', '--compromised']);
    await expectSoon(bob, 'revoked');
    expect(await guard.ask(await signIn(server.url, 'bob'))).toBe('good');
  });

  it('confirms at once what somebody waits for', async () => {
    const tokens = await signIn(server.url, 'bob');
    const { confirmation } = (await server.sallyportJson(['sessions', 'revoke', '--user', 'bob', '--confirm'])) as {
      confirmation: object;
    };
    expect(confirmation).toMatchObject({ acknowledged: 1, lapsed: 0, pending: 0 });
    expect(await guard.ask(tokens)).toBe('revoked');
  });

  it('says that it does not know when the server has been gone for longer than it may believe, and recovers', async () => {
    const tokens = await signIn(server.url, 'ada');
    await server.program.stop('SIGKILL');
    expect(await guard.ask(tokens)).toBe('good');
    await expectSoon(tokens, /^unknown: /);
    server = await server.restart();
    await expectSoon(tokens, 'good');
    await server.sallyportJson(['sessions', 'revoke', '--user', 'ada']);
    await expectSoon(tokens, 'revoked');
  });

  it('keeps what was revoked when the log begins anew', async () => {
    const tokens = await signIn(server.url, 'ada');
    await revoke(tokens.refresh_token);
    await server.sallyportJson(['recover']);
    await expectSoon(await signIn(server.url, 'ada'), 'good');
    expect(await guard.ask(tokens)).toBe('revoked');
  });
});

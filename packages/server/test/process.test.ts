import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram, startProgram, type Finished, type RunningProgram } from '../../../test/child-process.ts';

const root = join(import.meta.dirname, '../../..');
const main = join(root, 'packages/server/dist/cli/main.js');
const password = 'violet tractor 7 sings';

type Variables = Readonly<Record<string, string>>;
type Line = Readonly<Record<string, unknown>>;

interface Started {
  readonly url: string;
  readonly program: RunningProgram;
  /** The lines logged so far. */
  readonly lines: () => readonly Line[];
}

let folder: string;
let running: RunningProgram[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-process-'));
});
afterEach(async () => {
  for (const { child, stop } of running)
    if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

const linesOf = (program: RunningProgram): readonly Line[] =>
  program
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** Starts the built server on a free port and waits until it says that it listens. */
async function start(env: Variables = {}): Promise<Started> {
  const program = startProgram([main, 'serve'], { cwd: folder, env: { PORT: '0', ...env } });
  running.push(program);
  while (!program.output().includes('"msg":"listening"\n') && !program.output().includes('"msg":"listening"}')) {
    if (program.child.exitCode !== null) throw new Error(`ended:\n${program.output()}`);
    await delay(20);
  }
  const listening = linesOf(program).find(({ msg }) => msg === 'listening');
  return { url: String(listening?.['url']), program, lines: () => linesOf(program) };
}

/** Runs `serve` where it is expected to give up. */
const giveUp = (env: Variables): Promise<Finished> => runProgram([main, 'serve'], { cwd: folder, env });

const sallyport = (line: string, input = ''): Promise<Finished> =>
  runProgram([main, ...line.split(' ')], { cwd: folder, env: { PORT: '8000' }, input });

function post(url: string, path: string, body: Record<string, string>, headers: Variables = {}): Promise<Response> {
  return fetch(url + path, { method: 'POST', body: new URLSearchParams(body), headers });
}

/** A registration whose headers and half of whose body have arrived at the server. */
async function halfARegistration(
  url: string,
): Promise<{ request: ClientRequest; rest: string; answer: Promise<IncomingMessage> }> {
  const body = JSON.stringify({ username: 'slow', password });
  const headers = { 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' };
  const request = httpRequest(`${url}/register`, { method: 'POST', headers, agent: new Agent({ keepAlive: true }) });
  const answer = once(request, 'response').then(([response]) => response as IncomingMessage);
  answer.catch(() => undefined);
  request.flushHeaders();
  await once(request, 'continue');
  request.write(body.slice(0, 10));
  return { request, rest: body.slice(10), answer };
}

/** Sends raw text and collects what comes back until the connection ends, in whatever way. */
function exchange(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  socket.write(text);
  return new Promise((resolve) => {
    socket.once('close', () => resolve(answer));
  });
}

describe('a start', () => {
  it('needs nothing: it makes database and key, and says where everything is', async () => {
    const { url, lines, program } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(lines().find(({ msg }) => msg === 'listening')).toMatchObject({
      docs: `${url}/docs`,
      data: expect.stringContaining('data/sallyport.db') as string,
      firstAdministrator: expect.stringContaining('users create admin --role admin') as string,
    });
    expect(statSync(join(folder, 'data/secret.key')).mode & 0o777).toBe(0o600);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await program.stop('SIGINT')).toBe(0);
  });

  it('greets on a terminal before it tells of anything else', async () => {
    const program = startProgram([main, 'serve'], { cwd: folder, env: { PORT: '0', LOG_FORMAT: 'pretty' } });
    running.push(program);
    while (!program.output().includes('key_created')) await delay(20);
    const [greeting = '', events = ''] = program.output().split('Press Ctrl+C to stop.');
    expect(greeting).toContain('Make the first one:');
    expect(greeting).not.toContain('INFO');
    expect(events).toContain('key_created');
    expect(await program.stop('SIGINT')).toBe(0);
  });

  it('finds what an earlier one left, and stops asking for an administrator', async () => {
    const first = await start();
    expect((await post(first.url, '/register', { username: 'ann', password })).status).toBe(201);
    expect(await first.program.stop('SIGTERM')).toBe(0);
    expect((await sallyport('users set-roles ann admin')).status).toBe(0);

    const second = await start();
    expect((await post(second.url, '/token', { username: 'ann', password })).status).toBe(200);
    expect(second.lines().find(({ msg }) => msg === 'listening')).not.toHaveProperty('firstAdministrator');
  });

  it('makes the first administrator of the environment once', async () => {
    const first = await start({ ADMIN_USERNAME: 'root', ADMIN_PASSWORD: password });
    const roles = await runProgram([main, 'users', 'show', 'root', '--json'], { cwd: folder });
    expect(JSON.parse(roles.stdout)).toMatchObject({ roles: ['admin'] });
    await first.program.stop();
    await start({ ADMIN_USERNAME: 'other', ADMIN_PASSWORD: password });
    expect((await sallyport('users show other')).status).toBe(1);
  });

  it('refuses a first administrator with a weak password, without showing it', async () => {
    const { status, stderr } = await giveUp({ PORT: '0', ADMIN_USERNAME: 'root', ADMIN_PASSWORD: 'hunter2' });
    expect(status).toBe(2);
    expect(stderr).toContain('ADMIN_PASSWORD is refused');
    expect(stderr).not.toContain('hunter2');
  });

  it('with an unusable environment ends with status 2, names every problem and makes nothing', async () => {
    const { status, stderr } = await giveUp({ PORT: '1e3', SECRET_KEY: 'secret', ISSUER: 'http://example.com' });
    expect(status).toBe(2);
    for (const name of ['PORT', 'SECRET_KEY', 'ISSUER']) expect(stderr).toContain(`- ${name} `);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('on a port that is taken says so in one line and touches nothing', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = await giveUp({ PORT: String(port) });
    expect(status).toBe(1);
    expect(stderr).toBe(
      `sallyport: Port ${port} on 127.0.0.1 is taken by another program. Stop it, or choose another port: PORT=${port + 1}\n`,
    );
    expect(existsSync(join(folder, 'data'))).toBe(false);
    other.close();
  });

  it('on an address that is not this machine’s says so', async () => {
    const { status, stderr } = await giveUp({ HOST: '192.0.2.1', ISSUER: 'https://auth.example.com' });
    expect(status).toBe(1);
    expect(stderr).toContain('192.0.2.1 is not an address of this machine');
  });
});

describe('K4 five servers that start at once on an empty folder', () => {
  it('make one secret and one signing key', async () => {
    const servers = await Promise.all(Array.from({ length: 5 }, () => start({ ISSUER: 'http://127.0.0.1:8000' })));
    const sets = await Promise.all(
      servers.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).text()),
    );
    expect(new Set(sets).size).toBe(1);
    expect((JSON.parse(sets[0] ?? '') as { keys: unknown[] }).keys).toHaveLength(1);
    expect(readFileSync(join(folder, 'data/secret.key'), 'utf8')).toMatch(/^[\w-]{64}\n$/);

    const [first, ...others] = servers;
    await post(first?.url ?? '', '/register', { username: 'ann', password });
    const signedIn = await post(first?.url ?? '', '/token', { username: 'ann', password });
    const { access_token: token } = (await signedIn.json()) as { access_token: string };
    for (const { url } of others) {
      const me = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } });
      expect(me.status).toBe(200);
    }
  });
});

describe('a stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s finishes the request it is answering and takes no new one',
    async (signal) => {
      const { url, program, lines } = await start();
      const { request, rest, answer } = await halfARegistration(url);
      program.child.kill(signal);
      while (!program.output().includes('stopping')) await delay(10);
      await expect(fetch(`${url}/livez`)).rejects.toThrow();
      request.end(rest);
      const response = await answer;
      expect(response.statusCode).toBe(201);
      expect(response.headers.connection).toBe('close');
      await once(program.child, 'close');
      expect(program.child.exitCode).toBe(0);
      expect(lines().at(-1)).toMatchObject({ msg: 'stopped' });
    },
  );

  it('does not wait for connections that ask nothing', async () => {
    const { url, program } = await start();
    const agent = new Agent({ keepAlive: true });
    const request = httpRequest(`${url}/livez`, { agent }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    const silent = connect(Number(new URL(url).port), '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');

    const began = performance.now();
    expect(await program.stop('SIGINT')).toBe(0);
    expect(performance.now() - began).toBeLessThan(4000);
    agent.destroy();
  });

  it('does not wait for requests that never arrive in full', async () => {
    const { url, program, lines } = await start();
    const unfinished = [await halfARegistration(url), await halfARegistration(url)];
    const began = performance.now();
    expect(await program.stop('SIGTERM')).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
    for (const { answer } of unfinished) await expect(answer).rejects.toThrow();
    expect(lines().map(({ msg }) => msg)).toContain('stopped');
    expect(program.output()).not.toContain('unexpected error');
  });

  it('happens at once when it is asked for again', async () => {
    const stopSignal = JSON.stringify(join(root, 'packages/server/dist/node/stop-signal.js'));
    const stubborn = `
      const { stopSignal } = await import(${stopSignal});
      setInterval(() => undefined, 1000);
      const wish = stopSignal();
      console.log('ready');
      await wish;
      console.log('stopping');`;
    const program = startProgram(['--input-type=module', '--eval', stubborn]);
    running.push(program);
    while (!program.output().includes('ready')) await delay(10);
    const closed = once(program.child, 'close');
    while (program.child.exitCode === null && program.child.signalCode === null) {
      program.child.kill('SIGINT');
      await delay(100);
    }
    await closed;
    expect(program.output()).toContain('stopping');
    expect(program.child.exitCode).toBe(130);
  });
});

describe('the running process', () => {
  it('P11 believes X-Forwarded-For from trusted proxies alone', async () => {
    const forwarded = { 'x-forwarded-for': '198.51.100.7' };
    for (const [trusted, address] of [
      ['', '127.0.0.1'],
      ['127.0.0.0/8', '198.51.100.7'],
    ] as const) {
      const { url, program, lines } = await start({ TRUSTED_PROXIES: trusted });
      await fetch(`${url}/livez`, { headers: forwarded });
      await program.stop();
      expect(lines().find(({ path }) => path === '/livez')).toMatchObject({ address });
    }
  });

  it('answers headers beyond all measure with 431 and goes on', async () => {
    const { url, program } = await start();
    // More than is allowed, and little enough to arrive at once: what is still on its way would reset the connection.
    const answer = await exchange(url, `GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await program.stop()).toBe(0);
  });

  it('S19 logs JSON lines without any password or token', async () => {
    const { url, program, lines } = await start();
    await post(url, '/register', { username: 'ann', password });
    const tokens = (await (await post(url, '/token', { username: 'ann', password })).json()) as Record<string, string>;
    await fetch(`${url}/me?access_token=${tokens['access_token']}`);
    await post(url, '/token/refresh', { refresh_token: tokens['refresh_token'] ?? '' });
    await post(url, '/token', { username: 'ann', password: 'not the one at all' });
    await program.stop();
    expect(lines().filter(({ msg }) => msg === 'request')).toHaveLength(5);
    expect(lines().filter(({ event }) => event === 'sign_in_refused')).toHaveLength(1);
    const secrets = [password, 'not the one at all', tokens['access_token'], tokens['refresh_token']];
    for (const secret of [...secrets, readFileSync(join(folder, 'data/secret.key'), 'utf8').trim()]) {
      expect(secret).toMatch(/\S/);
      expect(program.output()).not.toContain(secret);
    }
  });
});

describe('the command line as a process', () => {
  it('reads the password as one line of standard input, spaces included', async () => {
    const created = await sallyport('users create ann --json', ` ${password} \r\nsecond line\n`);
    expect(created.status).toBe(0);
    expect(JSON.parse(created.stdout)).toMatchObject({ username: 'ann', roles: ['user'] });
    const { url } = await start();
    expect((await post(url, '/token', { username: 'ann', password })).status).toBe(401);
    expect((await post(url, '/token', { username: 'ann', password: ` ${password} ` })).status).toBe(200);
  });

  it('does not take a password from its arguments, and says what is missing', async () => {
    expect((await sallyport(`users create ann secret`)).status).toBe(2);
    const { status, stdout, stderr } = await sallyport('users create ann');
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: 'sallyport: no password given: write it as one line to standard input\n',
    });
  });

  it('runs through npm’s script with the same output and exit status', async () => {
    const script = join(root, 'scripts/sallyport.js');
    const shown = await runProgram([script, '--version'], { cwd: folder });
    expect(shown).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
    expect((await runProgram([script, 'users', 'show', 'nobody'], { cwd: folder })).status).toBe(1);
  });
});

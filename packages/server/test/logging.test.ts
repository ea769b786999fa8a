import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createAuth } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import { createHandler } from 'sallyport';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../test/child-process.ts';
import { root } from '../../../test/source-files.ts';
import { newSecretKey } from '../src/environment/secret-key.ts';
import { createLog, type Log, type LogOptions } from '../src/logging.ts';
import { gatherLines, holdLines } from '../src/logging/destinations.ts';
import { redact } from '../src/logging/redaction.ts';

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl';
const refreshToken = 'ASqdA2pbEWKAAAAAAAAB4Cjzw0TG9ubayfvv56Vsdw';

async function aLog(format: LogOptions['format'] = 'json'): Promise<{ log: Log; text: () => string }> {
  let text = '';
  const destination = { write: (line: string): void => void (text += line) };
  const log = await createLog({ level: 'info', format, destination });
  return { log, text: () => text };
}

const request = {
  requestId: 'r1',
  method: 'GET',
  path: '/me',
  status: 200,
  durationMs: 1.23456,
  subject: 'ann-id',
  address: '203.0.113.9',
};

describe('the request log', () => {
  it('has one line per request with its time, id, call, outcome, duration, caller and address', async () => {
    const { log, text } = await aLog();
    log.request(request);
    expect(text().match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(text())).toEqual({
      ...request,
      durationMs: 1.2,
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      msg: 'request',
    });
  });

  it('marks failures of the server as errors', async () => {
    const { log, text } = await aLog();
    log.request({ ...request, status: 503 });
    expect(JSON.parse(text())).toMatchObject({ level: 'error', status: 503 });
  });

  it('ties events to the request they happened in', async () => {
    const { log, text } = await aLog();
    const event = { type: 'sign_in_refused', at: new Date(), reason: 'wrong_password', userId: 'ann-id' } as const;
    log.within({ requestId: 'r2', address: '203.0.113.9' }, () => log.event(event));
    expect(JSON.parse(text())).toMatchObject({
      level: 'warn',
      event: 'sign_in_refused',
      reason: 'wrong_password',
      requestId: 'r2',
      address: '203.0.113.9',
    });
  });

  it('ties failures and everything else to it, too, and an id of their own goes first', async () => {
    const { log, text } = await aLog();
    log.within({ requestId: 'r2', address: '203.0.113.9' }, () => {
      log.failure(new Error('broken'));
      log.failure(new Error('broken'), 'r3');
      log.note('a detail', { size: 1 });
      log.warn('a worry');
    });
    const lines = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ requestId }) => requestId)).toEqual(['r2', 'r3', 'r2', 'r2']);
    for (const line of lines) expect(line).toMatchObject({ address: '203.0.113.9' });
  });

  it('announces the start whatever the level', async () => {
    let text = '';
    const destination = { write: (line: string): void => void (text += line) };
    const log = await createLog({ level: 'error', format: 'json', destination });
    log.note('a detail');
    log.announce('listening', { url: 'http://127.0.0.1:8000' });
    expect(JSON.parse(text)).toMatchObject({ msg: 'listening', url: 'http://127.0.0.1:8000' });
  });

  it('keeps its lines until they are released, in their order', async () => {
    let text = '';
    const lines = holdLines({ write: (line: string): void => void (text += line) });
    const log = await createLog({ level: 'info', format: 'pretty', destination: lines });
    log.note('one');
    log.note('two');
    expect(text).toBe('');
    lines.release();
    log.note('three');
    lines.release();
    expect(text).toMatch(/^.*one.*\n.*two.*\n.*three.*\n$/);
  });

  it('writes the lines of one moment together, in their order, and those of the next one after them', async () => {
    const writes: string[] = [];
    const lines = gatherLines({ write: (text: string): void => void writes.push(text) });
    lines.write('one\n');
    lines.write('two\n');
    expect(writes).toEqual([]);
    await setImmediate();
    lines.write('three\n');
    await setImmediate();
    expect(writes).toEqual(['one\ntwo\n', 'three\n']);
  });

  it.each([
    ['exits', 'process.exit(3)'],
    ['breaks', "throw new Error('broken')"],
  ])('loses no line when the process %s right after it', async (_how, end) => {
    const destinations = join(root, 'packages/server/dist/logging/destinations.js');
    const program = `import { standardOutput } from ${JSON.stringify(destinations)};
      const lines = standardOutput();
      lines.write('one\\n');
      lines.write('two\\n');
      ${end};`;
    const { stdout, status } = await runProgram(['--input-type=module', '--eval', program]);
    expect(stdout).toBe('one\ntwo\n');
    expect(status).not.toBe(0);
  });

  it('writes the end of every session', async () => {
    const { log, text } = await aLog();
    log.event({ type: 'every_session_ended', at: new Date(), count: 3 });
    expect(JSON.parse(text())).toMatchObject({ event: 'every_session_ended', count: 3 });
  });

  it('reads like a sentence in the pretty form', async () => {
    const { log, text } = await aLog('pretty');
    log.request(request);
    expect(text()).toContain('GET /me 200 1.2 ms');
  });
});

describe('S19 secrets in the log', () => {
  it.each([
    ['an access token', `/x/${jwt}/y`],
    ['an access token without signature', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.'],
    ['a refresh token', refreshToken],
    ['credentials', 'Authorization: Bearer abcdefgh12345678'],
    ['the password of a database', 'connect ECONNREFUSED postgres://ann:hunter2pass@db/x'],
    ['a member named like a secret', JSON.stringify({ a: { new_password: 'hunter2"pass', secretKey: 'hunter2pass' } })],
  ])('%s is taken out of a line', (_what, text) => {
    const line = redact(text);
    for (const secret of [jwt, 'eyJzdWIi', refreshToken, 'abcdefgh12345678', 'hunter2']) {
      expect(line).not.toContain(secret);
    }
  });

  it('leaves ordinary lines and their JSON alone', () => {
    const line = JSON.stringify({
      ...request,
      event: 'password_changed',
      tokenId: 'KEBXVo8nEZU',
      id: crypto.randomUUID(),
    });
    expect(redact(line)).toBe(line);
  });

  it.each(['json', 'pretty'] as const)('keeps a hostile value on one line in the %s form', async (format) => {
    const { log, text } = await aLog(format);
    log.request({ ...request, path: '/x\r\n{"level":"info","msg":"forged"}' });
    expect(text().trim().split(/\r|\n/)).toHaveLength(1);
  });

  it('shows no password and no token of a whole life: registered, signed in, refreshed, changed, refused', async () => {
    const { log, text } = await aLog();
    const secretKey = newSecretKey();
    const store = sqlite(':memory:');
    const auth = await createAuth({ issuer: 'http://127.0.0.1:8000', store, secretKey, onEvent: log.event });
    const handle = createHandler(auth, { onRequest: log.request, onError: log.failure });
    const secrets = new Set<string>([secretKey]);
    const call = async (
      path: string,
      body: Record<string, string>,
      token?: string,
    ): Promise<Record<string, string>> => {
      const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const response = await handle(new Request(`http://127.0.0.1:8000${path}`, init), { address: '203.0.113.9' });
      const answer = (await response.json()) as Record<string, string>;
      for (const secret of [answer['access_token'], answer['refresh_token']])
        if (secret !== undefined) secrets.add(secret);
      return answer;
    };
    const [password, newPassword, wrong] = ['violet tractor 7 sings', 'amber tractor 8 sings', 'not the one at all'];
    for (const secret of [password, newPassword, wrong]) secrets.add(secret);

    await call('/register', { username: 'ann', password });
    const first = await call('/token', { username: 'ann', password });
    await call('/token', { username: 'ann', password: wrong });
    await call('/token', { username: password, password });
    const second = await call('/token/refresh', { refresh_token: first['refresh_token'] ?? '' });
    const changed = { current_password: password, new_password: newPassword };
    const third = await call('/me/password', changed, second['access_token']);
    await call(
      `/me/sessions/${third['refresh_token']}?access_token=${third['access_token']}`,
      {},
      third['access_token'],
    );
    await call('/token/revoke', { token: third['refresh_token'] ?? '' });
    await auth.close();
    await call('/token', { username: 'ann', password: newPassword });

    expect(secrets.size).toBe(10);
    expect(text().split('\n').length).toBeGreaterThan(12);
    for (const secret of secrets) expect(text()).not.toContain(secret);
  });
});

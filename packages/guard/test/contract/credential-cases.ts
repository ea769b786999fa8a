import { expect, it } from 'vitest';
import { csrfTokenFor } from '@sallyport/guard';
import { anAccessToken } from '../tokens.ts';
import type { ContractApp } from './contract-app.ts';

/** Where a token may be and where it may not. */
export function describeCredentials(app: ContractApp): void {
  it('B1 asks for credentials with a bare challenge', async () => {
    const answer = await app.refuse('/me');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="todos"');
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'Not authenticated',
      code: 'not_authenticated',
    });
  });

  it.each(['Basic YTpi', 'Digest username="Bearer a"', 'Bearerx', ''])(
    'B1 takes %j for no credentials',
    async (line) => {
      const answer = await app.refuse('/me', { authorization: line });
      expect([answer.status, answer.body.code]).toEqual([401, 'not_authenticated']);
    },
  );

  it.each(['Bearer', 'Bearer a b', 'Bearer  a', 'bearer\ta'])('B2 answers 400 to %j', async (line) => {
    const answer = await app.refuse('/me', { authorization: line });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_request"');
  });

  it('B2 B5 answers 400 to two Authorization headers, whichever comes first', async () => {
    const good = `Authorization: Bearer ${anAccessToken()}`;
    for (const lines of [
      [good, good],
      ['Authorization: Basic YTpi', good],
      [good, 'authorization: Bearer x'],
    ]) {
      expect(await app.withoutHandler(() => app.statusOfRaw('/me', lines))).toBe(400);
    }
  });

  it('B2 answers 400 to a token by header and query', async () => {
    const token = anAccessToken();
    expect((await app.refuseToken(`/me?access_token=${token}`, token)).status).toBe(400);
  });

  it('B4 does not read a token from the query, the body or a cookie', async () => {
    const token = anAccessToken({ scope: 'todos:*' });
    expect((await app.refuse(`/me?access_token=${token}`)).status).toBe(401);
    expect((await app.refuse('/me', { cookie: `__Host-access_token=${token}` })).status).toBe(401);
    const form = { method: 'POST', body: `access_token=${token}` };
    const answer = await app.refuse('/todos', { 'content-type': 'application/x-www-form-urlencoded' }, form);
    expect(answer.status).toBe(401);
  });

  it.each(['bearer', 'BEARER', 'bEaReR'])('B5 accepts the scheme as %s', async (scheme) => {
    expect((await app.send('/me', { authorization: `${scheme} ${anAccessToken()}` })).status).toBe(200);
  });

  it('B6 B9 never breaks on garbage in the header', async () => {
    const garbage = ['Bearer %', 'Bearer %ff%00', 'Bearer \u00ff\u00fe', 'Bearer ":,;\\', '%%%', 'Bearer\u00a0x', ','];
    const fatal = ['Bearer a\u0000b', 'Bearer a\rb', `Bearer ${'a'.repeat(64_000)}`];
    const statusOf = (line: string): Promise<number> => app.statusOfRaw('/me', [`Authorization: ${line}`]);
    await app.withoutHandler(async () => {
      for (const status of await Promise.all(garbage.map(statusOf))) expect([400, 401]).toContain(status);
      for (const status of await Promise.all(fatal.map(statusOf))) expect([400, 401, 431]).toContain(status);
    });
  });

  it('reads a token in the query, where it is told to', async () => {
    const path = `/me?page=2&access_token=${anAccessToken()}`;
    expect((await app.with('manySources', () => app.send(path))).status).toBe(200);
  });
}

/** Cookies, and the methods of plain HTTP. */
export function describeCookies(app: ContractApp): void {
  it('reads a cookie, where it is told to', async () => {
    const cookie = `a=1; __Host-access_token=${anAccessToken({ sub: 'user-8' })}`;
    const answer = await app.with('manySources', () => app.send('/me', { cookie }));
    expect(answer).toMatchObject({ status: 200, body: { subject: 'user-8' } });
  });

  it('S12 lets a cookie write only from a page of its own', async () => {
    const token = anAccessToken({ scope: 'todos:*' });
    const write = (headers: Record<string, string> = {}) =>
      app.send('/todos', { cookie: `__Host-access_token=${token}`, ...headers }, { method: 'POST' });
    const forged = [
      {},
      { origin: 'https://evil.test' },
      { origin: 'null' },
      { 'x-csrf-token': csrfTokenFor('other') },
      { origin: 'https://evil.test', 'x-csrf-token': csrfTokenFor(token) },
    ];
    await app.with('manySources', async () => {
      for (const headers of forged) {
        const answer = await app.withoutHandler(() => write(headers));
        expect([answer.status, answer.body.code]).toEqual([403, 'csrf_proof_missing']);
      }
      expect((await write({ 'x-csrf-token': csrfTokenFor(token) })).status).toBe(200);
      expect((await write({ origin: 'https://app.example.test' })).status).toBe(200);
    });
  });

  it('S12 goes by what the browser says of the site', async () => {
    const token = anAccessToken({ scope: 'todos:*' });
    const statusFrom = (site: string): Promise<number> =>
      app.statusOfRaw(
        '/todos',
        [`Cookie: __Host-access_token=${token}`, `Sec-Fetch-Site: ${site}`, 'Content-Length: 0'],
        'POST',
      );
    await app.with('manySources', async () => {
      await app.withoutHandler(async () => {
        for (const site of ['cross-site', 'same-site', 'none']) expect(await statusFrom(site)).toBe(403);
      });
      expect(await statusFrom('same-origin')).toBe(200);
    });
  });

  it('B2 answers 400 to two credentials, wherever they are', async () => {
    const token = anAccessToken();
    const authorization = `Bearer ${token}`;
    const cookie = `__Host-access_token=${token}`;
    await app.with('manySources', async () => {
      expect((await app.refuse('/me', { authorization, cookie })).status).toBe(400);
      expect((await app.refuse(`/me?access_token=${token}`, { cookie })).status).toBe(400);
      expect((await app.refuse('/me', { cookie: `${cookie}; ${cookie}` })).status).toBe(400);
    });
  });

  it('asks nobody who may ask: OPTIONS is no reason for a challenge', async () => {
    const headers = ['Origin: https://app.example.test', 'Access-Control-Request-Method: GET'];
    expect(await app.withoutHandler(() => app.statusOfRaw('/admin', headers, 'OPTIONS'))).not.toBe(401);
  });
}

/** For apps that read bodies before their guard. */
export function describeBodyCredentials(app: ContractApp): void {
  const token = anAccessToken({ scope: 'todos:*' });

  it.each([
    ['application/json', JSON.stringify({ access_token: token })],
    ['application/json; charset=utf-8', JSON.stringify({ access_token: token })],
    ['application/x-www-form-urlencoded', `access_token=${token}`],
  ])('reads a token in a body of %s, where it is told to', async (type, body) => {
    const answer = await app.with('manySources', () =>
      app.send('/todos', { 'content-type': type }, { method: 'POST', body }),
    );
    expect(answer.status).toBe(200);
  });

  it('B2 answers 400 to a token by header and body', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const body = JSON.stringify({ access_token: token });
    const answer = await app.with('manySources', () => app.refuse('/todos', headers, { method: 'POST', body }));
    expect(answer.status).toBe(400);
  });
}

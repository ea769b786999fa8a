import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get, signIn, signUp } from '../http-client.ts';
import { runSallyport, startServer, temporaryFolder } from '../server-process.ts';

describe('the first start and the next ones', () => {
  it('makes database and secret, keeps them to itself, finds its data again, and ends cleanly', async () => {
    const server = await startServer();
    expect(existsSync(join(server.folder, 'data/sallyport.db'))).toBe(true);
    expect(statSync(join(server.folder, 'data/secret.key')).mode & 0o777).toBe(0o600);
    const { access_token } = await signUp(server.url, 'ada');
    expect(await server.program.stop('SIGINT')).toBe(0);

    const again = await server.restart();
    expect((await get(`${again.url}/me`, access_token)).body).toMatchObject({ username: 'ada' });
    expect((await signIn(again.url, 'ada')).token_type).toBe('Bearer');
    expect(await again.program.stop('SIGTERM')).toBe(0);
    expect(server.program.output() + again.program.output()).not.toMatch(/warning/i);
    await again.remove();
  });
});

describe('a server with an unusable environment', () => {
  const refusals: readonly { name: string; env: Readonly<Record<string, string>>; mentions: readonly string[] }[] = [
    { name: 'a short secret', env: { SECRET_KEY: 'secret' }, mentions: ['SECRET_KEY'] },
    { name: 'a weak secret', env: { SECRET_KEY: 'a'.repeat(64) }, mentions: ['SECRET_KEY'] },
    { name: 'an unknown algorithm', env: { ALGORITHM: 'none' }, mentions: ['ALGORITHM'] },
    { name: 'an http issuer elsewhere', env: { ISSUER: 'http://auth.example.com' }, mentions: ['ISSUER', 'https'] },
    {
      name: 'a malformed number',
      env: { ACCESS_TOKEN_EXPIRE_MINUTES: '15m' },
      mentions: ['ACCESS_TOKEN_EXPIRE_MINUTES'],
    },
  ];

  it.each(refusals)('refuses to start: $name', async ({ env, mentions }) => {
    const { status, stdout, stderr } = await runSallyport(['serve'], temporaryFolder(), env);
    expect(status).toBe(2);
    for (const word of mentions) expect(stdout + stderr).toContain(word);
  });

  it('J25 names every problem at once and never the secret', async () => {
    const env = Object.assign({}, ...refusals.map((refusal) => refusal.env)) as Record<string, string>;
    const { status, stdout, stderr } = await runSallyport(['serve'], temporaryFolder(), env);
    expect(status).toBe(2);
    for (const word of ['SECRET_KEY', 'ALGORITHM', 'ISSUER', 'ACCESS_TOKEN_EXPIRE_MINUTES']) {
      expect(stdout + stderr).toContain(word);
    }
    expect(stdout + stderr).not.toContain('a'.repeat(64));
  });

  it('suggests the name that .env probably means', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.env'), 'ACCES_TOKEN_EXPIRE_MINUTES=5\n');
    const { status, stdout, stderr } = await runSallyport(['serve'], folder);
    expect(status).toBe(2);
    expect(stdout + stderr).toContain('ACCESS_TOKEN_EXPIRE_MINUTES');
  });
});

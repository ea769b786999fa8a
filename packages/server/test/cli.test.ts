import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commands } from '../src/cli/commands.ts';
import { UsageError } from '../src/cli/errors.ts';
import { runCommandLine } from '../src/cli/program.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`);
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  await sallyport('migrate');
});
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const password = 'violet tractor 7 sings';

/** Runs a command line on the test's database, with `input` as the one line of standard input. */
async function sallyport(line: string | readonly string[], input?: string): Promise<Outcome> {
  const said = { out: '', err: '' };
  const read = (): Promise<string> =>
    input === undefined ? Promise.reject(new UsageError('no input given')) : Promise.resolve(input);
  const status = await runCommandLine(typeof line === 'string' ? line.split(' ') : line, {
    isInteractive: false,
    hasColors: false,
    print: (text) => void (said.out += `${text}\n`),
    note: (text) => void (said.err += `${text}\n`),
    readNewPassword: read,
    readLine: read,
  });
  return { status, ...said };
}

async function json(line: string | readonly string[], input?: string): Promise<Record<string, unknown>> {
  const { status, out, err } = await sallyport(
    [...(typeof line === 'string' ? line.split(' ') : line), '--json'],
    input,
  );
  expect(err).toBe('');
  expect(status).toBe(0);
  return JSON.parse(out) as Record<string, unknown>;
}

async function refusal(line: string, input?: string): Promise<Outcome & { readonly code: string }> {
  const outcome = await sallyport(`${line} --json`, input);
  expect(outcome.out).toBe('');
  const { error } = JSON.parse(outcome.err) as { error: { code: string; message: string } };
  expect(error.message).toMatch(/\S/);
  return { ...outcome, code: error.code };
}

const aUser = (name: string, options = ''): Promise<Record<string, unknown>> =>
  json(`users create ${name}${options && ` ${options}`}`, password);

describe('users', () => {
  it('are created with the wire names of the HTTP interface', async () => {
    const user = await aUser('ann', '--role admin --role user --email ann@example.com');
    expect(user).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      username: 'ann',
      email: 'ann@example.com',
      roles: ['admin', 'user'],
      disabled: false,
      created_at: expect.stringMatching(/Z$/) as string,
    });
    expect(await json('users show ann')).toEqual(user);
    expect(await json(`users show ${String(user['id'])}`)).toEqual(user);
  });

  it('are listed, all or those that match', async () => {
    await aUser('lister1');
    await aUser('lister2');
    const { items } = await json('users list --search lister');
    expect((items as { username: string }[]).map(({ username }) => username)).toEqual(['lister1', 'lister2']);
    expect((await sallyport('users list')).out).toMatch(/^NAME +E-MAIL +ROLES +STATE +MADE +ID\n/);
  });

  it('are disabled, enabled, given roles and passwords, and deleted', async () => {
    await aUser('bob');
    expect(await json('users disable bob')).toMatchObject({ disabled: true });
    expect((await sallyport('users show bob')).out).toMatch(/State +disabled/);
    expect(await json('users enable bob')).toMatchObject({ disabled: false });
    expect(await json('users set-roles bob user admin')).toMatchObject({ roles: ['admin', 'user'] });
    expect((await sallyport('users set-password bob', 'amber tractor 8 sings')).out).toContain(
      'every session has ended',
    );
    expect((await sallyport('users delete bob')).out).toMatch(/^Deleted bob \(.{36}\)\.$/m);
    expect(await refusal('users show bob')).toMatchObject({ status: 1, code: 'user_not_found' });
  });

  it.each([
    ['users create ann', password, 'username_taken'],
    ['users create ANN', password, 'username_taken'],
    ['users create carl', 'short', 'password_refused'],
    ['users create carl --role nobody', password, 'role_not_found'],
    ['users create carl --email nonsense', password, 'value_invalid'],
    ['users show nobody', undefined, 'user_not_found'],
    ['users set-roles ann nobody', undefined, 'role_not_found'],
  ])('refuses %s with exit status 1', async (line, input, code) => {
    expect(await refusal(line, input)).toMatchObject({ status: 1, code });
  });
});

describe('roles of a user', () => {
  it('are named in the singular and in the plural', async () => {
    expect((await sallyport('users create root2 --role admin', password)).out).toBe(
      'root2 is made with the role admin.\n',
    );
    expect((await sallyport('users set-roles root2 admin user')).out).toBe('root2 now has the roles admin, user.\n');
    await json('users delete root2');
  });
});

describe('roles', () => {
  it('are set, listed and deleted', async () => {
    expect(await json('roles set editor todos:write todos:read')).toEqual({
      name: 'editor',
      scopes: ['todos:read', 'todos:write'],
      built_in: false,
    });
    const { items } = await json('roles list');
    expect(items).toContainEqual({ name: 'admin', scopes: ['*'], built_in: true });
    expect((await sallyport('roles list')).out).toMatch(/^editor +todos:read todos:write$/m);
    expect(await json('roles delete editor')).toEqual({ deleted: 'editor' });
    expect(await refusal('roles delete admin')).toMatchObject({ status: 1, code: 'role_built_in' });
  });
});

describe('tokens and sessions', () => {
  it('are issued with three members', async () => {
    await aUser('tess');
    const tokens = await json('tokens issue tess');
    expect(Object.keys(tokens)).toEqual(['access_token', 'refresh_token', 'expires_in']);
    expect(tokens['expires_in']).toBe(900);
  });

  it('come with the name of their issuer, which the server must have too', async () => {
    expect((await sallyport('tokens issue tess')).out).toMatch(
      /^Access token of http:\/\/127\.0\.0\.1:8000, works for/,
    );
  });

  it('are inspected and revoked, from the argument or from standard input', async () => {
    const { access_token: token, refresh_token: refreshToken } = await json('tokens issue tess');
    expect(await json(['tokens', 'inspect', String(token)])).toMatchObject({ active: true, username: 'tess' });
    expect(await json('tokens inspect -', `${String(refreshToken)}\n`)).toMatchObject({ token_type: 'refresh_token' });
    expect(await json('tokens revoke -', String(token))).toEqual({ revoked: 1 });
    expect(await json('tokens inspect -', String(token))).toEqual({ active: false });
    expect(await json('tokens revoke -', String(refreshToken))).toEqual({ revoked: 0 });
  });

  it('are listed and revoked by id, by user, and altogether', async () => {
    await json('sessions revoke --user tess');
    for (let count = 0; count < 3; count++) await json('tokens issue tess');
    await json('tokens issue ann');
    const { items } = await json('sessions list tess');
    expect(items).toHaveLength(3);
    const [session] = items as [{ id: string; user_agent: string }];
    expect(session.user_agent).toBe('sallyport tokens issue');
    expect(await json(['sessions', 'revoke', session.id])).toEqual({ revoked: 1 });
    expect(await json('sessions revoke --user tess')).toEqual({ revoked: 2 });
    expect(await json('sessions revoke --all')).toEqual({ revoked: 1 });
    expect((await sallyport('sessions list tess')).out).toBe('tess is not signed in.\n');
  });

  it('take ids and tokens that begin with a dash', async () => {
    expect(await refusal('sessions revoke -abcdefghij')).toMatchObject({ status: 1, code: 'session_not_found' });
    expect(await json('tokens inspect -abc.def.ghi')).toEqual({ active: false });
  });

  it('need to know the issuer', async () => {
    vi.stubEnv('PORT', '0');
    expect(await refusal('tokens issue tess')).toMatchObject({ status: 2, code: 'usage' });
    vi.stubEnv('PORT', undefined);
  });

  it('cannot steer the terminal by the name of a device', async () => {
    const { textTable } = await import('../src/cli/text-table.ts');
    expect(textTable(['DEVICE'], [['\u001B[2Jevil\r\n\u202Ename']])).toBe('DEVICE\n?[2Jevil???name');
  });
});

describe('keys', () => {
  it('are listed and rotated', async () => {
    const key = await json('keys rotate');
    expect(key).toMatchObject({ algorithm: 'ES256', stage: 'next' });
    const { items } = await json('keys list');
    expect(items).toHaveLength(2);
    expect((await sallyport('keys list')).out).toContain(String(key['id']));
  });

  it('K3: are revoked when somebody else may have them, by name or because they sign', async () => {
    const waiting = await json('keys rotate');
    expect(await json(`keys revoke ${String(waiting['id'])}`)).toMatchObject({ stage: 'compromised' });
    expect(await json('keys rotate --compromised')).toMatchObject({ stage: 'compromised' });
    const { items } = (await json('keys list')) as { items: { stage: string }[] };
    expect(items.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['compromised', 'compromised', 'current']));
    expect(await sallyport('keys revoke nobody')).toMatchObject({ status: 1 });
  });
});

describe('the installation', () => {
  it('gets a secret that is accepted', async () => {
    const { out } = await sallyport('secret');
    expect(out).toMatch(/^[\w-]{64}\n$/);
    expect(await json('secret')).toEqual({ secret_key: expect.stringMatching(/^[\w-]{64}$/) as string });
  });

  it('is migrated, and says what was done', async () => {
    vi.stubEnv('DATABASE_URL', `file:${join(folder, 'fresh/x.db')}`);
    const { out, err } = await sallyport('migrate --json');
    expect(err).toBe(`made a new database at ${join(folder, 'fresh/x.db')}\n`);
    const { from, to } = JSON.parse(out) as { from: number; to: number };
    expect(from).toBe(0);
    expect(await json('migrate')).toMatchObject({ from: to, to });
    expect(await json('users list')).toEqual({ items: [] });
    vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`);
  });

  it('warns on standard error when nothing will be kept', async () => {
    vi.stubEnv('DATABASE_URL', 'memory:');
    const { status, err } = await sallyport('users list');
    expect(status).toBe(0);
    expect(err).toContain('DATABASE_URL is memory:');
    vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`);
  });
});

describe('a database that is not there', () => {
  beforeAll(() => vi.stubEnv('DATABASE_URL', `file:${join(folder, 'typo/x.db')}`));
  afterAll(() => vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`));

  it.each(commands.filter(({ name, makesDatabase }) => !makesDatabase && name !== 'secret'))(
    'is not made by $name, which names it',
    async ({ name, parameters }) => {
      const line = [name, ...parameters.map(() => 'x')].join(' ');
      const { status, err } = await sallyport(line);
      expect(status).toBe(1);
      expect(err).toBe(`sallyport: there is no database at ${join(folder, 'typo/x.db')} (DATABASE_URL)\n`);
      expect(await refusal(line)).toMatchObject({ code: 'database_missing' });
      expect(existsSync(join(folder, 'typo'))).toBe(false);
    },
  );

  it('is made by "users create", which says so, once it has a password', async () => {
    expect((await sallyport('users create ann')).status).toBe(2);
    expect(existsSync(join(folder, 'typo'))).toBe(false);
    const { status, err } = await sallyport('users create ann', password);
    expect(status).toBe(0);
    expect(err).toBe(`made a new database at ${join(folder, 'typo/x.db')}\n`);
  });
});

describe('a database that cannot be used', () => {
  const whatIsSaidOf = async (file: string): Promise<string> => {
    vi.stubEnv('DATABASE_URL', `file:${file}`);
    const { status, err } = await sallyport('users create zoe', password);
    vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`);
    expect(status).toBe(2);
    return err;
  };

  it('is told when it is a directory', async () => {
    const said = await whatIsSaidOf(folder);
    expect(said).toContain(`DATABASE_URL is unusable: ${folder} is a directory`);
    expect(said).toContain(`Example: DATABASE_URL=file:${folder}/sallyport.db`);
  });

  it('is told when it is not SQLite, and left as it is', async () => {
    const file = join(folder, 'notes.db');
    for (const text of ['x', 'these are notes, and no database at all']) {
      writeFileSync(file, text);
      expect(await whatIsSaidOf(file)).toContain('notes.db is not a SQLite database (file is not a database)');
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  it('is told when its folder cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await whatIsSaidOf(join(folder, 'file/nope/x.db'))).toContain('x.db cannot be opened (ENOTDIR)');
  });

  it('is refused with its reason and without its password', async () => {
    vi.stubEnv('SECRET_KEY', (await sallyport('secret')).out.trim());
    vi.stubEnv('DATABASE_URL', 'postgres://ann:hunter2@127.0.0.1:1/x');
    const outcome = await refusal('users list');
    expect(outcome).toMatchObject({ status: 1, code: 'store_unavailable' });
    expect(outcome.err).toContain('ECONNREFUSED');
    expect(outcome.err).not.toContain('hunter2');
    vi.stubEnv('SECRET_KEY', undefined);
    vi.stubEnv('DATABASE_URL', `file:${join(folder, 'data/x.db')}`);
  });
});

describe('wrong usage', () => {
  it.each([
    ['uers list', 'did you mean users?'],
    ['users crate ann', 'did you mean create?'],
    ['users list --jsn', 'did you mean --json?'],
    ['users create', 'NAME is missing\nUsage: sallyport users create NAME [options]\n'],
    ['users show', 'USER is missing\nUsage: sallyport users show USER [options]\n'],
    ['users show ann extra', 'too many arguments'],
    ['roles set editor', 'SCOPE is missing\nUsage: sallyport roles set NAME SCOPE... [options]\n'],
    ['sessions revoke', 'give a session id, --user or --all'],
    ['sessions revoke x --all', 'give a session id, --user or --all'],
    ['users create dora', 'no input given'],
  ])('of %s ends with status 2 and says why', async (line, message) => {
    const { status, out, err } = await sallyport(line);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(`sallyport: `);
    expect(err).toContain(message);
    expect(await refusal(line)).toMatchObject({ status: 2, code: 'usage' });
  });

  it('includes an unusable environment, with every problem', async () => {
    writeFileSync(join(folder, '.env'), 'ISUER=x\nPORT=80a\n');
    const { status, err } = await sallyport('users list');
    expect(status).toBe(2);
    expect(err).toContain('ISUER in .env is not a variable of Sallyport (did you mean ISSUER?)');
    expect(err).toContain('PORT must be a whole number from 0 to 65535, not "80a". Example: PORT=8080');
    const inJson = await refusal('users list');
    expect(inJson.code).toBe('environment_invalid');
    rmSync(join(folder, '.env'));
  });

  it('includes a line of .env without =, which is not shown', async () => {
    const secret = (await sallyport('secret')).out.trim();
    writeFileSync(join(folder, '.env'), `# settings\nLOG_LEVEL=info\n\n${secret}\nPORT=80a\n`);
    const { status, err } = await sallyport('users list');
    expect(status).toBe(2);
    expect(err).toContain('- line 4 of .env has no =\n');
    expect(err).toContain('- PORT must be');
    expect(err).not.toContain(secret);
    rmSync(join(folder, '.env'));
  });

  it('includes a .env that cannot be read', async () => {
    mkdirSync(join(folder, '.env'));
    const { status, err } = await sallyport('users list');
    expect(status).toBe(2);
    expect(err).toContain('.env cannot be read (EISDIR)');
    rmSync(join(folder, '.env'), { recursive: true });
  });

  it('includes a secret key that is not the database’s', async () => {
    vi.stubEnv('SECRET_KEY', (await sallyport('secret')).out.trim());
    expect(await refusal('users list')).toMatchObject({ status: 2, code: 'config_invalid' });
    vi.stubEnv('SECRET_KEY', undefined);
  });
});

describe('the help', () => {
  it('lists every command', async () => {
    const { status, out } = await sallyport('--help');
    expect(status).toBe(0);
    for (const { name } of commands) expect(out).toContain(`  ${name}`);
  });

  it.each(commands)('of $name shows its examples', async ({ name, examples }) => {
    const { status, out } = await sallyport(`${name} --help`);
    expect(status).toBe(0);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example.startsWith(name)).toBe(true);
      expect(out).toContain(`sallyport ${example}`);
    }
  });

  it('is shown for nothing and for a group alone, with status 2', async () => {
    for (const line of [[], ['users']]) {
      const { status, err } = await sallyport(line);
      expect(status).toBe(2);
      expect(err).toContain('users create NAME');
    }
  });

  it('is an error object in JSON', async () => {
    expect(await refusal('users')).toMatchObject({ status: 2, code: 'usage' });
    const { status, err } = await sallyport(['--json']);
    expect(status).toBe(2);
    expect(JSON.parse(err)).toEqual({ error: { code: 'usage', message: 'a command is missing: see sallyport help' } });
  });

  it.each([
    ['help', '--help'],
    ['help users', 'users --help'],
    ['--help users', 'users --help'],
    ['-h users create', 'users create --help'],
    ['help users create', 'users create --help'],
    ['help users delete ann', 'users delete --help'],
  ])('is the same for %s and %s', async (one, other) => {
    const { status, out } = await sallyport(one);
    expect(status).toBe(0);
    expect(out).toBe((await sallyport(other)).out);
  });
});

describe('the version', () => {
  it('is a line, or a member in JSON', async () => {
    const { out } = await sallyport('--version');
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await json('--version')).toEqual({ version: out.trim() });
  });
});

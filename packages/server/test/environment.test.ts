import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EnvironmentError, environmentTable, readEnvironment, type Settings } from '../src/environment.ts';
import { parseEnvFile } from '../src/environment/env-file.ts';
import { newSecretKey } from '../src/environment/secret-key.ts';
import { issuerOf } from '../src/environment/settings.ts';

type Variables = Readonly<Record<string, string>>;

const read = (process: Variables, file?: Variables): Settings => readEnvironment({ process, ...(file && { file }) });

function refused(process: Variables, file?: Variables): EnvironmentError {
  try {
    read(process, file);
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify({ process, file })}`);
}

const strong = 'kZ3vX9qLw7RtBn2YcJf5HgMd8PsUaE4TkZ3vX9qLw7Rt-Q_1oViWy6GxNzCbDhSe';
const malformedNumbers = [
  '1h30',
  ' 15m',
  'P1D',
  '1,5h',
  'NaN',
  '1e3',
  '-1',
  '',
  '15 ',
  '+5',
  '007',
  '0x10',
  '1.5',
  '٣',
];

/** For every variable: texts it takes, and texts it refuses. Other variables it needs come in `beside`. */
const rows: Readonly<Record<string, { good: readonly string[]; bad: readonly string[]; beside?: Variables }>> = {
  HOST: {
    good: ['127.0.0.1', '::1', 'localhost'],
    bad: ['', 'http://localhost', 'localhost:80', 'a b', '-x'],
  },
  PORT: { good: ['0', '1', '65535'], bad: [...malformedNumbers, '65536', '99999999999999999999'] },
  ISSUER: {
    good: [
      'https://auth.example.com',
      'https://example.com/auth',
      'http://localhost:9000',
      'http://[::1]:1',
      'http://127.1.2.3',
    ],
    bad: [
      '',
      'auth.example.com',
      'http://example.com',
      'http://localhost.example.com',
      'https://example.com/',
      'https://example.com?x=1',
      'https://example.com#x',
      'https://ann:pw@example.com',
      'https://EXAMPLE.com',
      'https://example.com:443',
      'https://example.com/a/../b',
      'ftp://example.com',
      ' https://example.com',
    ],
  },
  AUDIENCE: { good: ['https://api.example.com', 'a,b', 'a, b'], bad: ['', ' ', 'a,,b', ','] },
  DATABASE_URL: {
    good: ['file:./data/x.db', 'file:/var/x.db', 'file:///var/x.db', 'memory:'],
    bad: [
      '',
      'x.db',
      'file:',
      'file:dir/',
      'file://host/x.db',
      'file:x.db?mode=ro',
      'file::memory:',
      'mysql://x',
      'postgres:x',
      'memory',
    ],
  },
  SECRET_KEY: { good: [strong], bad: [], beside: {} },
  SECRET_KEY_PREVIOUS: { good: [strong], bad: ['', 'secret', 'a'.repeat(64), strong.slice(0, 31)] },
  ALGORITHM: {
    good: ['HS256', 'RS384', 'PS512', 'ES256', 'EdDSA', 'Ed25519'],
    bad: ['', 'none', 'es256', 'Ed448', 'HS256 ', 'RS1', '__proto__', 'toString'],
  },
  SIGNING_KEY_ROTATION_DAYS: { good: ['1', '3650'], bad: [...malformedNumbers, '0', '3651'] },
  ACCESS_TOKEN_EXPIRE_MINUTES: { good: ['1', '15', '43200'], bad: [...malformedNumbers, '0', '43201'] },
  REFRESH_TOKEN_EXPIRE_DAYS: { good: ['1', '180'], bad: [...malformedNumbers, '0', '3651'] },
  SESSION_MAX_DAYS: { good: ['30', '3650'], bad: [...malformedNumbers, '0', '3651', '29'] },
  REFRESH_POLICY: { good: ['resilient', 'strict'], bad: ['', 'lax', 'STRICT'] },
  REGISTRATION: { good: ['open', 'closed'], bad: ['', 'true', 'Open'] },
  PASSWORD_MIN_LENGTH: { good: ['8', '64'], bad: [...malformedNumbers, '7', '65'] },
  ADMIN_USERNAME: { good: ['admin'], bad: [''], beside: { ADMIN_PASSWORD: 'a horse of another colour' } },
  ADMIN_PASSWORD: { good: ['a horse of another colour'], bad: [''], beside: { ADMIN_USERNAME: 'admin' } },
  TRUSTED_PROXIES: {
    good: ['', '10.0.0.0/8', '10.1.2.3', 'fd00::/8, 127.0.0.1/32'],
    bad: ['10.0.0.0/33', '10.0.0', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129', 'example.com', '10.0.0.0/-1', '*'],
  },
  CORS_ORIGINS: {
    good: ['', 'https://app.example.com', 'http://localhost:3000, https://a.example'],
    bad: [
      '*',
      'null',
      'https://app.example.com/',
      'app.example.com',
      'https://*.example.com/x',
      'https://APP.example.com',
      'file:///x',
    ],
  },
  LOG_LEVEL: { good: ['fatal', 'info', 'silent'], bad: ['', 'INFO', 'verbose'] },
  LOG_FORMAT: { good: ['json', 'pretty'], bad: ['', 'text'] },
};

describe('the environment table', () => {
  it('names every variable of the contract once, with a meaning, a default and an example', () => {
    expect(environmentTable.map(({ name }) => name)).toEqual(Object.keys(rows));
    for (const { meaning, default: fallback, example } of environmentTable) {
      for (const text of [meaning, fallback, example]) expect(text).toMatch(/\S/);
    }
  });

  for (const [name, { good, bad, beside = {} }] of Object.entries(rows)) {
    for (const text of good) {
      it(`accepts ${name}=${JSON.stringify(text)}`, () => {
        expect(() => read({ ...beside, [name]: text })).not.toThrow();
      });
    }
    for (const text of bad) {
      it(`refuses ${name}=${JSON.stringify(text)} and says so of ${name} alone`, () => {
        const { problems } = refused({ ...beside, [name]: text });
        expect(problems.map(({ variable }) => variable)).toEqual([name]);
        expect(problems[0]?.example).toContain(`${name}=`);
      });
    }
  }
});

describe('the settings of an empty environment', () => {
  it('are the documented defaults', () => {
    expect(read({})).toEqual({
      host: '127.0.0.1',
      port: 8000,
      issuer: undefined,
      audience: undefined,
      database: { kind: 'file', file: './data/sallyport.db' },
      secretKey: undefined,
      previousSecretKey: undefined,
      algorithm: 'ES256',
      signingKeyRotation: 90 * 86_400,
      accessTokenLifetime: 900,
      refreshTokenIdleLifetime: 30 * 86_400,
      sessionLifetime: 180 * 86_400,
      refreshPolicy: 'resilient',
      registration: 'open',
      passwordMinLength: 8,
      firstAdministrator: undefined,
      trustedProxies: [],
      corsOrigins: [],
      logLevel: 'info',
      logFormat: undefined,
    });
  });

  it('make the issuer from host and port', () => {
    expect(issuerOf(read({}))).toBe('http://127.0.0.1:8000');
    expect(issuerOf(read({ HOST: '::1', PORT: '0' }), 4321)).toBe('http://[::1]:4321');
    expect(issuerOf(read({ ISSUER: 'https://auth.example.com' }), 4321)).toBe('https://auth.example.com');
  });
});

describe('the .env file', () => {
  it('adds to the process and loses against it', () => {
    const settings = read({ PORT: '1111' }, { PORT: '2222', ALGORITHM: 'EdDSA' });
    expect(settings).toMatchObject({ port: 1111, algorithm: 'EdDSA' });
  });

  it.each([
    ['ACCESS_TOKEN_EXPIRE_MINUTE', 'ACCESS_TOKEN_EXPIRE_MINUTES'],
    ['ISUER', 'ISSUER'],
    ['port', 'PORT'],
    ['DATABSE_URL', 'DATABASE_URL'],
  ])('refuses the unknown name %s and offers %s', (name, near) => {
    const [problem] = refused({}, { [name]: 'x' }).problems;
    expect(problem).toMatchObject({
      variable: name,
      problem: expect.stringContaining(`did you mean ${near}?`) as string,
    });
  });

  it('refuses an unknown name that is near to nothing without an offer', () => {
    const [problem] = refused({}, { NODE_ENV_OF_ANOTHER_PROGRAM: 'x' }).problems;
    expect(problem?.problem).not.toContain('did you mean');
  });

  it('may hold comments, exports, quotes and values of several lines', () => {
    const { variables, problems } = parseEnvFile(
      '\uFEFF# a comment\r\n\r\n  # another\nexport PORT=1\nA="two\n# lines\nof text" # said\nB=\'=\'\nC="open\nD=1\n',
    );
    expect(variables).toEqual({ PORT: '1', A: 'two\n# lines\nof text', B: '=', C: '"open', D: '1' });
    expect(problems).toEqual([]);
  });

  it('says which lines have no =, and reads the others', () => {
    const { variables, problems } = parseEnvFile('PORT=1\nhunter2\nA=1\n\nexport LOG_LEVEL\nB=1');
    expect(variables).toEqual({ PORT: '1', A: '1', B: '1' });
    expect(problems.map(({ variable, problem }) => `${variable} ${problem}`)).toEqual([
      'line 2 of .env has no =',
      'line 5 of .env has no =',
    ]);
  });

  it('leaves unknown names of the process alone', () => {
    expect(() => read({ ISUER: 'x', NODE_ENV: 'production' })).not.toThrow();
  });
});

describe('the example beside a problem', () => {
  it.each<[Variables, string]>([
    [{ DATABASE_URL: 'x.db' }, 'DATABASE_URL=file:./x.db'],
    [{ DATABASE_URL: 'data/x.sqlite' }, 'DATABASE_URL=file:./data/x.sqlite'],
    [{ DATABASE_URL: '../x.db' }, 'DATABASE_URL=file:../x.db'],
    [{ DATABASE_URL: '/var/x.sqlite3' }, 'DATABASE_URL=file:/var/x.sqlite3'],
    [{ SESSION_MAX_DAYS: '100', REFRESH_TOKEN_EXPIRE_DAYS: '365' }, 'SESSION_MAX_DAYS=365'],
  ])('of %j would do', (variables, example) => {
    const [problem] = refused(variables).problems;
    expect(problem?.example).toBe(example);
    const [name = '', value = ''] = example.split('=');
    expect(() => read({ ...variables, [name]: value })).not.toThrow();
  });

  it('never repeats what could be a password', () => {
    for (const DATABASE_URL of ['hunter2', 'mysql://ann:hunter2@db/x.db', 'ann:hunter2@x.db']) {
      expect(JSON.stringify(refused({ DATABASE_URL }).problems)).not.toContain('hunter2');
    }
  });
});

describe('an empty variable', () => {
  it('is told apart from a wrong one', () => {
    for (const name of ['PORT', 'ISSUER', 'SECRET_KEY', 'DATABASE_URL', 'LOG_FORMAT']) {
      expect(refused({ [name]: '' }).message).toBe(`${name} is empty: remove it, or give it a value`);
    }
  });
});

describe('several problems', () => {
  it('are reported together', () => {
    const { problems, message } = refused(
      { PORT: '80a', ISSUER: 'x', ALGORITHM: 'none', SECRET_KEY: 'secret' },
      { NOPE: '1' },
    );
    expect(problems.map(({ variable }) => variable)).toEqual(['NOPE', 'PORT', 'ISSUER', 'SECRET_KEY', 'ALGORITHM']);
    for (const { variable } of problems) expect(message).toContain(variable);
  });

  it.each<[string, Variables, string]>([
    ['a public host without an issuer', { HOST: '0.0.0.0' }, 'ISSUER'],
    ['PostgreSQL without a shared secret', { DATABASE_URL: 'postgres://u:p@db/x' }, 'SECRET_KEY'],
    [
      'sessions that end before they go idle',
      { SESSION_MAX_DAYS: '7', REFRESH_TOKEN_EXPIRE_DAYS: '8' },
      'SESSION_MAX_DAYS',
    ],
    ['an administrator without a password', { ADMIN_USERNAME: 'admin' }, 'ADMIN_PASSWORD'],
    ['an administrator without a name', { ADMIN_PASSWORD: 'x' }, 'ADMIN_USERNAME'],
    ['the secret given as the one before', { SECRET_KEY: strong, SECRET_KEY_PREVIOUS: strong }, 'SECRET_KEY_PREVIOUS'],
    ['a secret too short for HS512', { ALGORITHM: 'HS512', SECRET_KEY: strong.slice(0, 63) }, 'SECRET_KEY'],
    ['a secret too short for HS384', { ALGORITHM: 'HS384', SECRET_KEY: strong.slice(0, 47) }, 'SECRET_KEY'],
  ])('include %s', (_what, variables, variable) => {
    expect(refused(variables).problems.map((problem) => problem.variable)).toEqual([variable]);
  });

  it('do not blame a variable twice', () => {
    const { problems } = refused({
      HOST: '0.0.0.0',
      ISSUER: 'http://example.com',
      DATABASE_URL: 'postgres://db/x',
      SECRET_KEY: 'x',
    });
    expect(problems.map(({ variable }) => variable)).toEqual(['ISSUER', 'SECRET_KEY']);
  });
});

describe('J25 weak secrets', () => {
  it.each([
    '',
    'secret',
    'a'.repeat(31),
    'a'.repeat(64),
    'abab'.repeat(16),
    'Tr0ub4dor&3!'.repeat(4),
    '12345678901234567890123456789012',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'changeme-changeme-changeme-CHANGEME',
    'your-256-bit-secret-key-goes-here!!',
    'a-string-secret-at-least-256-bits-long',
    'your-super-secret-jwt-token-with-at-least-32-characters-long',
    'this-is-a-very-long-and-secure-secret-key-please-change-me',
    'my_super_secret_jwt_signing_key_for_production_123456',
    '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
    '09D25E094FAA6CA2556C818166B7A9563B93F7099F6F0F4CAA6CF63B88E8D3E7',
    '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  ])('refuses %j', (secret) => {
    const { problems } = refused({ SECRET_KEY: secret });
    expect(problems.map(({ variable }) => variable)).toEqual(['SECRET_KEY']);
  });

  it('accepts what chance makes, in base64url, hexadecimal and as UUIDs', () => {
    for (let round = 0; round < 500; round++) {
      const key = newSecretKey();
      const hexadecimal = Buffer.from(key, 'base64url').toString('hex').slice(0, 64);
      for (const secret of [key, hexadecimal, crypto.randomUUID()]) {
        expect(() => read({ SECRET_KEY: secret })).not.toThrow();
      }
    }
  });

  it('makes keys of 64 characters, long enough for every algorithm', () => {
    const SECRET_KEY = newSecretKey();
    expect(SECRET_KEY).toMatch(/^[\w-]{64}$/);
    for (const ALGORITHM of ['HS256', 'HS384', 'HS512']) expect(() => read({ SECRET_KEY, ALGORITHM })).not.toThrow();
  });
});

describe('S19 K7 problems', () => {
  it('never show a secret', () => {
    const secrets = {
      SECRET_KEY: 'hunter2-short',
      DATABASE_URL: 'mysql://ann:hunter2@db/x',
      ADMIN_PASSWORD: 'hunter2',
    };
    const error = refused({ ...secrets, PORT: 'x' });
    expect(inspect(error) + JSON.stringify(error)).not.toContain('hunter2');
  });

  it('show other values short and without control characters', () => {
    const error = refused({ ALGORITHM: `\u001B[31mred\r\n${'x'.repeat(500)}` });
    expect(error.message).not.toMatch(/\p{Cc}/u);
    expect(error.message.length).toBeLessThan(400);
  });
});

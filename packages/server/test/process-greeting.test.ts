import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../src/environment.ts';
import { newSecretKey } from '../src/environment/secret-key.ts';
import { greetingOf, renderGreeting, type Greeting } from '../src/node/greeting.ts';

const facts = {
  url: 'http://127.0.0.1:8000',
  issuer: 'http://127.0.0.1:8000',
  location: '/srv/data/sallyport.db',
  secretKeyFile: '/srv/data/secret.key',
  lacksAdministrator: true,
};

function greeting(variables: Readonly<Record<string, string>> = {}): Greeting {
  return greetingOf(readEnvironment({ process: variables }), facts);
}

const create = 'npm run sallyport -- users create admin --role admin';

describe('the way to the first administrator', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['is one command', {}, create],
    ['names the database', { DATABASE_URL: 'file:./my.db' }, `DATABASE_URL=file:./my.db ${create}`],
    [
      'quotes what a shell would split or expand',
      { DATABASE_URL: "file:./my $data's.db" },
      String.raw`DATABASE_URL='file:./my $data'\''s.db' ${create}`,
    ],
    [
      'names what decides over keys and issuer',
      { PORT: '9000', ALGORITHM: 'EdDSA' },
      `ALGORITHM=EdDSA PORT=9000 ${create}`,
    ],
    ['does not name a port that says nothing', { PORT: '0' }, create],
    ['does not name defaults', { PORT: '8000', DATABASE_URL: 'file:./data/sallyport.db', LOG_LEVEL: 'warn' }, create],
    [
      'is another for a database in memory',
      { DATABASE_URL: 'memory:' },
      'set ADMIN_USERNAME and ADMIN_PASSWORD, then start again',
    ],
  ])('%s', (_what, variables, command) => {
    expect(greeting(variables).firstAdministrator).toBe(command);
  });

  it('S19 names the secrets it needs and shows none', () => {
    const SECRET_KEY = newSecretKey();
    const said = greeting({ SECRET_KEY, DATABASE_URL: 'postgres://ann:hunter2@db/x' });
    expect(said.firstAdministrator).toBe(create);
    const text = renderGreeting(said, '1.0.0', false);
    expect(text).toContain('Make the first one, with the same DATABASE_URL and SECRET_KEY:');
    expect(text + JSON.stringify(said)).not.toMatch(new RegExp(`hunter2|${SECRET_KEY}`));
  });

  it('is not told once there is an administrator', () => {
    const said = greetingOf(readEnvironment({ process: {} }), { ...facts, lacksAdministrator: false });
    expect(renderGreeting(said, '1.0.0', false)).not.toContain('administrator');
  });
});

describe('the life of a token', () => {
  it('is told in the singular and in the plural', () => {
    expect(greeting({ ACCESS_TOKEN_EXPIRE_MINUTES: '1' }).tokens).toContain('ES256, 1 minute, from');
    expect(greeting().tokens).toContain('ES256, 15 minutes, from');
  });
});

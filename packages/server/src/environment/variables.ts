import { algorithmNames, type Algorithm } from '@sallyport/jwt';
import { host, issuer, network, origin, type Network } from './addresses.ts';
import { database, type Database } from './database.ts';
import { listOf, oneOf, someOf, text, wholeNumber, type Parse } from './parsed.ts';
import { secret } from './secret-strength.ts';
import type { LogFormat, LogLevel, RefreshPolicy, Registration } from './settings.ts';

/** The type of each variable's value. */
export interface VariableValues {
  HOST: string;
  PORT: number;
  ISSUER: string | undefined;
  AUDIENCE: readonly string[] | undefined;
  DATABASE_URL: Database;
  SECRET_KEY: string | undefined;
  SECRET_KEY_PREVIOUS: string | undefined;
  ALGORITHM: Algorithm;
  SIGNING_KEY_ROTATION_DAYS: number;
  ACCESS_TOKEN_EXPIRE_MINUTES: number;
  REFRESH_TOKEN_EXPIRE_DAYS: number;
  SESSION_MAX_DAYS: number;
  REFRESH_POLICY: RefreshPolicy;
  REGISTRATION: Registration;
  PASSWORD_MIN_LENGTH: number;
  ADMIN_USERNAME: string | undefined;
  ADMIN_PASSWORD: string | undefined;
  TRUSTED_PROXIES: readonly Network[];
  CORS_ORIGINS: readonly string[];
  LOG_LEVEL: LogLevel;
  LOG_FORMAT: LogFormat | undefined;
}

export type VariableName = keyof VariableValues;

/** One row: what a variable means and how its text is read. */
export interface Variable<Value> {
  readonly meaning: string;
  /** What holds when the variable is not set; a row without `fallback` then has no value. */
  readonly default: string;
  /** The text read when the variable is not set. */
  readonly fallback?: string;
  readonly example: string;
  /** The value is never shown, not even in a problem. */
  readonly secret?: true;
  readonly parse: Parse<Exclude<Value, undefined>>;
}

const days = wholeNumber(1, 3650);

/** The table of variables. To add one: its type above, its row here, its place in `environment.ts`. */
export const variables: { readonly [Name in VariableName]: Variable<VariableValues[Name]> } = {
  HOST: row('127.0.0.1', { meaning: 'the address to listen on', example: '0.0.0.0', parse: host }),
  PORT: row('8000', {
    meaning: 'the port to listen on; 0 takes any free one',
    example: '8080',
    parse: wholeNumber(0, 65_535),
  }),
  ISSUER: {
    meaning: '`iss` of every token and the public base URL; https unless it is loopback',
    default: '`http://HOST:PORT`',
    example: 'https://auth.example.com',
    parse: issuer,
  },
  AUDIENCE: {
    meaning: '`aud` of access tokens: one name or a comma list',
    default: 'the issuer',
    example: 'https://api.example.com',
    parse: someOf(text),
  },
  DATABASE_URL: row('file:./data/sallyport.db', {
    meaning: 'where everything is kept: `file:PATH` (SQLite), `postgres://…` or `memory:`',
    example: 'postgres://sallyport:PASSWORD@localhost:5432/sallyport',
    secret: true,
    parse: database,
  }),
  SECRET_KEY: {
    meaning:
      'encrypts signing keys at rest, makes refresh tokens, and is the HMAC key when `ALGORITHM` is HS*; 32 bytes or more (HS384: 48, HS512: 64); weak ones are refused',
    default: 'made on first start in `secret.key` beside the SQLite file; PostgreSQL needs it set',
    example: '<what sallyport secret prints>',
    secret: true,
    parse: secret,
  },
  SECRET_KEY_PREVIOUS: {
    meaning:
      'the secret before, while `SECRET_KEY` replaces it: what was made with it is accepted, nothing is made with it',
    default: 'none',
    example: '<the SECRET_KEY of before>',
    secret: true,
    parse: secret,
  },
  ALGORITHM: row('ES256', { meaning: 'how access tokens are signed', example: 'EdDSA', parse: oneOf(algorithmNames) }),
  SIGNING_KEY_ROTATION_DAYS: row('90', {
    meaning: 'how old a signing key becomes before the next one is published, in days',
    example: '30',
    parse: days,
  }),
  ACCESS_TOKEN_EXPIRE_MINUTES: row('15', {
    meaning: 'how long an access token works, in minutes',
    example: '5',
    parse: wholeNumber(1, 43_200),
  }),
  REFRESH_TOKEN_EXPIRE_DAYS: row('30', {
    meaning: 'how long a session lasts without being used, in days',
    example: '7',
    parse: days,
  }),
  SESSION_MAX_DAYS: row('180', {
    meaning: 'how long a session lasts however much it is used, in days; at least REFRESH_TOKEN_EXPIRE_DAYS',
    example: '90',
    parse: days,
  }),
  REFRESH_POLICY: row('resilient', {
    meaning: '`resilient` forgives an honest double refresh, `strict` ends the session on any reuse',
    example: 'strict',
    parse: oneOf(['resilient', 'strict']),
  }),
  REGISTRATION: row('open', {
    meaning: 'whether strangers may register',
    example: 'closed',
    parse: oneOf(['open', 'closed']),
  }),
  PASSWORD_MIN_LENGTH: row('8', {
    meaning: 'the least characters of a new password; NIST SP 800-63B-4 asks for 15 where it is the only factor',
    example: '15',
    parse: wholeNumber(8, 64),
  }),
  ADMIN_USERNAME: {
    meaning: 'the first administrator, made at start while no user exists; needs ADMIN_PASSWORD',
    default: 'none',
    example: 'admin',
    parse: text,
  },
  ADMIN_PASSWORD: {
    meaning: "the first administrator's password; needs ADMIN_USERNAME",
    default: 'none',
    example: '<a long passphrase of your own>',
    secret: true,
    parse: text,
  },
  TRUSTED_PROXIES: row('', {
    meaning: 'proxies whose `X-Forwarded-For` is believed: a comma list of addresses and CIDR blocks',
    example: '10.0.0.0/8,fd00::/8',
    parse: listOf(network),
  }),
  CORS_ORIGINS: row('', {
    meaning:
      'web pages of other origins that may call the server, with the cookies of its site: a comma list of exact origins',
    example: 'https://app.example.com',
    parse: listOf(origin),
  }),
  LOG_LEVEL: row('info', {
    meaning: 'the least important lines that are logged',
    example: 'warn',
    parse: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  }),
  LOG_FORMAT: {
    meaning: '`json` for machines, `pretty` for people',
    default: '`pretty` on a terminal, else `json`',
    example: 'json',
    parse: oneOf(['json', 'pretty']),
  },
};

function row<Value>(fallback: string, rest: Omit<Variable<Value>, 'default' | 'fallback'>): Variable<Value> {
  return { default: fallback === '' ? 'none' : `\`${fallback}\``, fallback, ...rest };
}

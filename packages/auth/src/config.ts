import { isAlgorithm, type Algorithm } from '@sallyport/jwt';
import { AuthError } from './errors.ts';
import { quietly, type EventListener } from './events.ts';
import { systemClock, systemRandom, type Clock, type Random } from './ports.ts';
import type { Store } from './stores/store.ts';

/** How an authorization server is set up. */
export interface AuthConfig {
  /** The `iss` of every token: the server's public base URL. https, or http on loopback. */
  readonly issuer: string;
  /** Where everything is kept: `sqlite(…)` or `postgres(…)`. Closed by `auth.close()`. */
  readonly store: Store;
  /**
   * 32 bytes or more that nobody can guess (48 for HS384, 64 for HS512). Encrypts signing keys at rest, keys the
   * refresh tokens, and signs access tokens when `algorithm` is HS*. Text stands for its UTF-8 bytes.
   */
  readonly secretKey: string | Uint8Array;
  /**
   * The secret before, or the one to come: what was made with it is accepted, nothing is made with it. Signing keys that
   * it encrypted are encrypted anew at start. Default: none.
   */
  readonly previousSecretKey?: string | Uint8Array;
  /** The `aud` of access tokens. Default: the issuer. */
  readonly audience?: string | readonly string[];
  /** What signs access tokens. Default: `ES256`. */
  readonly algorithm?: Algorithm;
  readonly signingKeys?: {
    /** How old a signing key becomes before the next one is published, in seconds; a day at least. Default: 90 days. */
    readonly rotateAfter?: number;
  };
  readonly accessToken?: {
    /** Seconds. Default: 900, a quarter of an hour. */
    readonly lifetime?: number;
  };
  readonly refreshToken?: {
    /** How long a session lives without being used, in seconds. Default: 30 days. */
    readonly idleLifetime?: number;
    /** How long a session lives however often it is used, in seconds. Default: 180 days. */
    readonly sessionLifetime?: number;
    /** What a spent refresh token gets; see `refreshPolicy`. Default: `resilient`. */
    readonly policy?: 'resilient' | 'strict';
  };
  /** Whether `users.register` is for anybody. Default: `open`. */
  readonly registration?: 'open' | 'closed';
  readonly password?: {
    /** Code points. Default: 8, which is also the lowest value. */
    readonly minLength?: number;
  };
  /** Hears what happens. Default: nobody. */
  readonly onEvent?: EventListener;
  /** Default: the computer's clock, set right by that of a PostgreSQL server, so that all of its users agree. */
  readonly clock?: Clock;
  /** Default: the operating system's generator. */
  readonly random?: Random;
}

/** The same with every default in its place. */
export interface ResolvedConfig {
  readonly issuer: string;
  readonly store: Store;
  readonly secret: Uint8Array;
  readonly previousSecret: Uint8Array | undefined;
  readonly audience: readonly string[];
  readonly algorithm: Algorithm;
  readonly rotateAfter: number;
  readonly accessTokenLifetime: number;
  readonly idleLifetime: number;
  readonly sessionLifetime: number;
  readonly policy: 'resilient' | 'strict';
  readonly registration: 'open' | 'closed';
  readonly minPasswordLength: number;
  readonly emit: EventListener;
  readonly clock: Clock;
  readonly random: Random;
}

const day = 86_400;
/** A hundred years: beyond it, moments stop being moments. */
const longestLifetime = 36_525 * day;

const defaults = {
  algorithm: 'ES256',
  rotateAfter: 90 * day,
  accessTokenLifetime: 900,
  idleLifetime: 30 * day,
  sessionLifetime: 180 * day,
  policy: 'resilient',
  registration: 'open',
  minPasswordLength: 8,
} as const;

/** What a secret must have at least, in bytes, by the hash it keys (RFC 7518, section 3.2). */
const secretBytes: Readonly<Record<string, number>> = { HS384: 48, HS512: 64 };
const leastSecretBytes = 32;

const knownNames: Readonly<Record<string, readonly string[]>> = {
  '': [
    'issuer',
    'store',
    'secretKey',
    'previousSecretKey',
    'audience',
    'algorithm',
    'signingKeys',
    'accessToken',
    'refreshToken',
    'registration',
    'password',
    'onEvent',
    'clock',
    'random',
  ],
  signingKeys: ['rotateAfter'],
  accessToken: ['lifetime'],
  refreshToken: ['idleLifetime', 'sessionLifetime', 'policy'],
  password: ['minLength'],
};

/**
 * Checks a configuration and puts the defaults in.
 *
 * @throws {AuthError} `config_invalid` with every problem there is
 */
export function resolveConfig(config: AuthConfig): ResolvedConfig {
  const { issuer, secretKey, previousSecretKey: previous } = config;
  const audience = config.audience ?? issuer;
  const resolved: ResolvedConfig = {
    issuer,
    store: config.store,
    secret: toBytes(secretKey),
    previousSecret: previous === undefined ? undefined : toBytes(previous),
    audience: Array.isArray(audience) ? [...(audience as readonly string[])] : [audience as string],
    algorithm: config.algorithm ?? defaults.algorithm,
    rotateAfter: config.signingKeys?.rotateAfter ?? defaults.rotateAfter,
    accessTokenLifetime: config.accessToken?.lifetime ?? defaults.accessTokenLifetime,
    idleLifetime: config.refreshToken?.idleLifetime ?? defaults.idleLifetime,
    sessionLifetime: config.refreshToken?.sessionLifetime ?? defaults.sessionLifetime,
    policy: config.refreshToken?.policy ?? defaults.policy,
    registration: config.registration ?? defaults.registration,
    minPasswordLength: config.password?.minLength ?? defaults.minPasswordLength,
    emit: quietly(config.onEvent ?? ((): void => undefined)),
    clock: config.clock ?? systemClock,
    random: config.random ?? systemRandom,
  };
  const problems = [...unknownNames(config), ...problemsOf(resolved)];
  if (problems.length > 0) throw new AuthError('config_invalid', problems.join('; '), { problems });
  return Object.freeze(resolved);
}

function toBytes(secret: string | Uint8Array): Uint8Array {
  return typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret;
}

function unknownNames(config: AuthConfig): string[] {
  return Object.entries(knownNames).flatMap(([group, known]) => {
    const value: unknown = group === '' ? config : (config as unknown as Record<string, unknown>)[group];
    if (typeof value !== 'object' || value === null) return [];
    const prefix = group === '' ? '' : `${group}.`;
    return Object.keys(value)
      .filter((name) => !known.includes(name))
      .map((name) => `${prefix}${name} is no option of createAuth`);
  });
}

function problemsOf(config: ResolvedConfig): string[] {
  const needed = secretBytes[config.algorithm] ?? leastSecretBytes;
  const isSeconds = (value: number): boolean => Number.isSafeInteger(value) && value > 0 && value <= longestLifetime;
  const rules: readonly (readonly [boolean, string])[] = [
    [isIssuer(config.issuer), 'issuer must be an https URL, or http on loopback, without query and fragment'],
    [config.audience.length > 0 && config.audience.every(isName), 'audience must be one or more names'],
    [isAlgorithm(config.algorithm), 'algorithm is unknown'],
    [isStore(config.store), 'store must be sqlite(…) or postgres(…)'],
    [
      config.secret instanceof Uint8Array && config.secret.length >= needed,
      `secretKey must have ${needed} bytes or more`,
    ],
    [
      isPreviousSecret(config),
      `previousSecretKey must have ${leastSecretBytes} bytes or more and differ from secretKey`,
    ],
    [
      isSeconds(config.rotateAfter) && config.rotateAfter >= day,
      'signingKeys.rotateAfter must be whole seconds, a day or more',
    ],
    [isSeconds(config.accessTokenLifetime), 'accessToken.lifetime must be whole seconds above 0'],
    [isSeconds(config.idleLifetime), 'refreshToken.idleLifetime must be whole seconds above 0'],
    [
      isSeconds(config.sessionLifetime) && config.sessionLifetime >= config.idleLifetime,
      'refreshToken.sessionLifetime must be whole seconds, not fewer than idleLifetime',
    ],
    [
      !(config.accessTokenLifetime > config.idleLifetime),
      'accessToken.lifetime must not be longer than refreshToken.idleLifetime: a token would outlive its session',
    ],
    [['resilient', 'strict'].includes(config.policy), 'refreshToken.policy must be resilient or strict'],
    [typeof config.clock === 'function', 'clock must be a function that returns a Date'],
    [['open', 'closed'].includes(config.registration), 'registration must be open or closed'],
    [
      Number.isSafeInteger(config.minPasswordLength) &&
        config.minPasswordLength >= 8 &&
        config.minPasswordLength <= 256,
      'password.minLength must be a whole number from 8 to 256',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, problem]) => problem);
}

function isPreviousSecret({ secret, previousSecret }: ResolvedConfig): boolean {
  if (previousSecret === undefined) return true;
  if (!(previousSecret instanceof Uint8Array) || previousSecret.length < leastSecretBytes) return false;
  return !(secret instanceof Uint8Array) || Buffer.compare(secret, previousSecret) !== 0;
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function isStore(store: unknown): boolean {
  return typeof store === 'object' && store !== null && 'transaction' in store && 'migrate' in store;
}

function isIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const url = new URL(issuer);
  if (url.search !== '' || url.hash !== '' || url.username !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname));
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

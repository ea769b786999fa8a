import {
  type AccessTokenClaims,
  type Algorithm,
  isAlgorithm,
  isScope,
  issuerJwkSet,
  JwtKey,
  type Keys,
  type StandardSchema,
} from '@sallyport/jwt';
import {
  type CredentialSource,
  credentialsProblem,
  type ResolvedSource,
  resolveSources,
} from './credentials/credential-source.ts';
import type { SeveralCredentials } from './credentials/credentials.ts';
import type { Vocabulary } from './requirement.ts';
import type { ChangeSource } from './replica/change.ts';
import { systemTime } from './replica/feed/clocks.ts';
import {
  feedProblems,
  type FeedOptions,
  type ResolvedFeedOptions,
  resolveFeedOptions,
} from './replica/feed/feed-options.ts';

/** What a guard must be told. `issuer` and `audience` have no default, on purpose. */
export interface GuardOptions<
  Claims extends object = AccessTokenClaims,
  Scope extends string = string,
  Role extends string = string,
> {
  /** The `iss` every token must have, exactly: an https URL, or an http one on a loopback address. */
  readonly issuer: string;
  /** This resource server's name in `aud`: a token must be meant for it, or for one of several. */
  readonly audience: string | readonly string[];
  /**
   * Keys that sign the issuer's tokens: a key, several, a JWK Set, or one fetched by `remoteJwkSet`.
   * Default: the keys the issuer publishes (`issuerJwkSet(issuer)`).
   */
  readonly keys?: Keys;
  /**
   * The algorithms accepted. Default: those of the keys. Needed for issuers whose RSA keys do not name theirs.
   */
  readonly algorithms?: readonly Algorithm[];
  /**
   * Live truth about revocations, roles and keys, over the network: the guard follows the issuer's feed. It begins to
   * when it is created; see {@link Guard.ready}, {@link Guard.status} and {@link Guard.close}.
   *
   * Default: none. A guard without it, and without `changes`, knows keys and expiry only: a token revoked, a user
   * disabled or a role taken away after the token was issued stays good until the token expires.
   */
  readonly feed?: FeedOptions;
  /**
   * The same truth in the process of the authorization server itself, read for every decision: `auth.changes`. Instead
   * of `feed`. Default: none.
   */
  readonly changes?: ChangeSource;
  /**
   * Where a request may bring its token, in this order. Default: `[{ in: 'header' }]`, the `Authorization` header as
   * `Bearer`.
   */
  readonly credentials?: readonly CredentialSource[];
  /**
   * What to do with a request that brings two credentials: `refuse` it, or believe the `first-match` in the order of
   * `credentials`. Default: `refuse`.
   */
  readonly severalCredentials?: SeveralCredentials;
  /**
   * What an `OPTIONS` request without credentials gets, which is how browsers ask whether they may send the real one:
   * `answer` it here, saying nothing and running no handler, or let it `pass` to a CORS handler behind the guard.
   * Behind a guard that lets it pass no handler may answer every method alike (`app.all`), for strangers reach it.
   * Default: `answer`. Best is a CORS handler before the guard: then nothing of this matters.
   */
  readonly preflight?: 'answer' | 'pass';
  /**
   * A validator for the claims (Zod, Valibot, ArkType, any Standard Schema that answers synchronously):
   * `access.claims` is what it makes of them, in its type, and a token it refuses is invalid. Default: the claims as
   * they are.
   */
  readonly claims?: StandardSchema<Claims>;
  /**
   * The scopes of this API, each with a sentence for people. A requirement that names another does not compile, and
   * throws when its route is declared. Default: any scope.
   */
  readonly scopes?: Readonly<Record<Scope, string>>;
  /** The roles of this API, likewise. Default: any role. */
  readonly roles?: readonly Role[];
  /** The realm in challenges: printable ASCII without quotes and backslashes. Default: the issuer. */
  readonly realm?: string;
  /** The `typ` header every token must have. Default: `'at+jwt'`. Set it only for issuers that do not follow RFC 9068. */
  readonly typ?: string;
  /** How far `nbf` and `iat` may lie in the future, in seconds, at most 60; `exp` is exact. Default: 5. */
  readonly clockTolerance?: number;
  /**
   * How many verified tokens are recognised without checking their signature again: only while they live and the keys
   * are the same, and before every other check, which is made each time. About 1.1 KB each; 0 for none. Default: 1000.
   */
  readonly cacheSize?: number;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
  /**
   * Hears why a request was answered 503: the key source or the change source is down. For your log.
   * Default: nobody is told.
   */
  readonly onUnavailable?: (cause: unknown) => void;
}

type Absent = 'changes' | 'feed' | 'algorithms' | 'claims' | 'scopes' | 'roles';

export interface ResolvedGuardOptions extends Required<Omit<GuardOptions, Absent | 'credentials'>> {
  readonly algorithms: readonly Algorithm[] | undefined;
  readonly changes: ChangeSource | undefined;
  readonly feed: ResolvedFeedOptions | undefined;
  readonly claims: StandardSchema<object> | undefined;
  readonly credentials: readonly ResolvedSource[];
  readonly scopes: Readonly<Record<string, string>> | undefined;
  readonly vocabulary: Vocabulary;
}

/** Makes an absent required option as visible to its rule as a wrong one. */
const missing = { issuer: undefined, audience: undefined } as const;

const defaults = {
  typ: 'at+jwt',
  clockTolerance: 5,
  cacheSize: 1000,
  severalCredentials: 'refuse',
  preflight: 'answer',
  now: systemTime,
  onUnavailable: (): void => undefined,
} as const;

const maximumClockTolerance = 60;
const maximumCacheSize = 1_000_000;

// RFC 6750, section 3: what may stand between the quotes of a challenge attribute.
const challengeText = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** One line per option: what is wrong with its value, or `undefined`. */
const rules: Readonly<Record<keyof GuardOptions, (value: unknown) => string | undefined>> = {
  issuer: (value) =>
    isIssuer(value)
      ? undefined
      : 'issuer must be an https URL (http only on a loopback address) without query and fragment',
  audience: (value) =>
    isAudience(value) ? undefined : 'audience must be a non-empty string or a non-empty list of them',
  keys: (value) =>
    isKeys(value)
      ? undefined
      : 'keys must be a JwtKey, a non-empty list of them, a JWK Set or what remoteJwkSet returns',
  algorithms: (value) =>
    isAlgorithmList(value) ? undefined : 'algorithms must be a non-empty list of algorithms such as ["RS256"]',
  feed: (value) => feedProblems(value, isIssuer).join('; ') || undefined,
  changes: (value) => (hasMethod(value, 'readSince') ? undefined : 'changes must have a method readSince'),
  credentials: credentialsProblem,
  severalCredentials: (value) =>
    value === 'refuse' || value === 'first-match' ? undefined : 'severalCredentials must be "refuse" or "first-match"',
  preflight: (value) => (value === 'answer' || value === 'pass' ? undefined : 'preflight must be "answer" or "pass"'),
  claims: (value) => (isSchema(value) ? undefined : 'claims must be a Standard Schema, such as a schema of Zod'),
  scopes: (value) =>
    isScopeList(value)
      ? undefined
      : 'scopes must name each scope and say what it is for: { "todos:read": "See todos" }',
  roles: (value) => (isAudience(value) && Array.isArray(value) ? undefined : 'roles must be a non-empty list of names'),
  realm: (value) =>
    typeof value === 'string' && challengeText.test(value)
      ? undefined
      : 'realm must be printable ASCII without quotes and backslashes',
  typ: (value) => (isName(value) ? undefined : 'typ must be a non-empty string'),
  clockTolerance: (value) =>
    isClockTolerance(value) ? undefined : `clockTolerance must be 0 to ${String(maximumClockTolerance)} seconds`,
  cacheSize: (value) =>
    isCacheSize(value) ? undefined : `cacheSize must be a whole number from 0 to ${String(maximumCacheSize)}`,
  now: (value) => (typeof value === 'function' ? undefined : 'now must be a function that returns a Date'),
  onUnavailable: (value) => (typeof value === 'function' ? undefined : 'onUnavailable must be a function'),
};

/**
 * Checks the options of a guard, fills in the defaults and freezes the result.
 *
 * @throws {TypeError} listing every problem at once.
 */
export function resolveGuardOptions(options: GuardOptions<object>): ResolvedGuardOptions {
  const problems = Object.entries<unknown>({ ...missing, ...options }).map(([name, value]) =>
    isOption(name) ? rules[name](value) : `unknown option "${name}" (known: ${Object.keys(rules).join(', ')})`,
  );
  if (options?.feed !== undefined && options.changes !== undefined)
    problems.push('feed and changes exclude each other');
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new TypeError(`createGuard: ${found.join('; ')}`);
  return Object.freeze({
    keys: options.keys ?? issuerJwkSet(options.issuer),
    realm: options.issuer,
    algorithms: undefined,
    changes: undefined,
    claims: undefined,
    scopes: undefined,
    ...defaults,
    ...options,
    credentials: resolveSources(options.credentials ?? [{ in: 'header' }]),
    vocabulary: {
      scopes: options.scopes && new Set(Object.keys(options.scopes)),
      roles: options.roles && new Set(options.roles),
    },
    feed: options.feed && resolveFeedOptions(options.feed, options.issuer),
  });
}

function isOption(name: string): name is keyof GuardOptions {
  return Object.hasOwn(rules, name);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isIssuer(value: unknown): boolean {
  // The issuer is also the default realm, so it must be fit to stand in a challenge.
  if (typeof value !== 'string' || !challengeText.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(value);
  const isTrusted = protocol === 'https:' || (protocol === 'http:' && loopbackHost.test(hostname));
  return isTrusted && [username, password, search, hash].every((part) => part === '');
}

function isAudience(value: unknown): boolean {
  const audiences: readonly unknown[] = Array.isArray(value) ? value : [value];
  return audiences.length > 0 && audiences.every(isName);
}

function isKeys(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((key) => key instanceof JwtKey);
  return value instanceof JwtKey || hasMethod(value, 'refresh') || hasKeyList(value);
}

function isAlgorithmList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isAlgorithm);
}

function isScopeList(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([name, meaning]) => isScope(name) && typeof meaning === 'string');
}

function isSchema(value: unknown): boolean {
  const isObject = (typeof value === 'object' || typeof value === 'function') && value !== null;
  return isObject && hasMethod(Reflect.get(value, '~standard'), 'validate');
}

function hasKeyList(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys) && value.keys.length > 0
  );
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value && typeof Reflect.get(value, name) === 'function';
}

function isClockTolerance(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= maximumClockTolerance;
}

function isCacheSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= maximumCacheSize;
}

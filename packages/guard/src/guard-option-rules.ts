import { isAlgorithm, isScope, JwtKey } from '@sallyport/jwt';
import { credentialsProblem } from './credentials/credential-source.ts';
import type { GuardOptions } from './guard-options.ts';
import { feedProblems } from './replica/feed/feed-options.ts';
import { isTrustworthy } from './web-origin.ts';

const maximumClockTolerance = 60;
const maximumCacheSize = 1_000_000;

// RFC 6750, section 3: what may stand between the quotes of a challenge attribute.
const challengeText = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

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
  isRevoked: (value) => (typeof value === 'function' ? undefined : 'isRevoked must be a function'),
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
  tokenEndpoint: (value) =>
    value === false || (typeof value === 'string' && URL.canParse(value))
      ? undefined
      : 'tokenEndpoint must be a URL or false',
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

/** Makes an absent required option as visible to its rule as a wrong one. */
const missing = { issuer: undefined, audience: undefined } as const;

/** Everything that is wrong with the options of a guard. */
export function guardOptionProblems(options: GuardOptions<object>): readonly string[] {
  const problems = Object.entries<unknown>({ ...missing, ...options }).map(([name, value]) =>
    isOption(name) ? rules[name](value) : `unknown option "${name}" (known: ${Object.keys(rules).join(', ')})`,
  );
  if (options?.feed !== undefined && options.changes !== undefined)
    problems.push('feed and changes exclude each other');
  return problems.filter((problem) => problem !== undefined);
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
  const url = new URL(value);
  return isTrustworthy(url) && [url.username, url.password, url.search, url.hash].every((part) => part === '');
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

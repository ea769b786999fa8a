import type { JwtError } from './errors.ts';
import { findJwksUri } from './issuer-metadata.ts';
import { fetchJsonDocument, trustedUrl, unavailable, type FetchLimits } from './json-document.ts';
import { hasSecretMembers, type Jwk } from './jwk.ts';
import { compileJwkSet, type JwkSet, type LocalKeys } from './jwk-set.ts';
import { secondsOf, within } from './option-values.ts';

/** How a remote JWK Set is fetched and how long it is kept. All times are seconds. */
export interface RemoteJwkSetOptions {
  /** How long one refresh may take, metadata and body included. Default: 5. */
  readonly timeout?: number;
  /** How long after a fetch an unknown key id causes no other; also the longest pause after failures. Default: 30. */
  readonly cooldown?: number;
  /** How long a set is used before it is fetched again: a removed key is refused after at most this. Default: 600. */
  readonly maxAge?: number;
  /** How much longer a set is used while the issuer cannot be reached. Default: 86400, a day. */
  readonly staleFor?: number;
  /** The largest document accepted, in bytes. Default: 65536. */
  readonly maxBytes?: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** The clock. Default: `() => new Date()`. */
  readonly now?: () => Date;
}

/** Keys that an issuer publishes, fetched when needed. Give it to `verifyJwt` as `keys`. */
export interface RemoteJwkSet {
  /** The keys in hand, while they may be used without fetching: good for verifying at once. Undefined: call `refresh`. */
  readonly keys: LocalKeys | undefined;
  /**
   * Fetches the set when there is none, it is too old, or it lacks the key id and the cooldown has passed.
   * Calls at the same time share one fetch. Rejects with `keys_unavailable` only when no usable set is left.
   */
  refresh(keyId?: string): Promise<void>;
  /**
   * To be called when the issuer is known to have changed its keys: an unknown key id fetches the set at once, and while
   * that fails it is `keys_unavailable` instead of unknown. For one cooldown from now on unknown key ids fetch every
   * second, as a node of the issuer may be slower than the news. Keys in hand stay good.
   */
  expectNewKeys?(): void;
}

const defaults = { timeout: 5, cooldown: 30, maxAge: 600, staleFor: 86_400, maxBytes: 65_536 } as const;

/** Ten years of keeping, and what a timer of Node can wait, in seconds. */
const largest = { timeout: 2_000_000, cooldown: 3e8, maxAge: 3e8, staleFor: 3e8, maxBytes: 2 ** 30 } as const;

/** In seconds. */
const shortestPause = 1;

type Settings = { readonly [Name in keyof typeof defaults]: number } & {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
};

/**
 * Makes a set of keys that is fetched from a URL when the first token needs it, and kept.
 *
 * One fetch at a time, no redirects, bounded time and size; https, or http on loopback. While the issuer is down the
 * last set keeps working for `staleFor`, then every token is refused. A set that holds secrets is never used.
 *
 * @example
 * import { remoteJwkSet, verifyJwt } from '@sallyport/jwt';
 *
 * const keys = remoteJwkSet('https://auth.example.com/.well-known/jwks.json');
 * const verify = (token: string) => verifyJwt(token, { keys, issuer: 'https://auth.example.com' });
 *
 * @throws {TypeError} for a URL that cannot be trusted, and for options that do not make sense
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-5 RFC 7517, section 5}
 */
export function remoteJwkSet(url: string | URL, options: RemoteJwkSetOptions = {}): RemoteJwkSet {
  const location = trustedUrl(url);
  return new FetchedJwkSet((limits) => fetchJwkSet(location, limits), resolveSettings(options));
}

/**
 * Makes a set of keys that is found through the issuer's metadata (RFC 8414, or OpenID Connect Discovery).
 *
 * The metadata must name exactly this issuer. Does **not** check the `iss` of tokens: give `verifyJwt` the issuer too.
 *
 * @example
 * import { issuerJwkSet, verifyJwt } from '@sallyport/jwt';
 *
 * const issuer = 'https://auth.example.com';
 * const keys = issuerJwkSet(issuer);
 * const verify = (token: string) => verifyJwt(token, { keys, issuer, audience: 'https://api.example.com' });
 *
 * @throws {TypeError} for an issuer that cannot be trusted, and for options that do not make sense
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414.html#section-3.3 RFC 8414, section 3.3}
 */
export function issuerJwkSet(issuer: string | URL, options: RemoteJwkSetOptions = {}): RemoteJwkSet {
  const location = trustedUrl(issuer);
  if (location.search !== '') throw new TypeError('An issuer has no query');
  // A URL object always has a path; the issuer it was made of may not.
  const name = typeof issuer === 'string' ? issuer : location.href.replace(/^([^/]*\/\/[^/]*)\/$/, '$1');
  const fetchSet = async (limits: FetchLimits): Promise<JwkSet> => fetchJwkSet(await findJwksUri(name, limits), limits);
  return new FetchedJwkSet(fetchSet, resolveSettings(options));
}

class FetchedJwkSet implements RemoteJwkSet {
  readonly #fetchSet: (limits: FetchLimits) => Promise<JwkSet>;
  readonly #settings: Settings;
  #set: JwkSet | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failure: JwtError | undefined;
  #pending: Promise<void> | undefined;
  /** How often new keys were expected, and how often of these had happened when the set in hand was asked for. */
  #expected = 0;
  #included = 0;
  #expectedAt = Number.NEGATIVE_INFINITY;

  constructor(fetchSet: (limits: FetchLimits) => Promise<JwkSet>, settings: Settings) {
    this.#fetchSet = fetchSet;
    this.#settings = settings;
  }

  get keys(): JwkSet | undefined {
    if (this.#isFresh()) return this.#set;
    const { maxAge, staleFor } = this.#settings;
    const isUsable = this.#failures > 0 && !this.#mayFetch() && this.#since(this.#fetchedAt) <= maxAge + staleFor;
    return isUsable ? this.#set : undefined;
  }

  async refresh(keyId?: string): Promise<void> {
    if (this.#suffices(keyId)) return;
    await this.#loadOnce();
    // What was under way already may have been asked for too early.
    if (this.#isOutdated() && !this.#suffices(keyId)) await this.#loadOnce();
    const mayBeNew = this.#isOutdated() && keyId !== undefined && !this.#knows(keyId);
    if (this.keys === undefined || mayBeNew) throw this.#failure ?? unavailable('network');
  }

  expectNewKeys(): void {
    this.#expected += 1;
    this.#expectedAt = this.#now();
  }

  async #loadOnce(): Promise<void> {
    if (this.#pending === undefined && this.#mayFetch()) {
      this.#pending = this.#load().finally(() => (this.#pending = undefined));
    }
    await this.#pending;
  }

  async #load(): Promise<void> {
    const { timeout, fetch, maxBytes } = this.#settings;
    const expected = this.#expected;
    this.#attemptedAt = this.#now();
    try {
      const set = await this.#fetchSet({ fetch, maxBytes, signal: AbortSignal.timeout(timeout * 1000) });
      // An object that stays the same tells verifiers that the keys do.
      if (JSON.stringify(set) !== JSON.stringify(this.#set)) this.#set = set;
      this.#fetchedAt = this.#now();
      this.#included = expected;
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#failure = error as JwtError;
    }
  }

  #suffices(keyId: string | undefined): boolean {
    return this.#isFresh() && (keyId === undefined || this.#knows(keyId));
  }

  #isOutdated(): boolean {
    return this.#included < this.#expected;
  }

  #knows(keyId: string): boolean {
    return this.#set?.keys.some((jwk) => jwk.kid === keyId) ?? false;
  }

  #isFresh(): boolean {
    return this.#since(this.#fetchedAt) <= this.#settings.maxAge;
  }

  #mayFetch(): boolean {
    return (
      this.#since(this.#attemptedAt) >= (this.#failures === 0 ? this.#pauseAfterSuccess() : this.#pauseAfterFailure())
    );
  }

  #pauseAfterSuccess(): number {
    const { cooldown } = this.#settings;
    if (!this.#isFresh() || this.#isOutdated()) return 0;
    return this.#since(this.#expectedAt) < cooldown ? Math.min(cooldown, shortestPause) : cooldown;
  }

  /** It doubles from one second. */
  #pauseAfterFailure(): number {
    return Math.min(this.#settings.cooldown, shortestPause * 2 ** (this.#failures - 1));
  }

  /** Seconds since a moment. A clock that was set back makes everything old, so that nothing is kept for too long. */
  #since(moment: number): number {
    const seconds = this.#now() - moment;
    return seconds < 0 ? Number.POSITIVE_INFINITY : seconds;
  }

  #now(): number {
    return secondsOf(this.#settings.now());
  }
}

async function fetchJwkSet(url: URL, limits: FetchLimits): Promise<JwkSet> {
  const { keys } = await fetchJsonDocument(url, limits);
  if (!Array.isArray(keys) || keys.some((jwk) => typeof jwk !== 'object' || jwk === null)) throw unavailable('content');
  const set: JwkSet = { keys: keys as readonly Jwk[] };
  try {
    // What an issuer publishes everyone can read: a secret in it is no secret.
    if (set.keys.some(hasSecretMembers)) throw new TypeError('The set holds a secret');
    // RSA keys that name no algorithm are proved by any of theirs: a weak one must not come to light with a token.
    for (const accepted of [undefined, ['RS256'] as const]) compileJwkSet(set, accepted);
  } catch (error) {
    throw unavailable('content', error);
  }
  return set;
}

function resolveSettings(options: RemoteJwkSetOptions): Settings {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(defaults, name) && name !== 'fetch' && name !== 'now')
      throw new TypeError(`There is no option ${name}`);
  }
  const settings = { ...defaults, fetch: globalThis.fetch, now: () => new Date(), ...options };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    within(name, settings[name], name === 'staleFor' || name === 'cooldown' ? 0 : 1, largest[name]);
  }
  if (typeof settings.fetch !== 'function') throw new TypeError('fetch must be a function');
  if (typeof settings.now !== 'function') throw new TypeError('now must be a function that returns a Date');
  return settings;
}

import { checkClaims, timeFault, type JwtClaims } from './claims.ts';
import { isJwtError } from './errors.ts';
import { Fault, faults, type Verdict } from './fault.ts';
import { freezeJson } from './json.ts';
import { readHeader, readJsonPart, signatureFault, splitJws, type JwtHeader } from './jws.ts';
import type { LocalKeys } from './jwk-set.ts';
import { KeyRing } from './key-ring.ts';
import { copyOf, isSame } from './option-values.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import { validated, type StandardSchema } from './standard-schema.ts';
import { TokenCache } from './token-cache.ts';
import { hasType } from './token-profile.ts';
import type { Expectations } from './verify-options.ts';

/** A token whose signature and claims have been checked. */
export interface VerifiedJwt<Claims extends object = JwtClaims> {
  readonly header: JwtHeader;
  readonly claims: Claims;
}

/** The check of tokens with keys in hand, under one set of expectations. */
export class Verification {
  readonly #ring: KeyRing;
  readonly #expected: Expectations;
  readonly #cache: TokenCache<VerifiedJwt> | undefined;

  constructor(keys: LocalKeys, expected: Expectations, cacheSize = 0) {
    this.#ring = new KeyRing(keys, expected.algorithms);
    this.#expected = expected;
    this.#cache = cacheSize === 0 ? undefined : new TokenCache(cacheSize);
  }

  /** Says what becomes of a token at a moment, in seconds since 1970. */
  judge(token: string, now: number): Verdict<VerifiedJwt<object>> {
    if (typeof token !== 'string') return faults.malformed;
    const { schema, claims: expected } = this.#expected;
    const remembered = this.#cache?.recall(token);
    const fault = remembered && timeFault(remembered.claims, expected, now);
    const examined = fault ?? remembered ?? this.#examine(token, now);
    if (examined instanceof Fault) return examined;
    if (remembered === undefined) this.#cache?.remember(token, freezeJson(examined));
    return schema === undefined ? examined : typed(examined, schema);
  }

  /** Whether whoever publishes the keys may have a fitting one since: worth asking, at the pace the remote set allows. */
  mayLackKeyFor(verdict: Verdict<unknown>): boolean {
    if (!(verdict instanceof Fault)) return false;
    const { code } = verdict;
    // A key without id is tried for whatever id a token names.
    if (code === 'signature_invalid') return this.#ring.hasKeyWithoutId;
    return code === 'key_not_found' || code === 'algorithm_not_allowed';
  }

  /** The signature comes before anything it protects is believed, or even parsed. */
  #examine(token: string, now: number): Verdict<VerifiedJwt> {
    const { maxTokenLength, typ, claims: expected } = this.#expected;
    const jws = splitJws(token, maxTokenLength);
    if (jws instanceof Fault) return jws;
    const known = this.#ring.identify(jws.header);
    if (known instanceof Fault) return known;
    const forged = signatureFault(jws, known.key);
    if (forged !== undefined) return forged;
    this.#ring.remember(known);
    const { header } = known;
    if (typ !== undefined && !hasType(header.typ, typ)) return new Fault('type_mismatch', { expected: typ });
    const claims = readJsonPart(jws.payload);
    if (claims instanceof Fault) return claims;
    return checkClaims(claims, expected, now) ?? { header, claims };
  }
}

/** The schema is asked each time: it may change its mind, and what it makes belongs to the caller. */
function typed({ header, claims }: VerifiedJwt, schema: StandardSchema<object>): Verdict<VerifiedJwt<object>> {
  const made = validated(schema, freezeJson(claims));
  return made instanceof Fault ? made : { header, claims: made };
}

/** The verification under keys that may change. With them goes all that was found good under them. */
export class LatestVerification {
  readonly #expected: Expectations;
  readonly #cacheSize: number;
  #latest: { readonly keys: LocalKeys; readonly verification: Verification } | undefined;

  constructor(expected: Expectations, cacheSize = 0) {
    this.#expected = expected;
    this.#cacheSize = cacheSize;
  }

  get maxTokenLength(): number {
    return this.#expected.maxTokenLength;
  }

  /** The same one as before while the keys are the same: a set may list them anew each time it is asked. */
  under(keys: LocalKeys): Verification {
    if (this.#latest === undefined || !isSame(this.#latest.keys, keys)) {
      const verification = new Verification(keys, this.#expected, this.#cacheSize);
      this.#latest = { keys: copyOf(keys), verification };
    }
    return this.#latest.verification;
  }
}

/** Judges a token at once where the keys in hand will do, else with a promise: then it fetches those that it needs. */
export function judgeByRemoteKeys(
  token: string,
  remote: RemoteJwkSet,
  verifications: LatestVerification,
  seconds: () => number,
): Verdict<VerifiedJwt<object>> | Promise<Verdict<VerifiedJwt<object>>> {
  // Sets of callers' own may say null where they have none.
  const keys = remote.keys ?? undefined;
  if (keys === undefined) return judgeByFetchedKeys(token, remote, verifications, seconds);
  const verification = verifications.under(keys);
  const verdict = verification.judge(token, seconds());
  return verification.mayLackKeyFor(verdict) ? judgeByFetchedKeys(token, remote, verifications, seconds) : verdict;
}

async function judgeByFetchedKeys(
  token: string,
  remote: RemoteJwkSet,
  verifications: LatestVerification,
  seconds: () => number,
): Promise<Verdict<VerifiedJwt<object>>> {
  // Everything that can be refused before a key is needed: a bad token never causes a fetch.
  const jws = splitJws(token, verifications.maxTokenLength);
  if (jws instanceof Fault) return jws;
  const header = readHeader(jws.header);
  if (header instanceof Fault) return header;
  const unavailable = await remote.refresh(header.kid).catch(keysFault);
  if (unavailable !== undefined) return unavailable;
  const { keys } = remote;
  if (keys === undefined) return new Fault('keys_unavailable', { reason: 'network' });
  return verifications.under(keys).judge(token, seconds());
}

function keysFault(error: unknown): Fault {
  if (isJwtError(error) && error.code === 'keys_unavailable') return new Fault(error.code, error.details, error.cause);
  throw error;
}

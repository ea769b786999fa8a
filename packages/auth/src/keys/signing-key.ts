import type { Algorithm, Jwk } from '@sallyport/jwt';

/** A signing key as it is kept. */
export interface SigningKeyRecord {
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly publicJwk: Jwk;
  /** The private JWK under the server's secret; undefined: it was removed because somebody else may have it. */
  readonly encryptedPrivateKey: string | undefined;
  readonly createdAt: Date;
  /** From then on the key signs, unless a newer one has become active too. */
  readonly activatesAt: Date;
}

/**
 * Where a key stands. `next`: published, does not sign yet. `current`: signs. `retired`: signs no more, verifies until
 * the last token it signed has expired. `compromised`: neither signs nor verifies, whatever it signed.
 */
export type SigningKeyStage = 'next' | 'current' | 'retired' | 'compromised';

/** A key and its stage, for administrators. */
export interface SigningKeyInfo {
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly stage: SigningKeyStage;
  readonly createdAt: Date;
  readonly activatesAt: Date;
}

/**
 * How long a key is published before it signs, in seconds: as long as a guard may keep the published keys without
 * asking again, so that no guard ever meets a token under a key it has not seen.
 */
const publicationDelay = 600;

/** How long a retired key outlives the last token it signed, in seconds: covers clocks that differ. */
const retirementMargin = 60;

/** The keys that nobody else is thought to have. */
export function trustedKeys(keys: readonly SigningKeyRecord[]): readonly SigningKeyRecord[] {
  return keys.filter((key) => key.encryptedPrivateKey !== undefined);
}

/**
 * The key that signs with `algorithm` at `now`: the one that became active last. Where the clock is behind the one that
 * made the first key, that key.
 */
export function currentKey(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  now: Date,
): SigningKeyRecord | undefined {
  const fitting = keys.filter((key) => key.algorithm === algorithm);
  return newestKey(fitting.filter((key) => key.activatesAt <= now)) ?? fitting[0];
}

/** The key that becomes active last, whenever that is. */
export function newestKey(keys: readonly SigningKeyRecord[]): SigningKeyRecord | undefined {
  return keys.reduce<SigningKeyRecord | undefined>(
    (found, key) => (found === undefined || key.activatesAt > found.activatesAt ? key : found),
    undefined,
  );
}

/** The key of `algorithm` that is published and does not sign yet. */
export function waitingKey(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  now: Date,
): SigningKeyRecord | undefined {
  return keys.find((key) => key.algorithm === algorithm && key.activatesAt > now);
}

/**
 * Whether `algorithm` needs a key before it can sign: it has none, or a key of another algorithm has taken over since, so
 * that coming back to an algorithm asks for a fresh one.
 */
export function isKeyNeeded(keys: readonly SigningKeyRecord[], algorithm: Algorithm, now: Date): boolean {
  const own = newestKey(keys.filter((key) => key.algorithm === algorithm));
  const other = newestActiveOther(keys, algorithm, now);
  return own === undefined || (other !== undefined && own.activatesAt <= other.activatesAt);
}

/** Whether the newest key of `algorithm` has signed, or waited to, for `age` seconds: then the next one is due. */
export function isRotationDue(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  age: number,
  now: Date,
): boolean {
  const newest = newestKey(keys.filter((key) => key.algorithm === algorithm));
  return newest !== undefined && newest.activatesAt.getTime() + age * 1000 <= now.getTime();
}

/**
 * When a new key of `algorithm` may sign: at once, and after every other, if nothing else of it can sign; else once
 * every guard has had time to see it.
 */
export function activationOf(keys: readonly SigningKeyRecord[], algorithm: Algorithm, now: Date): Date {
  if (keys.some((key) => key.algorithm === algorithm)) return new Date(now.getTime() + publicationDelay * 1000);
  const other = newestActiveOther(keys, algorithm, now);
  return other === undefined ? now : new Date(Math.max(now.getTime(), other.activatesAt.getTime() + 1));
}

function newestActiveOther(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  now: Date,
): SigningKeyRecord | undefined {
  return newestKey(keys.filter((key) => key.algorithm !== algorithm && key.activatesAt <= now));
}

/**
 * Gives every key that still matters its stage. A key drops out when the tokens it signed have expired.
 *
 * The stage is a function of the clock, so servers of one configuration agree on it without talking to each other.
 */
export function stagesOf(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  accessTokenLifetime: number,
  now: Date,
): ReadonlyMap<SigningKeyRecord, SigningKeyStage> {
  const trusted = trustedKeys(keys);
  const current = currentKey(trusted, algorithm, now);
  const stages = new Map<SigningKeyRecord, SigningKeyStage>();
  for (const key of keys) {
    if (!trusted.includes(key)) stages.set(key, 'compromised');
    else if (key === current) stages.set(key, 'current');
    else if (key.activatesAt > now) stages.set(key, 'next');
    else if (!hasExpired(successorsOf(key, keys, algorithm), accessTokenLifetime, now)) stages.set(key, 'retired');
  }
  return stages;
}

/**
 * The keys whose last token had expired at `then`, whatever algorithm a server is set to: only keys that another one of
 * their own algorithm has followed.
 */
export function outlivedKeys(
  keys: readonly SigningKeyRecord[],
  accessTokenLifetime: number,
  then: Date,
): readonly SigningKeyRecord[] {
  return keys.filter((key) => !stagesOf(keys, key.algorithm, accessTokenLifetime, then).has(key));
}

/** The later keys that take over from a key: those of its algorithm, or of the configured one once it was given up. */
function successorsOf(
  key: SigningKeyRecord,
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
): readonly SigningKeyRecord[] {
  return keys.filter(
    (other) =>
      other.activatesAt > key.activatesAt && (other.algorithm === key.algorithm || other.algorithm === algorithm),
  );
}

function hasExpired(successors: readonly SigningKeyRecord[], accessTokenLifetime: number, now: Date): boolean {
  const active = successors.filter((successor) => successor.activatesAt <= now);
  const supersededAt = Math.min(...active.map((successor) => successor.activatesAt.getTime()));
  return now.getTime() > supersededAt + (accessTokenLifetime + retirementMargin) * 1000;
}

/** Shows a record to an administrator. */
export function toInfo(
  { keyId, algorithm, createdAt, activatesAt }: SigningKeyRecord,
  stage: SigningKeyStage,
): SigningKeyInfo {
  return { keyId, algorithm, stage, createdAt, activatesAt };
}

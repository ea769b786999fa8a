import type { Algorithm, Jwk } from '@sallyport/jwt';

/** A signing key as it is kept. */
export interface SigningKeyRecord {
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly publicJwk: Jwk;
  /** The private JWK under the server's secret. */
  readonly encryptedPrivateKey: string;
  readonly createdAt: Date;
  /** From then on the key signs, unless a newer one has become active too. */
  readonly activatesAt: Date;
}

/**
 * Where a key stands. `next`: published, does not sign yet. `current`: signs. `retired`: signs no more, verifies until
 * the last token it signed has expired.
 */
export type SigningKeyStage = 'next' | 'current' | 'retired';

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
export const publicationDelay = 600;

/** How long a retired key outlives the last token it signed, in seconds: covers clocks that differ. */
const retirementMargin = 60;

/** The key that signs with `algorithm` at `now`: the one that became active last. */
export function currentKey(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  now: Date,
): SigningKeyRecord | undefined {
  return newest(keys.filter((key) => key.algorithm === algorithm && key.activatesAt <= now));
}

/**
 * Gives every key that still matters its stage. A key drops out when the tokens it signed have expired.
 *
 * The stage is a function of the clock alone, so all servers agree on it without talking to each other.
 */
export function stagesOf(
  keys: readonly SigningKeyRecord[],
  algorithm: Algorithm,
  accessTokenLifetime: number,
  now: Date,
): ReadonlyMap<SigningKeyRecord, SigningKeyStage> {
  const current = currentKey(keys, algorithm, now);
  const stages = new Map<SigningKeyRecord, SigningKeyStage>();
  for (const key of keys) {
    if (key.activatesAt > now) stages.set(key, 'next');
    else if (key === current) stages.set(key, 'current');
    else if (!hasExpired(key, keys, accessTokenLifetime, now)) stages.set(key, 'retired');
  }
  return stages;
}

function hasExpired(
  key: SigningKeyRecord,
  keys: readonly SigningKeyRecord[],
  accessTokenLifetime: number,
  now: Date,
): boolean {
  const successors = keys.filter((other) => other.activatesAt > key.activatesAt && other.activatesAt <= now);
  const supersededAt = Math.min(...successors.map((successor) => successor.activatesAt.getTime()));
  return now.getTime() > supersededAt + (accessTokenLifetime + retirementMargin) * 1000;
}

function newest(keys: readonly SigningKeyRecord[]): SigningKeyRecord | undefined {
  return keys.reduce<SigningKeyRecord | undefined>(
    (found, key) => (found === undefined || key.activatesAt > found.activatesAt ? key : found),
    undefined,
  );
}

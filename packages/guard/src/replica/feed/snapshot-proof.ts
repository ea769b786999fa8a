import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Algorithm, createJwtVerifier, isJwtError, JwtError, type JwtHeader, type Keys } from '@sallyport/jwt';
import { FeedFault } from './fault.ts';
import type { Snapshot } from './snapshot.ts';

/** Whose proofs are believed. */
export interface ProofExpectations {
  readonly issuer: string;
  readonly keys: Keys;
  readonly algorithms: readonly Algorithm[] | undefined;
  readonly clockTolerance: number;
  readonly now: () => Date;
}

/** What a good proof says. */
export interface Proven {
  /** When the issuer made the snapshot, in epoch seconds. */
  readonly issuedAt: number;
  readonly keyId: string | undefined;
}

/** Checks proofs of snapshots. */
export type ProofCheck = (snapshot: Snapshot) => Promise<Proven>;

const proofType = 'feed-snapshot+jwt';
/** What is hashed at once, so that requests come in between. */
const slice = 1_048_576;

/**
 * Makes a check that a snapshot is what the issuer signed, whoever handed it over.
 *
 * Does **not** check how old it is.
 *
 * @throws {FeedFault} from the check: `malformed` for a proof that is none, `lost` while the keys cannot be had.
 */
export function createProofCheck(expected: ProofExpectations): ProofCheck {
  const { issuer, keys, algorithms, clockTolerance, now } = expected;
  const accepted = algorithms === undefined ? {} : { algorithms };
  const verifier = createJwtVerifier({
    ...accepted,
    issuer,
    keys,
    clockTolerance,
    now,
    typ: proofType,
    requiredClaims: [],
  });
  const verifyByNewKeys = async (proof: string): Promise<VerifiedProof> => {
    try {
      return await verifier.verify(proof);
    } catch (error) {
      // A key that is not known may have come with the very changes that the snapshot tells of.
      if (!isJwtError(error) || error.code !== 'key_not_found' || !('expectNewKeys' in keys)) throw error;
      keys.expectNewKeys?.();
      return verifier.verify(proof);
    }
  };
  return async (snapshot) => {
    const { header, claims } = await believe(() => verifyByNewKeys(snapshot.proof));
    const digest = await digestOf(snapshot.signed);
    const { inc, head, sha256, iat } = claims;
    const isMeant = inc === snapshot.incarnation && head === snapshot.head && snapshot.issuer === issuer;
    if (!isMeant || sha256 !== digest || iat === undefined) throw forged();
    return { issuedAt: iat, keyId: header.kid };
  };
}

interface VerifiedProof {
  readonly header: JwtHeader;
  readonly claims: Readonly<Record<string, unknown>> & { readonly iat?: number };
}

async function believe(verify: () => VerifiedProof | Promise<VerifiedProof>): Promise<VerifiedProof> {
  try {
    return await verify();
  } catch (cause) {
    if (!(cause instanceof JwtError)) throw cause;
    if (cause.code !== 'keys_unavailable') throw forged(cause);
    throw new FeedFault('lost', 'The keys of the issuer cannot be fetched', { cause });
  }
}

async function digestOf(bytes: Buffer): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += slice) {
    hash.update(bytes.subarray(offset, offset + slice));
    await setImmediate();
  }
  return hash.digest('base64url');
}

function forged(cause?: unknown): FeedFault {
  return new FeedFault('malformed', 'The snapshot is not what the issuer signed', { cause });
}

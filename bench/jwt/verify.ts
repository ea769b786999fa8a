import { measure, ratio, repeat, type Contender, type Measured } from '../rounds.ts';
import { algorithms, aBenchKey, type MeasuredAlgorithm } from './keys.ts';
import { ableTo, contend, createdVerifier, fastJwtVerifier, oneShotVerifier, peerVerifiers } from './libraries.ts';
import { primitiveName, primitiveVerify, uncheckedName, uncheckedVerify } from './primitive.ts';
import { aProvenVerifier } from './proofs.ts';
import { atLeast, ratioHead, ratioRow, section, type Target, type Topic } from '../report.ts';
import { aTokenPool } from './tokens.ts';

/** How much of the primitive's speed is asked for. */
const bounds: { readonly [Name in MeasuredAlgorithm]: number } = {
  HS256: 0.8,
  RS256: 0.9,
  PS256: 0.9,
  ES256: 0.95,
  EdDSA: 0.95,
};

const libraries = [createdVerifier, oneShotVerifier, ...peerVerifiers];

/** Verifies distinct tokens, one call after the other. */
export async function benchVerify(): Promise<Topic> {
  const [rows, targets]: [string[], Target[]] = [[], []];
  for (const algorithm of algorithms) {
    const results = await measureVerifiers(algorithm);
    const base = named(results, primitiveName);
    rows.push(...results.map((measured) => ratioRow(`${algorithm} verify`, measured, ratio(measured, base))));
    targets.push(...targetsOf(algorithm, results));
  }
  const note = `2,000 distinct tokens, each cut anew out of an \`Authorization\` header. Speed relative to the bare \`node:crypto\` primitive
on prepared buffers (ES256: signatures in DER form). Everyone checks algorithm, signature, issuer, audience and times,
which the run proves first. What answers with promises is awaited call by call, as a request handler does. The primitive
runs twice: as far as its own ratio is from 1.00, the machine was not quiet. What it leaves to a verifier that has to parse
the claims stands in the row without checks.`;
  return { text: section('Verify distinct tokens', note, [...ratioHead, ...rows]), targets };
}

async function measureVerifiers(algorithm: MeasuredAlgorithm): Promise<Measured[]> {
  const key = await aBenchKey(algorithm);
  const pool = aTokenPool(key);
  const primitive = primitiveVerify(key, pool.tokens);
  const contenders: Contender[] = [
    repeat(primitiveName, primitive),
    repeat(`${primitiveName} again`, primitive),
    repeat(uncheckedName, uncheckedVerify(key, pool)),
  ];
  for (const library of ableTo(libraries, key)) {
    const verify = await aProvenVerifier(library, key);
    contenders.push(contend(library, (index) => verify(pool.at(index))));
  }
  return measure(contenders);
}

function targetsOf(algorithm: MeasuredAlgorithm, results: readonly Measured[]): Target[] {
  const base = named(results, primitiveName);
  const ours = [createdVerifier, oneShotVerifier].map(({ name }) => named(results, name));
  const peers = results.filter(({ name }) => peerVerifiers.some((peer) => peer.name === name));
  return ours.flatMap((own) => {
    const what = `${algorithm} verify, ${own.name}`;
    const overPeers = peers.map((peer) => ({ name: peer.name, median: ratio(own, peer).median }));
    const [strongest] = overPeers.toSorted((a, b) => a.median - b.median);
    const targets = [
      atLeast(`${what} / ${primitiveName}`, ratio(own, base).median, bounds[algorithm], ' ×'),
      atLeast(`${what} / quickest peer (${strongest?.name ?? 'none'})`, strongest?.median ?? Number.NaN, 1, ' ×'),
    ];
    if (algorithm !== 'HS256') return targets;
    const fastJwt = named(results, fastJwtVerifier.name);
    return [...targets, atLeast(`${what} / ${fastJwt.name}`, ratio(own, fastJwt).median, 1.6, ' ×')];
  });
}

function named(results: readonly Measured[], name: string): Measured {
  const found = results.find((measured) => measured.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

import { measure, ratio, repeat, type Contender, type Measured } from '../rounds.ts';
import { algorithms, aBenchKey, type MeasuredAlgorithm } from './keys.ts';
import { ableTo, contend, ownSigner, peerSigners } from './libraries.ts';
import { primitiveName, primitiveSign, uncheckedName, uncheckedSign } from './primitive.ts';
import { aProvenSigner } from './proofs.ts';
import { atLeast, ratioHead, ratioRow, section, type Target, type Topic } from '../report.ts';
import { aToken, someClaims } from './tokens.ts';

/** How much of the primitive's speed is asked for. */
const bounds: { readonly [Name in MeasuredAlgorithm]: number } = {
  HS256: 0.85,
  RS256: 0.98,
  PS256: 0.98,
  ES256: 0.9,
  EdDSA: 0.95,
};

const poolSize = 2000;

/** Signs distinct claims, one call after the other. */
export async function benchSign(): Promise<Topic> {
  const [rows, targets]: [string[], Target[]] = [[], []];
  for (const algorithm of algorithms) {
    const results = await measureSigners(algorithm);
    const [base, own] = results;
    if (base === undefined || own === undefined) throw new Error('Nothing was measured');
    rows.push(...results.map((measured) => ratioRow(`${algorithm} sign`, measured, ratio(measured, base))));
    targets.push(
      atLeast(`${algorithm} sign, ${own.name} / ${base.name}`, ratio(own, base).median, bounds[algorithm], ' ×'),
    );
  }
  const note = `2,000 distinct sets of claims. Speed relative to the bare \`node:crypto\` primitive on prepared buffers, which leaves
its signature as it comes (ES256: in DER form). hono writes a shorter header than the others.`;
  return { text: section('Sign distinct claims', note, [...ratioHead, ...rows]), targets };
}

/** The primitive comes first, then ours. */
async function measureSigners(algorithm: MeasuredAlgorithm): Promise<Measured[]> {
  const key = await aBenchKey(algorithm);
  const claims = Array.from({ length: poolSize }, () => someClaims());
  const inputs = claims.map((each) => aToken(key, each));
  const [first = someClaims()] = claims;
  const contenders: Contender[] = [repeat(primitiveName, primitiveSign(key, inputs))];
  for (const library of ableTo([ownSigner, ...peerSigners], key)) {
    const sign = await aProvenSigner(library, key);
    contenders.push(contend(library, (index) => sign(claims[index % poolSize] ?? first)));
  }
  return measure([...contenders, repeat(uncheckedName, uncheckedSign(key, inputs, claims))]);
}

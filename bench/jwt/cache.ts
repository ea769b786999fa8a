import { createJwtVerifier, type JwtVerifier } from '@sallyport/jwt';
import { measure, ratio, repeat } from '../rounds.ts';
import { aBenchKey, type BenchKey } from './keys.ts';
import { makeFastJwtVerifier } from './libraries.ts';
import { bytesPerToken } from './memory.ts';
import { primitiveName, primitiveVerify } from './primitive.ts';
import { atLeast, atMost, ratioHead, ratioRow, section, type Target, type Topic } from '../report.ts';
import { aTokenPool, audience, issuer, typ } from './tokens.ts';
import { zipfSequence } from './zipf.ts';

const cacheSize = 10_000;
const users = 20_000;

interface Part {
  readonly rows: readonly string[];
  readonly targets: readonly Target[];
}

function aCachingVerifier({ own, algorithm }: BenchKey): JwtVerifier {
  return createJwtVerifier({ keys: own.verifying, algorithms: [algorithm], issuer, audience, typ, cacheSize });
}

/** Verifies tokens that were verified before, and mixes in which some were. */
export async function benchCache(): Promise<Topic> {
  const [hmac, ecdsa] = [await aBenchKey('HS256'), await aBenchKey('ES256')];
  const parts = [await measureHits(hmac), await measureMix(hmac, 1.7), await measureMix(ecdsa, 3)];
  const bytes = await bytesPerToken(hmac, () => aCachingVerifier(hmac), cacheSize);
  const note = `A verifier that remembers 10,000 tokens. Speed relative to the bare primitive, which verifies each signature. The mix: 20,000
users, each with a token, who come as often as Zipf's law says; the aim is about its exponent of 1, and 0.8 is flatter.

Memory per remembered token: ${bytes.half.toFixed(0)} bytes in a half full cache, and never more than ${bytes.full.toFixed(0)} bytes
for each token of \`cacheSize\`, after three times as many came by.`;
  return {
    text: section('Verified-token cache', note, [...ratioHead, ...parts.flatMap(({ rows }) => rows)]),
    targets: [
      ...parts.flatMap(({ targets }) => targets),
      atMost('Bytes per cached HS256 token', Math.max(bytes.half, bytes.full), 1500, ' B'),
    ],
  };
}

async function measureHits(key: BenchKey): Promise<Part> {
  const pool = aTokenPool(key, 1000);
  const verifier = aCachingVerifier(key);
  const fastJwt = makeFastJwtVerifier(key, cacheSize);
  for (const token of pool.tokens) {
    verifier.verify(token);
    fastJwt(token);
  }
  const results = await measure([
    repeat(primitiveName, primitiveVerify(key, pool.tokens)),
    repeat('sallyport createJwtVerifier', (index) => verifier.verify(pool.at(index))),
    repeat('fast-jwt (cache on)', (index) => fastJwt(pool.at(index))),
  ]);
  const [base, own] = results;
  if (base === undefined || own === undefined) throw new Error('Nothing was measured');
  return {
    rows: results.map((measured) => ratioRow(`${key.algorithm}, hit`, measured, ratio(measured, base))),
    targets: [atLeast(`${key.algorithm}, cache hit / ${primitiveName}`, ratio(own, base).median, 8, ' ×')],
  };
}

async function measureMix(key: BenchKey, bound: number): Promise<Part> {
  const [rows, targets]: [string[], Target[]] = [[], []];
  const pool = aTokenPool(key, users);
  const primitive = primitiveVerify(key, pool.tokens);
  for (const exponent of [1, 0.8]) {
    const visits = zipfSequence(users, exponent);
    const userOf = (index: number): number => visits[index % visits.length] ?? 0;
    const verifier = aCachingVerifier(key);
    // Both generations of the cache are full, and its hit rate is what it will be, before the first round.
    for (let index = 0; index < 3 * users; index += 1) verifier.verify(pool.at(userOf(index)));
    const results = await measure(
      [
        repeat(primitiveName, (index) => primitive(userOf(index))),
        repeat('sallyport createJwtVerifier', (index) => verifier.verify(pool.at(userOf(index)))),
      ],
      { milliseconds: 80 },
    );
    const [base, own] = results;
    if (base === undefined || own === undefined) throw new Error('Nothing was measured');
    const what = `${key.algorithm}, Zipf mix (exponent ${exponent})`;
    rows.push(...results.map((measured) => ratioRow(what, measured, ratio(measured, base))));
    if (exponent === 1) targets.push(atLeast(`${what} / ${primitiveName}`, ratio(own, base).median, bound, ' ×'));
  }
  return { rows, targets };
}

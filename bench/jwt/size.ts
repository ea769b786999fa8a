import { createJwtVerifier } from '@sallyport/jwt';
import { measure, perSecond, ratio, repeat, timeRatio, type Contender, type Measured } from '../rounds.ts';
import { aBenchKey, type BenchKey } from './keys.ts';
import { primitiveName, primitiveVerify } from './primitive.ts';
import { atMost, microseconds, section, type Target, type Topic } from '../report.ts';
import { aToken, audience, issuer, someClaims, TokenPool, typ, type BenchClaims } from './tokens.ts';

/** Characters of a token; the verifier takes at most 8192 unless told otherwise. */
const sizes = [300, 1024, 2048, 4096, 8192] as const;

/** A larger pool of large tokens would measure the memory of the machine. */
const poolSize = 250;

/** Verifies HS256 tokens of several sizes. */
export async function benchSize(): Promise<Topic> {
  const key = await aBenchKey('HS256');
  const verifier = createJwtVerifier({ keys: key.own.verifying, algorithms: ['HS256'], issuer, audience, typ });
  const contenders: Contender[] = sizes.flatMap((size) => {
    const pool = aPoolOfSize(key, size);
    return [
      repeat(primitiveName, primitiveVerify(key, pool.tokens)),
      repeat('sallyport createJwtVerifier', (index) => verifier.verify(pool.at(index))),
    ];
  });
  const results = await measure(contenders);
  const pairs = sizes.map((size, index) => pairAt(size, results[index * 2], results[index * 2 + 1]));
  const note = `HS256, tokens filled up with roles. Speed relative to the bare primitive on the same bytes. The cost is linear when a
token of twice the length takes at most twice the time; 5 % are allowed for noise.`;
  const head = [
    '| characters | calls/s | µs | µs per 1024 characters | min | median | max |',
    '|--:|--:|--:|--:|--:|--:|--:|',
  ];
  return { text: section('Token size', note, [...head, ...pairs.map(sizeRow)]), targets: doublings(pairs) };
}

interface Pair {
  readonly size: number;
  readonly base: Measured;
  readonly own: Measured;
}

function pairAt(size: number, base: Measured | undefined, own: Measured | undefined): Pair {
  if (base === undefined || own === undefined) throw new Error('Nothing was measured');
  return { size, base, own };
}

function sizeRow({ size, base, own }: Pair): string {
  const speed = perSecond(own);
  const { min, median, max } = ratio(own, base);
  const figures = [speed.toFixed(0), microseconds(speed), microseconds((speed * size) / 1024)];
  return `| ${size} | ${figures.join(' | ')} | ${[min, median, max].map((value) => value.toFixed(2)).join(' | ')} |`;
}

function doublings(pairs: readonly Pair[]): Target[] {
  return pairs.slice(2).map(({ size, own }, index) => {
    const half = pairs[index + 1];
    if (half === undefined) throw new Error('There is no size before the first');
    const what = `HS256 verify, time of ${size} / ${half.size} characters`;
    return atMost(what, timeRatio(own, half.own).median, 2.1, ' ×');
  });
}

/** Distinct tokens of just so many characters, or one or two less: base64url cannot end everywhere. */
function aPoolOfSize(key: BenchKey, size: number): TokenPool {
  const filled = fill(key, size);
  const claimsOf = (index: number): BenchClaims => ({ ...filled, sub: `user-${1000 + index}` });
  return new TokenPool(Array.from({ length: poolSize }, (_, index) => aToken(key, claimsOf(index))));
}

/** Claims with as many roles as fit, and some characters to fill the rest. */
function fill(key: BenchKey, size: number): BenchClaims {
  const { exp = 0, ...others } = someClaims();
  const least = { iss: issuer, aud: audience, sub: 'user-1000', exp };
  const roles: string[] = [];
  const claims = { ...(size < 400 ? {} : others), ...least, roles };
  const lengthWith = (filling: string): number => aToken(key, { ...claims, filling }).length;
  while (lengthWith('') <= size - 60) roles.push(`project-${roles.length}:maintainer`);
  let filling = '';
  while (lengthWith(`${filling}x`) <= size) filling += 'x';
  return { ...claims, filling };
}

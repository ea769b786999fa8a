import { createJwtVerifier, type JwtVerifier } from '@sallyport/jwt';
import { measure, repeat, timeRatio, type Contender, type Measured } from '../rounds.ts';
import { aBenchKey, type MeasuredAlgorithm } from './keys.ts';
import { withBadSignature } from './proofs.ts';
import { atMost, ratioRow, section, type Target, type Topic } from '../report.ts';
import { aTokenPool, audience, issuer, typ, type TokenPool } from './tokens.ts';

/** A way in which a token is bad; every bad token differs from the next. */
interface Fault {
  readonly name: string;
  readonly code: 'signature_invalid' | 'token_malformed';
  readonly spoil: (token: string, index: number) => string;
}

const badSignature: Fault = { name: 'bad signature', code: 'signature_invalid', spoil: withBadSignature };

const malformations: readonly Fault[] = [
  malformation('no dots', (token) => token.replaceAll('.', '-')),
  malformation('header is no JSON', withBrokenHeader),
  malformation('signature is no base64url', (token) => `${token.slice(0, -20)}=${token.slice(-19)}`),
];

function malformation(name: string, spoil: Fault['spoil']): Fault {
  return { name: `malformed: ${name}`, code: 'token_malformed', spoil };
}

/** A header that ends in the middle of a name. */
function withBrokenHeader(token: string, index: number): string {
  const header = Buffer.from(`{"alg":"HS256","kid":"key-2026","typ":"at+jwt","n${index}`).toString('base64url');
  return header + token.slice(token.indexOf('.'));
}

/** Refuses bad tokens, as a code and as an exception, beside accepting good ones. */
export async function benchRefuse(): Promise<Topic> {
  const hmac = await measureRefusals('HS256', [badSignature, ...malformations]);
  const ecdsa = await measureRefusals('ES256', [badSignature]);
  const note = `By a verifier of \`createJwtVerifier\`: \`tryVerify\` returns the code, \`verify\` throws. The ratios are times: 1.00 takes as
long as accepting a good token of the same algorithm.`;
  const head = ['| operation | by | calls/s | µs | min | median | max |', '|---|---|--:|--:|--:|--:|--:|'];
  return {
    text: section('Refuse bad tokens', note, [...head, ...hmac.rows, ...ecdsa.rows]),
    targets: [...hmac.targets, ...ecdsa.targets],
  };
}

async function measureRefusals(
  algorithm: MeasuredAlgorithm,
  faults: readonly Fault[],
): Promise<{ rows: string[]; targets: Target[] }> {
  const key = await aBenchKey(algorithm);
  const pool = aTokenPool(key);
  const verifier = createJwtVerifier({ keys: key.own.verifying, algorithms: [algorithm], issuer, audience, typ });
  const good = repeat('verify', (index) => verifier.verify(pool.at(index)));
  const refusals = faults.map((fault) => ({ fault, contenders: refusalsOf(verifier, pool, fault) }));
  const [base, ...results] = await measure([good, ...refusals.flatMap(({ contenders }) => contenders)]);
  if (base === undefined) throw new Error('Nothing was measured');
  const rows = [ratioRow(`${algorithm}, good token`, base, timeRatio(base, base))];
  const targets: Target[] = [];
  for (const [index, { fault }] of refusals.entries()) {
    const pair: readonly Measured[] = results.slice(index * 2, index * 2 + 2);
    for (const measured of pair) {
      const what = `${algorithm}, ${fault.name}`;
      const times = timeRatio(measured, base);
      rows.push(ratioRow(what, measured, times));
      targets.push(
        atMost(`${what}, ${measured.name} / good token`, times.median, fault === badSignature ? 1.4 : 0.5, ' ×'),
      );
    }
  }
  return { rows, targets };
}

/** The two ways to be told; each is tried once, so that no wrong refusal is measured. */
function refusalsOf(verifier: JwtVerifier, pool: TokenPool, { name, code, spoil }: Fault): [Contender, Contender] {
  const bad = pool.map(spoil);
  const outcome = verifier.tryVerify(bad.at(0));
  if (outcome.ok || outcome.code !== code) throw new Error(`A token (${name}) is not refused as ${code}`);
  return [
    repeat('tryVerify (code)', (index) => verifier.tryVerify(bad.at(index))),
    repeat('verify (thrown)', (index) => {
      try {
        return verifier.verify(bad.at(index));
      } catch (error) {
        return error;
      }
    }),
  ];
}

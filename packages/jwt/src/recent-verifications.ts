import type { Verdict } from './fault.ts';
import { isRemote, type Keys } from './key-ring.ts';
import { isPlainOptions, isSame, readOptions, secondsOf, systemTime } from './option-values.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import { judgeByRemoteKeys, LatestVerification, type VerifiedJwt } from './verification.ts';
import type { Expectations, VerifyOptions } from './verify-options.ts';

/** Validates options and says what they expect of a token. */
type ResolveOptions<Options extends VerifyOptions<Keys, object>> = (options: Options) => Expectations;

/** Verifications, and the options they were made for: a copy, since callers may change what is theirs. */
interface Recent {
  readonly resolve: unknown;
  readonly options: VerifyOptions<Keys, object>;
  readonly optionCount: number;
  readonly verifications: LatestVerification;
}

/** How many different sets of options are remembered for one set of keys. */
const mostVariants = 8;

const recents = new WeakMap<object, Recent[]>();

/**
 * What was made for these keys and options. Most callers ask for the same again and again, so what was made for a call
 * serves the next one that asks for the same; that is compared value by value, whoever owns the objects.
 */
function recentFor<Options extends VerifyOptions<Keys, object>>(
  options: Options,
  resolve: ResolveOptions<Options>,
): Recent {
  const { keys } = options;
  const variants = recents.get(keys) ?? [];
  const optionCount = countOptions(options);
  for (const recent of variants) {
    const isFor = recent.resolve === resolve && recent.optionCount === optionCount;
    if (isFor && asksTheSame(recent.options, options)) return recent;
  }
  const own = readOptions(options);
  const verifications = new LatestVerification(resolve(own));
  // What holds no keys is refused before it is remembered.
  if (!isRemote(keys)) verifications.under(keys);
  const made = { resolve, options: own, optionCount: countOptions(own), verifications };
  if (variants.length >= mostVariants) variants.shift();
  variants.push(made);
  recents.set(keys, variants);
  return made;
}

/** The moment is asked for with each call, and is no part of what a verification is made for. */
function countOptions(options: VerifyOptions<Keys, object>): number {
  const count = Object.keys(options).length;
  return options.now === undefined ? count : count - 1;
}

function asksTheSame(one: VerifyOptions<Keys, object>, other: VerifyOptions<Keys, object>): boolean {
  return (
    one.typ === other.typ &&
    one.subject === other.subject &&
    one.clockTolerance === other.clockTolerance &&
    one.maxTokenAge === other.maxTokenAge &&
    one.maxTokenLength === other.maxTokenLength &&
    one.schema === other.schema &&
    isSame(one.issuer, other.issuer) &&
    isSame(one.audience, other.audience) &&
    isSame(one.algorithms, other.algorithms) &&
    isSame(one.requiredClaims, other.requiredClaims)
  );
}

/** Judges a token by keys in hand, or by fetched ones: then as a promise, always. */
export function verdictOn<Options extends VerifyOptions<Keys, object>>(
  token: string,
  options: Options,
  resolve: ResolveOptions<Options>,
): Verdict<VerifiedJwt<object>> | Promise<Verdict<VerifiedJwt<object>>> {
  if (!isPlainOptions(options)) throw new TypeError('The options must be a plain object');
  const { keys } = options;
  if (isRemote(keys)) return verdictByRemoteKeys(token, keys, options, resolve);
  return recentFor(options, resolve).verifications.under(keys).judge(token, momentOf(options));
}

/** What is no moment is refused whatever the token, and none that comes later counts: its owner may change it meanwhile. */
async function verdictByRemoteKeys<Options extends VerifyOptions<Keys, object>>(
  token: string,
  remote: RemoteJwkSet,
  options: Options,
  resolve: ResolveOptions<Options>,
): Promise<Verdict<VerifiedJwt<object>>> {
  const { verifications } = recentFor(options, resolve);
  const now = options.now === undefined ? undefined : secondsOf(options.now);
  return judgeByRemoteKeys(token, remote, verifications, () => now ?? systemTime());
}

function momentOf({ now }: VerifyOptions<Keys, object>): number {
  return now === undefined ? systemTime() : secondsOf(now);
}

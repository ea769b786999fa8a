import type { Verdict } from './fault.ts';
import type { LocalKeys } from './jwk-set.ts';
import { isRemote, type Keys } from './key-ring.ts';
import { copyOf, isPlainOptions, isSame, readOptions, secondsOf, systemTime } from './option-values.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import { judgeByRemoteKeys, Verification, type VerifiedJwt } from './verification.ts';
import type { Expectations, VerifyOptions } from './verify-options.ts';

/** Validates options and says what they expect of a token. */
type ResolveOptions<Options extends VerifyOptions<Keys, object>> = (options: Options) => Expectations;

/** A verification and what it was made for: a copy, since callers may change what is theirs. */
interface Recent {
  readonly verification: Verification;
  readonly resolve: unknown;
  readonly keys: LocalKeys;
  readonly options: VerifyOptions<Keys, object>;
  readonly optionCount: number;
}

/** How many different sets of options are remembered for one set of keys. */
const mostVariants = 8;

const recents = new WeakMap<object, Recent[]>();

/**
 * The verification for these keys and options. Most callers ask for the same again and again, so what was made for a
 * call serves the next one that asks for the same; that is compared value by value, whoever owns the objects.
 */
function verificationFor<Options extends VerifyOptions<Keys, object>>(
  keys: LocalKeys,
  options: Options,
  resolve: ResolveOptions<Options>,
): Verification {
  const variants = recents.get(keys) ?? [];
  const optionCount = countOptions(options);
  for (const recent of variants) {
    const isFor = recent.resolve === resolve && recent.optionCount === optionCount && isSame(recent.keys, keys);
    if (isFor && asksTheSame(recent.options, options)) return recent.verification;
  }
  const own = readOptions(options);
  const verification = new Verification(keys, resolve(own));
  if (variants.length >= mostVariants) variants.shift();
  variants.push({ verification, resolve, keys: copyOf(keys), options: own, optionCount: countOptions(own) });
  recents.set(keys, variants);
  return verification;
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
  if (!isRemote(keys)) return verificationFor(keys, options, resolve).judge(token, momentOf(options));
  return verdictByRemoteKeys(token, keys, options, resolve);
}

async function verdictByRemoteKeys<Options extends VerifyOptions<Keys, object>>(
  token: string,
  remote: RemoteJwkSet,
  given: Options,
  resolve: ResolveOptions<Options>,
): Promise<Verdict<VerifiedJwt<object>>> {
  // The caller may change what is theirs while keys are fetched.
  const options = readOptions(given);
  const { maxTokenLength } = resolve(options);
  // As the other options: what is no moment is refused whatever the token.
  momentOf(options);
  return judgeByRemoteKeys(token, remote, maxTokenLength, (keys) =>
    verificationFor(keys, options, resolve).judge(token, momentOf(options)),
  );
}

function momentOf({ now }: VerifyOptions<Keys, object>): number {
  return now === undefined ? systemTime() : secondsOf(now);
}

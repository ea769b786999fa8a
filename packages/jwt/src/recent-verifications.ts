import type { Verdict } from './fault.ts';
import type { LocalKeys } from './jwk-set.ts';
import { isRemote, type Keys } from './key-ring.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import { judgeByRemoteKeys, Verification, type VerifiedJwt } from './verification.ts';
import { isPlainOptions, readOptions, secondsOf, systemTime } from './option-values.ts';
import { type Expectations, type VerifyOptions } from './verify-options.ts';

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
  const optionCount = isPlainOptions(options) ? countOptions(options) : Number.NaN;
  for (const recent of variants) {
    const isSame = recent.resolve === resolve && recent.optionCount === optionCount && isSameList(recent.keys, keys);
    if (isSame && asksTheSame(recent.options, options)) return recent.verification;
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
    isSameList(one.issuer, other.issuer) &&
    isSameList(one.audience, other.audience) &&
    isSameList(one.algorithms, other.algorithms) &&
    isSameList(one.requiredClaims, other.requiredClaims)
  );
}

/** Compares values that may be lists. A list is never itself the copy it is compared with. */
function isSameList(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

function copyOf<Value>(value: Value): Value {
  return Array.isArray(value) ? ([...value] as Value) : value;
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
  momentOf(options);
  return judgeByRemoteKeys(token, remote, maxTokenLength, (keys) =>
    verificationFor(keys, options, resolve).judge(token, momentOf(options)),
  );
}

function momentOf({ now }: VerifyOptions<Keys, object>): number {
  return now === undefined ? systemTime() : secondsOf(now);
}

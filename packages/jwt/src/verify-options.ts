import { isAlgorithm, type Algorithm } from './algorithms.ts';
import type { ClaimExpectations, JwtClaims } from './claims.ts';
import type { Keys } from './key-ring.ts';
import { isStandardSchema, type StandardSchema } from './standard-schema.ts';
import { within } from './option-values.ts';
import { profileOf, type TokenProfile } from './token-profile.ts';

/** What a token is held against, whatever the moment. */
export interface VerifyConditions<From extends Keys = Keys, Claims extends object = JwtClaims> {
  /** The keys we trust. */
  readonly keys: From;
  /** The algorithms accepted. Default: those of the keys. */
  readonly algorithms?: readonly Algorithm[];
  /** The `iss` accepted, or several. Default: not checked. */
  readonly issuer?: string | readonly string[];
  /** Our name, or several; the token must be meant for one. Default: a token that carries `aud` is refused. */
  readonly audience?: string | readonly string[];
  /** The `sub` accepted. Default: not checked. */
  readonly subject?: string;
  /** The `typ` accepted, in any case, with or without `application/`. Default: not checked. */
  readonly typ?: string;
  /** Claims that must be present besides `exp`; an empty list for none, not even that. Default: `exp` alone. */
  readonly requiredClaims?: readonly string[];
  /** Seconds that `nbf` and `iat` may lie in the future, 0 to 60; `exp` is exact. Default: 5. */
  readonly clockTolerance?: number;
  /** Seconds since `iat` after which the token is refused. Default: not checked. */
  readonly maxTokenAge?: number;
  /** Characters a token may have. Default: 8192. */
  readonly maxTokenLength?: number;
  /**
   * A validator for the claims (Zod, Valibot, ArkType, any Standard Schema that answers synchronously), asked when all
   * else fits: the claims are what it makes of them, in its type. Default: none.
   */
  readonly schema?: StandardSchema<Claims>;
}

/** What {@link verifyJwt} holds a token against. */
export interface VerifyOptions<From extends Keys = Keys, Claims extends object = JwtClaims> extends VerifyConditions<
  From,
  Claims
> {
  /** The moment to verify for. Default: the clock. */
  readonly now?: Date;
}

/** What tokens are held against: options after validation, with every default in place. */
export interface Expectations {
  readonly algorithms: readonly Algorithm[] | undefined;
  readonly typ: string | undefined;
  readonly maxTokenLength: number;
  readonly claims: ClaimExpectations;
  readonly schema: StandardSchema<object> | undefined;
}

/** Characters a token may have when no option says otherwise. */
export const defaultTokenLength = 8192;

const defaults = { clockTolerance: 5, maxTokenLength: defaultTokenLength } as const;

const optionNames: ReadonlySet<string> = new Set<keyof VerifyOptions>([
  'keys',
  'algorithms',
  'issuer',
  'audience',
  'subject',
  'typ',
  'requiredClaims',
  'now',
  'clockTolerance',
  'maxTokenAge',
  'maxTokenLength',
  'schema',
]);

/** Validates the options of {@link verifyJwt} and fills in the defaults; the profile is that of their `typ` unless given. */
export function resolveVerifyOptions(options: VerifyConditions<Keys, object>, profile?: TokenProfile): Expectations {
  for (const name of Object.keys(options)) refuseStrangeOption(name, options);
  const { requiredClaims, clockTolerance = defaults.clockTolerance } = options;
  const { issuer, audience, subject, typ, maxTokenAge, maxTokenLength = defaults.maxTokenLength, schema } = options;
  if (schema !== undefined && !isStandardSchema(schema)) throw new TypeError('schema must be a Standard Schema');
  if (typ !== undefined) text('typ', typ);
  const { required, shapesFault } = profile ?? profileOf(typ);
  return {
    algorithms: options.algorithms === undefined ? undefined : algorithmList(options.algorithms),
    typ,
    maxTokenLength: within('maxTokenLength', maxTokenLength, 1, Number.MAX_SAFE_INTEGER),
    schema,
    claims: {
      issuers: issuer === undefined ? undefined : textList('issuer', issuer),
      audiences: audience === undefined ? undefined : textList('audience', audience),
      subject: subject === undefined ? undefined : text('subject', subject),
      required: [...new Set([...required, ...claimNames(requiredClaims)])],
      tolerance: within('clockTolerance', clockTolerance, 0, 60),
      maximumAge:
        maxTokenAge === undefined ? undefined : within('maxTokenAge', maxTokenAge, 0, Number.MAX_SAFE_INTEGER),
      shapesFault,
    },
  };
}

/** A check must not vanish because its name was mistyped or its variable was not set. */
function refuseStrangeOption(name: string, options: VerifyConditions<Keys, object>): void {
  if (!optionNames.has(name)) throw new TypeError(`There is no option ${name}`);
  if (options[name as keyof VerifyConditions] !== undefined) return;
  throw new TypeError(`The option ${name} must have a value`);
}

function claimNames(names: readonly string[] = ['exp']): readonly string[] {
  if (!Array.isArray(names)) throw new TypeError('requiredClaims must be a list of claim names');
  for (const name of names) text('requiredClaims', name);
  return names.length === 0 ? [] : ['exp', ...names];
}

function algorithmList(algorithms: readonly Algorithm[]): readonly Algorithm[] {
  if (Array.isArray(algorithms) && algorithms.length > 0 && algorithms.every(isAlgorithm)) return [...algorithms];
  throw new TypeError('algorithms must be a list of at least one of algorithmNames');
}

function textList(name: string, value: string | readonly string[]): readonly string[] {
  const values = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(values) || values.length === 0)
    throw new TypeError(`${name} must be a string or a list of strings`);
  return values.map((item: unknown) => text(name, item));
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a string that is not empty`);
  return value;
}

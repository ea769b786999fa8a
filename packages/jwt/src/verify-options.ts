import { isAlgorithm, type Algorithm } from './algorithms.ts';
import type { ClaimExpectations } from './claims.ts';
import type { Keys } from './key-ring.ts';

/** What {@link verifyJwt} holds a token against. */
export interface VerifyOptions<From extends Keys = Keys> {
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
  /** Claims that must be present. Default: `['exp']`. */
  readonly requiredClaims?: readonly string[];
  /** The moment to verify for. Default: the clock. */
  readonly now?: Date;
  /** Seconds that `nbf` and `iat` may lie in the future, 0 to 60; `exp` is exact. Default: 5. */
  readonly clockTolerance?: number;
  /** Seconds since `iat` after which the token is refused. Default: not checked. */
  readonly maxTokenAge?: number;
  /** Characters a token may have. Default: 8192. */
  readonly maxTokenLength?: number;
}

/** Options after validation, with every default in place. */
export interface ResolvedOptions {
  readonly algorithms: readonly Algorithm[] | undefined;
  readonly typ: string | undefined;
  readonly maxTokenLength: number;
  readonly claims: ClaimExpectations;
  /** Seconds since 1970; undefined: the clock. */
  readonly now: number | undefined;
}

/** Characters a token may have when no option says otherwise. */
export const defaultTokenLength = 8192;

const defaults = { requiredClaims: ['exp'], clockTolerance: 5, maxTokenLength: defaultTokenLength } as const;

/** RFC 9068, sections 2.2 and 4: what an access token must carry to be checked at all. */
const requiredByType: ReadonlyMap<string, readonly string[]> = new Map([['at+jwt', ['exp', 'iss', 'aud', 'sub']]]);

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
]);

/** Validates the options of {@link verifyJwt} and fills in the defaults. */
export function resolveVerifyOptions(options: VerifyOptions): ResolvedOptions {
  for (const name of Object.keys(options)) refuseStrangeOption(name, options);
  const { requiredClaims = defaults.requiredClaims, clockTolerance = defaults.clockTolerance } = options;
  const typ = options.typ === undefined ? undefined : text('typ', options.typ);
  return {
    algorithms: options.algorithms === undefined ? undefined : algorithmList(options.algorithms),
    typ,
    maxTokenLength: within(
      'maxTokenLength',
      options.maxTokenLength ?? defaults.maxTokenLength,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    now: options.now === undefined ? undefined : seconds(options.now),
    claims: {
      issuers: options.issuer === undefined ? undefined : textList('issuer', options.issuer),
      audiences: options.audience === undefined ? undefined : textList('audience', options.audience),
      subject: options.subject === undefined ? undefined : text('subject', options.subject),
      required: requiredClaimsFor(typ, requiredClaims),
      tolerance: within('clockTolerance', clockTolerance, 0, 60),
      maximumAge:
        options.maxTokenAge === undefined
          ? undefined
          : within('maxTokenAge', options.maxTokenAge, 0, Number.MAX_SAFE_INTEGER),
    },
  };
}

/** A check must not vanish because its name was mistyped or its variable was not set. */
function refuseStrangeOption(name: string, options: VerifyOptions): void {
  if (!optionNames.has(name)) throw new TypeError(`There is no option ${name}`);
  if (options[name as keyof VerifyOptions] !== undefined) return;
  throw new TypeError(`The option ${name} must have a value`);
}

/** Compares media types: any case, `application/` may be left out (RFC 7515, section 4.1.9). */
export function hasType(typ: string | undefined, expected: string): boolean {
  return typ !== undefined && (typ === expected || mediaType(typ) === mediaType(expected));
}

function mediaType(typ: string): string {
  const type = typ.toLowerCase();
  return type.startsWith('application/') ? type.slice('application/'.length) : type;
}

function requiredClaimsFor(typ: string | undefined, requested: readonly string[]): readonly string[] {
  if (!Array.isArray(requested)) throw new TypeError('requiredClaims must be a list of claim names');
  const profile = typ === undefined ? undefined : requiredByType.get(mediaType(typ));
  return profile === undefined ? requested : [...profile, ...requested];
}

function algorithmList(algorithms: readonly Algorithm[]): readonly Algorithm[] {
  if (Array.isArray(algorithms) && algorithms.length > 0 && algorithms.every(isAlgorithm)) return algorithms;
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

function seconds(now: Date): number {
  const time = now instanceof Date ? now.getTime() / 1000 : Number.NaN;
  if (Number.isNaN(time)) throw new TypeError('now must be a valid Date');
  return time;
}

function within(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new TypeError(`${name} must be a number from ${least} to ${most}`);
}

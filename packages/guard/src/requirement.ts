import { isScope } from '@sallyport/jwt';
import type { Access, AnyTerms, Demand, Policy, Requirement } from './access.ts';
import { isMaxStaleness, maxStalenessRule } from './replica/truth.ts';
import {
  type Circumstances,
  everyRule,
  type Finding,
  hasEveryScope,
  hasOneRole,
  hasOneScope,
  hasSignedInWithin,
  isMeantForOne,
  isOfKind,
  type Rule,
  satisfies,
  someRule,
} from './rules.ts';

/** A requirement that was checked once, when its route was declared. Pass it wherever a {@link Requirement} goes. */
export interface ResolvedRequirement<Context = unknown> extends Requirement<AnyTerms, Context> {
  readonly optional: boolean;
}

/** The names an application uses. Default: any. */
export interface Vocabulary {
  readonly scopes?: ReadonlySet<string> | undefined;
  readonly roles?: ReadonlySet<string> | undefined;
}

/** Why something cannot be met as it is written. */
class Problem {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Reader = (value: unknown, vocabulary: Vocabulary) => Rule | Problem;

/** How each member of a demand is read: into the rule it stands for, or into what is wrong with it. */
const demandReaders: Readonly<Record<keyof Demand, Reader>> = {
  scope: (value, { scopes }) => readNames('scope', value, isScopeIn(scopes), hasEveryScope),
  anyScope: (value, { scopes }) => readNames('anyScope', value, isScopeIn(scopes), hasOneScope),
  role: (value, { roles }) =>
    readNames('role', value, (name) => isName(name) && (roles?.has(name) ?? true), hasOneRole),
  audience: (value) => readNames('audience', value, isName, isMeantForOne),
  tokenKind: (value) =>
    value === 'user' || value === 'client' ? isOfKind(value) : new Problem('tokenKind must be "user" or "client"'),
  maxAge: (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0
      ? hasSignedInWithin(value)
      : new Problem('maxAge must be a number of seconds, 0 or more'),
  policy: (value) =>
    isPolicy(value) ? satisfies(value) : new Problem('policy must be a function of access and context'),
  anyOf: (value, vocabulary) => readDemands('anyOf', value, vocabulary, someRule),
  allOf: (value, vocabulary) => readDemands('allOf', value, vocabulary, everyRule),
};

const nothing: Rule = () => undefined;

/** What stands beside the demand decides nothing about the caller: it only has to be right. */
const requirementReaders: Readonly<Record<keyof Requirement, Reader>> = {
  ...demandReaders,
  optional: (value) => (typeof value === 'boolean' ? nothing : new Problem('optional must be true or false')),
  maxStaleness: (value) => (isMaxStaleness(value) ? nothing : new Problem(maxStalenessRule)),
};

const ruleOf = new WeakMap<object, Rule>();

/**
 * Checks a requirement and gives it its one resolved form; a resolved requirement comes back as it is.
 *
 * Adapters call it when a route is declared, so that a misspelt requirement stops the program instead of opening the
 * route. An empty list and an `undefined` value are refused too: they are what a missing setting looks like.
 *
 * @example
 * import { resolveRequirement } from '@sallyport/guard';
 *
 * const requirement = resolveRequirement({ scope: 'todos:read' });
 *
 * @throws {TypeError} naming everything that is wrong with the requirement at once.
 */
export function resolveRequirement<Context = unknown>(
  requirement: Requirement<AnyTerms, Context> = {},
  vocabulary: Vocabulary = {},
): ResolvedRequirement<Context> {
  if (isResolved(requirement)) return requirement;
  const rule = readMembers(requirement, requirementReaders, vocabulary);
  if (rule instanceof Problem) throw new TypeError(`This requirement cannot be met as written: ${rule.text}`);
  const resolved = { ...frozenCopy(requirement), optional: requirement.optional ?? false };
  ruleOf.set(Object.freeze(resolved), rule);
  return resolved;
}

/** What a caller lacks to meet a requirement, or `undefined` when nothing; a promise only where a policy answers so. */
export function findShortfall(access: Access, requirement: ResolvedRequirement, circumstances: Circumstances): Finding {
  const rule = ruleOf.get(requirement);
  if (rule === undefined) throw new TypeError('This requirement was not resolved');
  return rule(access, circumstances);
}

function isResolved<Context>(requirement: Requirement<AnyTerms, Context>): requirement is ResolvedRequirement<Context> {
  return ruleOf.has(requirement);
}

function readMembers(
  demand: unknown,
  readers: Readonly<Record<string, Reader>>,
  vocabulary: Vocabulary,
): Rule | Problem {
  if (typeof demand !== 'object' || demand === null || Array.isArray(demand)) {
    return new Problem('it must be an object such as { scope: "todos:read" }');
  }
  const known = Object.keys(readers);
  return combined(
    Object.entries(demand).map(([name, value]) => {
      const reader = known.includes(name) ? readers[name] : undefined;
      return reader?.(value, vocabulary) ?? new Problem(`unknown property "${name}" (known: ${known.join(', ')})`);
    }),
    everyRule,
  );
}

/** One rule of several, or everything that is wrong with them. */
function combined(read: readonly (Rule | Problem)[], combine: (rules: readonly Rule[]) => Rule): Rule | Problem {
  const problems = read.filter((each) => each instanceof Problem);
  if (problems.length > 0) return new Problem(problems.map(({ text }) => text).join('; '));
  return combine(read.filter((each) => typeof each === 'function'));
}

function readDemands(
  name: string,
  value: unknown,
  vocabulary: Vocabulary,
  combine: (rules: readonly Rule[]) => Rule,
): Rule | Problem {
  if (!Array.isArray(value) || value.length === 0) return new Problem(`${name} must be a non-empty list of demands`);
  return combined(
    value.map((demand) => readMembers(demand, demandReaders, vocabulary)),
    combine,
  );
}

const descriptions = {
  scope: 'one scope or a non-empty list of them, each without spaces, quotes and backslashes',
  anyScope: 'one scope or a non-empty list of them, each without spaces, quotes and backslashes',
  role: 'one role name or a non-empty list of them',
  audience: 'one name or a non-empty list of them',
} as const;

function readNames(
  member: keyof typeof descriptions,
  value: unknown,
  isFit: (name: string) => boolean,
  rule: (names: readonly string[]) => Rule,
): Rule | Problem {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  const fit = names.filter((name): name is string => typeof name === 'string' && isFit(name));
  if (fit.length > 0 && fit.length === names.length) return rule(fit);
  return new Problem(`${member} must be ${descriptions[member]}, and one the guard knows where it lists them`);
}

function isScopeIn(scopes: ReadonlySet<string> | undefined): (name: string) => boolean {
  return (name) => isScope(name) && (scopes?.has(name) ?? true);
}

function isName(value: string): boolean {
  return value.trim() !== '';
}

function isPolicy(value: unknown): value is Policy {
  return typeof value === 'function';
}

/** Whoever wrote the requirement may change their lists later; the route may not change with them. */
function frozenCopy<Value>(value: Value): Value {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])),
  ) as Value;
}

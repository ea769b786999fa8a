import type { Access, Policy, TokenKind } from './access.ts';
import type { RefusalCode } from './refusal.ts';
import { whenSettled } from './settled.ts';

/** What a caller lacks, and what would do. */
export interface Shortfall {
  readonly code: RefusalCode;
  readonly scope?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

/** When and where a demand is made. */
export interface Circumstances {
  /** The clock: few demands look at it. */
  readonly now: () => Date;
  /** What the framework hands its handlers. */
  readonly context: unknown;
}

/** What a rule finds lacking, or `undefined`. A promise only where a policy answered with one. */
export type Finding = Shortfall | undefined | Promise<Shortfall | undefined>;

/** One thing that must hold. */
export type Rule = (caller: Access, circumstances: Circumstances) => Finding;

const milliseconds = 1000;

export function hasEveryScope(scope: readonly string[]): Rule {
  return (caller) => (scope.every((name) => caller.hasScope(name)) ? undefined : { code: 'insufficient_scope', scope });
}

export function hasOneScope(scope: readonly string[]): Rule {
  // The challenge names scopes that would do, all of them together; the first does alone.
  const lacking: Shortfall = { code: 'insufficient_scope', scope: scope.slice(0, 1) };
  return (caller) => (scope.some((name) => caller.hasScope(name)) ? undefined : lacking);
}

export function hasOneRole(roles: readonly string[]): Rule {
  return (caller) => (roles.some((name) => caller.hasRole(name)) ? undefined : { code: 'insufficient_role' });
}

export function isOfKind(kind: TokenKind): Rule {
  return ({ tokenKind }) => (tokenKind === kind ? undefined : { code: 'token_kind_refused' });
}

export function isMeantForOne(names: readonly string[]): Rule {
  return ({ audience }) => (names.some((name) => audience.includes(name)) ? undefined : { code: 'token_invalid' });
}

export function hasSignedInWithin(maxAge: number): Rule {
  return ({ authenticatedAt }, { now }) => {
    const age = authenticatedAt && (now().getTime() - authenticatedAt.getTime()) / milliseconds;
    return age !== undefined && age <= maxAge ? undefined : { code: 'reauthentication_required', maxAge };
  };
}

export function satisfies(policy: Policy): Rule {
  return (caller, { context }) =>
    whenSettled<unknown, Shortfall | undefined>(policy(caller, context), (answer) =>
      answer === true ? undefined : { code: 'policy_refused' },
    );
}

/** All of the rules; the first that does not hold says what is lacking. */
export function everyRule([first, ...others]: readonly Rule[]): Rule {
  if (first === undefined) return () => undefined;
  if (others.length === 0) return first;
  const rest = everyRule(others);
  return (caller, circumstances) =>
    whenSettled(first(caller, circumstances), (lacking) => lacking ?? rest(caller, circumstances));
}

/** One of the rules; when none holds, the first says what is lacking. */
export function someRule([first, ...others]: readonly Rule[]): Rule {
  if (first === undefined) return () => undefined;
  if (others.length === 0) return first;
  const rest = someRule(others);
  return (caller, circumstances) =>
    whenSettled(
      first(caller, circumstances),
      (lacking) => lacking && whenSettled(rest(caller, circumstances), (still) => still && lacking),
    );
}

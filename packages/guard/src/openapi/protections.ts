import type { AnyTerms, Demand, Requirement } from '../access.ts';
import { descriptionOf } from './guard-description.ts';

/** What stands on a route, for whoever documents it. */
export interface Protection {
  /** The guard, as the key to its description. */
  readonly guard: object;
  readonly requirement: Requirement<AnyTerms, never>;
}

const protections = new WeakMap<object, Protection>();

/** Makes a note of what a guard asks somewhere, and of the scopes that were not heard of before. */
export function protectionBy(guard: object, requirement: Requirement<AnyTerms, never>): Protection {
  const asked = descriptionOf(guard)?.asked;
  for (const scope of scopesIn(requirement)) asked?.add(scope);
  return { guard, requirement };
}

function scopesIn({ scope, anyScope, anyOf = [], allOf = [] }: Demand<AnyTerms, never>): readonly string[] {
  return [scope ?? [], anyScope ?? [], ...[...anyOf, ...allOf].map(scopesIn)].flat();
}

/** Notes on a handler, a hook or a middleware what it asks. */
export function markProtected<Handler extends object>(
  handler: Handler,
  guard: object,
  requirement: Requirement<AnyTerms, never>,
): Handler {
  protections.set(handler, protectionBy(guard, requirement));
  return handler;
}

/** What these handlers ask, of those that are guards. */
export function protectionsOf(handlers: readonly unknown[]): readonly Protection[] {
  const found = handlers.map((handler) => (typeof handler === 'function' ? protections.get(handler) : undefined));
  return found.filter((protection) => protection !== undefined);
}

import { isScope } from '@sallyport/jwt';
import type { Access } from './access.ts';

/**
 * What a route asks of the caller. An empty requirement asks only for a valid access token.
 *
 * @example
 * import type { Requirement } from '@sallyport/guard';
 *
 * const requirement: Requirement = { scope: ['todos:read', 'todos:write'], role: ['editor', 'admin'] };
 */
export interface Requirement {
  /** Scopes the access token must carry, **all** of them. Default: none. */
  readonly scope?: string | readonly string[];
  /** Roles of which the caller must have **one**. Default: any or none. */
  readonly role?: string | readonly string[];
  /**
   * Lets a request without credentials pass, with `access` undefined. Default: `false`.
   * A bad token is refused all the same, and a good one must still meet `scope` and `role`.
   */
  readonly optional?: boolean;
}

/** A requirement that was checked once, when its route was declared. Pass it wherever a {@link Requirement} goes. */
export interface ResolvedRequirement extends Requirement {
  readonly scope: readonly string[];
  readonly role: readonly string[];
  readonly optional: boolean;
}

const rules: Readonly<Record<keyof Requirement, (value: unknown) => string | undefined>> = {
  scope: (value) =>
    isListOf(value, isScope)
      ? undefined
      : 'scope must be one scope or a non-empty list of them, each without spaces, quotes and backslashes',
  role: (value) =>
    isListOf(value, (role) => role.trim() !== '')
      ? undefined
      : 'role must be one role name or a non-empty list of them',
  optional: (value) => (typeof value === 'boolean' ? undefined : 'optional must be true or false'),
};

const resolved = new WeakSet<object>();

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
export function resolveRequirement(requirement: Requirement = {}): ResolvedRequirement {
  if (isResolved(requirement)) return requirement;
  if (typeof requirement !== 'object' || requirement === null || Array.isArray(requirement)) {
    throw new TypeError('A requirement must be an object such as { scope: "todos:read" }');
  }
  const problems = Object.entries(requirement).map(([name, value]) =>
    isRule(name) ? rules[name](value) : `unknown property "${name}" (known: ${Object.keys(rules).join(', ')})`,
  );
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new TypeError(`This requirement cannot be met as written: ${found.join('; ')}`);
  const { scope = [], role = [], optional = false } = requirement;
  const checked = Object.freeze({ scope: asList(scope), role: asList(role), optional });
  resolved.add(checked);
  return checked;
}

function isResolved(requirement: Requirement): requirement is ResolvedRequirement {
  return resolved.has(requirement);
}

function isRule(name: string): name is keyof Requirement {
  return Object.hasOwn(rules, name);
}

function isListOf(value: unknown, isItem: (item: string) => boolean): boolean {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.length > 0 && items.every((item) => typeof item === 'string' && isItem(item));
}

function asList(value: string | readonly string[]): readonly string[] {
  return Object.freeze(typeof value === 'string' ? [value] : [...value]);
}

/** What a caller lacks to meet a requirement, or `undefined` when nothing. */
export function findShortfall(
  access: Pick<Access, 'hasScope' | 'hasRole'>,
  requirement: ResolvedRequirement,
): 'insufficient_scope' | 'insufficient_role' | undefined {
  if (!requirement.scope.every((scope) => access.hasScope(scope))) return 'insufficient_scope';
  if (requirement.role.length > 0 && !requirement.role.some((role) => access.hasRole(role))) return 'insufficient_role';
  return undefined;
}

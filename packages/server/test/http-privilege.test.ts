import { describe, expect, it } from 'vitest';
import { readMe } from '../src/operations/me.ts';
import { holdsAll, scopesOfRoles } from '../src/privilege.ts';
import type { Route } from '../src/routes.ts';

const roles = [
  { name: 'admin', scopes: ['*'], builtIn: true },
  { name: 'user', scopes: ['todos:read'], builtIn: true },
  { name: 'editor', scopes: ['todos:read', 'todos:write'], builtIn: false },
  { name: 'auditor', scopes: ['audit:read'], builtIn: false },
];

const caller = (...scopes: string[]): { readonly scopes: ReadonlySet<string> } => ({ scopes: new Set(scopes) });

describe('S17 the rule of administration', () => {
  it.each([
    [['users:write'], ['*'], false],
    [['users:write'], ['users:write'], true],
    [['users:write'], ['users:write', 'users:read'], false],
    [['todos:*'], ['todos:read', 'todos:*'], true],
    [['todos:*'], ['*'], false],
    [['todos:read'], ['todos:*'], false],
    [['*'], ['*', 'anything'], true],
    [[], [], true],
  ])('with %j, may one reach %j? %j', (held, wanted, expected) => {
    expect(holdsAll(caller(...held), wanted)).toBe(expected);
  });

  it('adds up the scopes of roles', () => {
    expect(scopesOfRoles(['editor', 'auditor'], roles)).toEqual(['todos:read', 'todos:write', 'audit:read']);
  });

  it('leaves out the role everybody gets, and roles that do not exist', () => {
    expect(scopesOfRoles(['user', 'ghost'], roles)).toEqual([]);
  });
});

describe('the route table', () => {
  it('does not compile an open route to an operation that needs a caller, nor a route that says neither', () => {
    // @ts-expect-error: readMe needs a signed-in caller
    const open: Route = { method: 'GET', path: '/me', open: true, operation: readMe };
    // @ts-expect-error: neither `open` nor `requires`
    const silent: Route = { method: 'GET', path: '/me', operation: readMe };
    expect([open.path, silent.path]).toEqual(['/me', '/me']);
  });
});

import { describe, expect, it } from 'vitest';
import { readMe } from '../src/operations/me.ts';
import { mayDefine, mayGive } from '../src/privilege.ts';
import type { Route } from '../src/routes.ts';

const caller = (
  scopes: readonly string[],
  roles: readonly string[] = [],
): { readonly scopes: ReadonlySet<string>; readonly roles: ReadonlySet<string> } => ({
  scopes: new Set(scopes),
  roles: new Set(roles),
});

describe('S17 the rule of administration', () => {
  it.each([
    [['users:write'], ['*'], false],
    [['users:write'], ['users:write'], true],
    [['users:write'], ['users:write', 'users:read'], false],
    [['todos:*'], ['todos:read', 'todos:*'], true],
    [['todos:*'], ['*'], false],
    [['todos:read'], ['todos:*'], false],
    [['*'], ['*', 'anything'], true],
  ])('with the scopes %j, may one give a role of the scopes %j? %j', (held, scopes, expected) => {
    expect(mayGive(caller(held), { name: 'editor', scopes })).toBe(expected);
    expect(mayDefine(caller(held), { name: 'editor', scopes })).toBe(expected);
  });

  it.each([
    ['nobody who lacks it', ['users:*', 'roles:*'], ['editor'], false],
    ['whoever has it', [], ['publisher'], true],
    ['whoever may do everything', ['*'], [], true],
  ])('a role without scopes is given and defined by %s', (_, scopes, roles, expected) => {
    expect(mayGive(caller(scopes, roles), { name: 'publisher', scopes: [] })).toBe(expected);
    expect(mayDefine(caller(scopes, roles), { name: 'publisher', scopes: [] })).toBe(expected);
  });

  it('having a role by name is not enough where the token was limited to less than its scopes', () => {
    expect(mayGive(caller(['users:write'], ['admin']), { name: 'admin', scopes: ['*'] })).toBe(false);
  });

  it('the role everybody gets may be given by anybody, and defined by those who hold its scopes', () => {
    const user = { name: 'user', scopes: ['todos:read'] };
    expect([mayGive(caller([]), user), mayDefine(caller([]), user)]).toEqual([true, false]);
    expect(mayDefine(caller([]), { ...user, scopes: [] })).toBe(true);
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

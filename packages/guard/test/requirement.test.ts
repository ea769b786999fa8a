import { describe, expect, it } from 'vitest';
import { coversScope, type Requirement, resolveRequirement } from '@sallyport/guard';
import { findShortfall } from '../src/requirement.ts';

/** What JavaScript and mistaken types can hand over. */
const misspelt =
  (requirement: unknown): (() => unknown) =>
  () =>
    resolveRequirement(requirement as Requirement);

const callerWith = (scopes: string[], roles: string[] = []) => ({
  hasScope: (scope: string) => coversScope(new Set(scopes), scope),
  hasRole: (role: string) => roles.includes(role),
});

describe('resolveRequirement', () => {
  it('gives every requirement one form', () => {
    expect(resolveRequirement()).toEqual({ scope: [], role: [], optional: false });
    expect(resolveRequirement({ scope: 'a', role: 'b', optional: true })).toEqual({
      scope: ['a'],
      role: ['b'],
      optional: true,
    });
  });

  it('returns a resolved requirement as it is', () => {
    const resolved = resolveRequirement({ scope: 'a' });
    expect(resolveRequirement(resolved)).toBe(resolved);
  });

  it('does not follow later changes to what it was given', () => {
    const scope = ['a', 'b'];
    const resolved = resolveRequirement({ scope });
    scope.length = 0;
    expect(resolved.scope).toEqual(['a', 'b']);
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.scope)).toBe(true);
  });

  it.each([
    ['a misspelt property', { scopes: 'a' }],
    ['a property of every object', { constructor: 'a' }],
    ['an empty scope', { scope: '' }],
    ['an empty list of scopes', { scope: [] }],
    ['a scope with a space', { scope: 'a b' }],
    ['a scope with a quote', { scope: 'a"b' }],
    ['a scope with a backslash', { scope: 'a\\b' }],
    ['a scope with a line break', { scope: 'a\r\nset-cookie: b' }],
    ['a scope outside ASCII', { scope: 'é' }],
    ['a scope that is missing', { scope: undefined }],
    ['a scope that is not text', { scope: [1] }],
    ['an empty role', { role: '' }],
    ['an empty list of roles', { role: [] }],
    ['a role that is missing', { role: undefined }],
    ['a role that is not text', { role: { name: 'admin' } }],
    ['optional as text', { optional: 'false' }],
    ['text', 'admin'],
    ['a list', ['admin']],
    ['null', null],
  ])('refuses %s', (_, requirement) => {
    expect(misspelt(requirement)).toThrow(TypeError);
  });

  it('names everything that is wrong at once', () => {
    expect(misspelt({ scopes: 'a', role: '', optional: 1 })).toThrow(/"scopes".*role must.*optional must/);
  });
});

describe('B12 findShortfall', () => {
  const wants = (requirement: Requirement) => resolveRequirement(requirement);

  it('grants when nothing is asked', () => {
    expect(findShortfall(callerWith([]), wants({}))).toBeUndefined();
  });

  it('asks for every scope', () => {
    const both = wants({ scope: ['todos:read', 'todos:write'] });
    expect(findShortfall(callerWith(['todos:read']), both)).toBe('insufficient_scope');
    expect(findShortfall(callerWith(['todos:read', 'todos:write']), both)).toBeUndefined();
  });

  it('asks for one of the roles', () => {
    const either = wants({ role: ['editor', 'admin'] });
    expect(findShortfall(callerWith([], ['user']), either)).toBe('insufficient_role');
    expect(findShortfall(callerWith([], ['admin', 'user']), either)).toBeUndefined();
  });

  it('asks for scope and role together', () => {
    const both = wants({ scope: 'a', role: 'admin' });
    expect(findShortfall(callerWith([], ['admin']), both)).toBe('insufficient_scope');
    expect(findShortfall(callerWith(['a']), both)).toBe('insufficient_role');
    expect(findShortfall(callerWith(['a'], ['admin']), both)).toBeUndefined();
  });

  it.each(['adminx', 'admin-read', 'admin,user', 'ADMIN', 'dmin', 'admin '])('does not take %j for admin', (name) => {
    expect(findShortfall(callerWith([name]), wants({ scope: 'admin' }))).toBe('insufficient_scope');
    expect(findShortfall(callerWith([], [name]), wants({ role: 'admin' }))).toBe('insufficient_role');
  });

  it('reads wildcards in granted scopes only', () => {
    expect(findShortfall(callerWith(['todos:*']), wants({ scope: 'todos:read' }))).toBeUndefined();
    expect(findShortfall(callerWith(['*']), wants({ scope: 'todos:read' }))).toBeUndefined();
    expect(findShortfall(callerWith(['todos:read']), wants({ scope: 'todos:*' }))).toBe('insufficient_scope');
    expect(findShortfall(callerWith(['todos:*']), wants({ scope: 'todosx:read' }))).toBe('insufficient_scope');
    expect(findShortfall(callerWith(['todos*']), wants({ scope: 'todos:read' }))).toBe('insufficient_scope');
  });
});

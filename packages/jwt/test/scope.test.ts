import { describe, expect, it } from 'vitest';
import { commonScopes, coversScope, isScope, parseScope } from '../src/index.ts';

describe('scopes', () => {
  it('are read as a set of names separated by spaces', () => {
    expect([...parseScope('todos:read  todos:write todos:read ')]).toEqual(['todos:read', 'todos:write']);
    expect(parseScope(undefined).size).toBe(0);
  });

  it.each(['todos:read', '*', '!', '~'])('may be %j', (scope) => expect(isScope(scope)).toBe(true));

  it.each(['', 'a b', 'a"', 'a\\', 'é', 'a\n', '\u007f'])('may not be %j', (scope) =>
    expect(isScope(scope)).toBe(false),
  );

  it.each([
    ['todos:read', 'todos:read'],
    ['*', 'todos:read'],
    ['todos:*', 'todos:read'],
    ['todos:*', 'todos:lists:read'],
    ['todos:lists:*', 'todos:lists:read'],
  ])('B12 %s covers %s', (granted, wanted) => expect(coversScope(new Set([granted]), wanted)).toBe(true));

  it.each([
    ['todos:read', 'todos:write'],
    ['todos:read', 'todos:*'],
    ['todos', 'todos:read'],
    ['todos:read', 'TODOS:READ'],
    ['todos:*', 'todosx:read'],
    ['todos*', 'todos:read'],
    ['todos:*', 'todos'],
    ['admin', 'adminx'],
    [':*', ':read'],
  ])('B12 %s does not cover %s', (granted, wanted) => expect(coversScope(new Set([granted]), wanted)).toBe(false));

  it('are shared by two sets at their narrower', () => {
    const [wide, narrow] = [new Set(['todos:*', 'x']), new Set(['todos:read', 'users:read', 'x'])];
    expect([...commonScopes(wide, narrow)].toSorted()).toEqual(['todos:read', 'x']);
    expect([...commonScopes(narrow, wide)].toSorted()).toEqual(['todos:read', 'x']);
  });
});

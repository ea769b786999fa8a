import { describe, expect, it } from 'vitest';
import type { AccessTokenClaims } from '@sallyport/jwt';
import { liveRights, statedRights } from '../src/rights.ts';

const claimsWith = (claims: Partial<AccessTokenClaims>): AccessTokenClaims => ({
  iss: 'i',
  sub: 's',
  aud: 'a',
  exp: 1,
  ...claims,
});

const definitions: ReadonlyMap<string, readonly string[]> = new Map([
  ['admin', ['*']],
  ['editor', ['todos:*', 'notes:read']],
  ['user', ['todos:read']],
]);
const scopesOf = (role: string) => definitions.get(role);

describe('statedRights', () => {
  it('splits the scope at spaces and nothing else', () => {
    expect([...statedRights(claimsWith({ scope: ' a  b,c d\te ' })).scopes]).toEqual(['a', 'b,c', 'd\te']);
  });

  it('grants nothing to a token that states nothing', () => {
    expect(statedRights(claimsWith({}))).toEqual({ roles: new Set(), scopes: new Set() });
  });
});

describe('liveRights', () => {
  const rights = (claims: Partial<AccessTokenClaims>, currentRoles?: readonly string[]) => {
    const { roles, scopes } = liveRights(claimsWith(claims), { currentRoles, scopesOf });
    return { roles: [...roles], scopes: [...scopes].toSorted() };
  };

  it('adds up what the roles of the token grant now, not what the token says', () => {
    expect(rights({ roles: ['editor', 'user'], scope: 'users:write' })).toEqual({
      roles: ['editor', 'user'],
      scopes: ['notes:read', 'todos:*', 'todos:read'],
    });
  });

  it('prefers the roles given since', () => {
    expect(rights({ roles: ['admin'] }, ['user'])).toEqual({ roles: ['user'], scopes: ['todos:read'] });
    expect(rights({ roles: ['admin'] }, [])).toEqual({ roles: [], scopes: [] });
  });

  it('grants nothing for a role nobody defined', () => {
    expect(rights({ roles: ['ghost', '__proto__', 'user'] })).toEqual({ roles: ['user'], scopes: ['todos:read'] });
  });

  it('keeps a limited token within its own scope, wildcards on either side', () => {
    expect(rights({ roles: ['user'], scope: 'todos:*', limited: true }).scopes).toEqual(['todos:read']);
    expect(rights({ roles: ['editor'], scope: 'todos:read', limited: true }).scopes).toEqual(['todos:read']);
    expect(rights({ roles: ['admin'], scope: 'todos:read', limited: true }).scopes).toEqual(['todos:read']);
    expect(rights({ roles: ['editor'], scope: '*', limited: true }).scopes).toEqual(['notes:read', 'todos:*']);
    expect(rights({ roles: ['editor'], scope: 'users:read', limited: true }).scopes).toEqual([]);
    expect(rights({ roles: ['admin'], limited: true }).scopes).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { StatedTruth } from '../../src/replica/stated-truth.ts';
import type { Rights } from '../../src/rights.ts';
import { audience, inSeconds, issuer } from '../tokens.ts';

function rightsOf(truth: StatedTruth, stated: { readonly scope?: string; readonly roles?: readonly string[] }): Rights {
  const claims = { iss: issuer, sub: 'user-1', aud: audience, exp: inSeconds(600), ...stated };
  const judgement = truth.judge({ header: { alg: 'ES256' }, claims }, '', undefined);
  if (typeof judgement === 'string' || judgement instanceof Error) throw new Error('Nothing is known against it');
  return judgement;
}

describe('what a token states', () => {
  it('comes to the same rights each time, and never to those of another token', () => {
    const truth = new StatedTruth();
    const tokens = [
      {},
      { scope: '' },
      { scope: 'a' },
      { scope: 'a b' },
      { scope: 'a', roles: ['b'] },
      { roles: ['a'] },
      { roles: ['a', 'b'] },
      { roles: ['b', 'a'] },
      { scope: 'b a' },
    ];
    for (let round = 0; round < 3; round += 1) {
      for (const { scope = '', roles = [] } of tokens) {
        const rights = rightsOf(truth, { scope, roles });
        expect([...rights.scopes]).toEqual(scope.split(' ').filter((name) => name !== ''));
        expect([...rights.roles]).toEqual(roles);
      }
    }
  });

  it('is shared between requests, and refuses to be changed by one of them', () => {
    const truth = new StatedTruth();
    const { scopes, roles } = rightsOf(truth, { scope: 'todos:read', roles: ['user'] });
    for (const set of [scopes, roles] as Set<string>[]) expect(() => set.add('admin')).toThrow(TypeError);
    expect([...rightsOf(truth, { scope: 'todos:read', roles: ['user'] }).roles]).toEqual(['user']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Change, changeKinds } from '@sallyport/guard';
import type { AccessTokenClaims } from '@sallyport/jwt';
import type { ChangeIndex } from '../../src/replica/change-index.ts';
import { ChangeTable } from '../../src/replica/change-table.ts';
import { type AccessToken, Knowledge } from '../../src/replica/knowledge.ts';
import { PackedChanges } from '../../src/replica/packed-changes.ts';

const noon = 1_800_000_000;
const hashKeys = ['00112233445566ff', '8877665544332211'] as const;

const aToken = (claims: Partial<AccessTokenClaims>, kid = 'key-1'): AccessToken => ({
  header: { alg: 'ES256', kid },
  claims: { iss: 'i', sub: 'user-1', aud: 'a', exp: noon + 900, iat: noon, af: 0, ...claims },
});

const aChange = (change: Pick<Change, 'kind'> & Partial<Change>): Change => ({
  sequence: 1,
  key: '',
  expiresAt: undefined,
  critical: true,
  ...change,
});

/** Sweeps whatever sweeps in parts to the end. */
function sweepAll(knowledge: Knowledge, before: number): void {
  for (let turn = 0; turn < 60; turn += 1) knowledge.sweep(before);
}

/** Everything a guard asks about a token. */
function verdictOn(knowledge: Knowledge, token: AccessToken): unknown {
  const { roles, scopes } = knowledge.rightsOf(token.claims);
  return {
    revocation: knowledge.findRevocation(token),
    roles: [...roles],
    scopes: [...scopes],
    unsupported: knowledge.unsupported,
  };
}

describe('an index of packed changes and a table of them', () => {
  const name = fc.constantFrom('a', 'b', 'ü', 'a-longer-name-than-most-of-them', '');
  const roles = fc.array(fc.constantFrom('admin', 'user', 'ghost'), { maxLength: 3 });
  const change = fc.oneof(
    fc.record({
      kind: fc.constantFrom(1, 2, 3, 4, 6, 9),
      key: name,
      expiresAt: fc.option(fc.nat(9), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant(5), expiresAt: fc.option(fc.nat(9), { nil: undefined }) }),
    fc.record({
      kind: fc.constant(7),
      key: fc.constantFrom('admin', 'user'),
      data: fc.option(fc.record({ scopes: fc.array(fc.constantFrom('todos:read', 'todos:*', '*')) })),
    }),
    fc.record({ kind: fc.constant(8), key: name, data: fc.record({ roles }), expiresAt: fc.nat(9) }),
    fc.record({ kind: fc.constant(77), critical: fc.boolean(), expiresAt: fc.nat(9) }),
  );
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ change }) },
    { weight: 2, arbitrary: fc.record({ sweep: fc.nat(10) }) },
    { weight: 1, arbitrary: fc.record({ restoredTo: fc.nat(20), hashKey: fc.constantFrom(...hashKeys) }) },
    { weight: 1, arbitrary: fc.record({ lostFrom: fc.nat(30) }) },
  );
  const claims = fc.record({
    sid: name,
    sub: name,
    o: name,
    client_id: name,
    jti: name,
    roles,
    scope: fc.constantFrom('', 'todos:read', '*'),
    limited: fc.boolean(),
    af: fc.nat(40),
    iat: fc.integer({ min: noon, max: noon + 30 }),
  });

  it('come to the same verdicts over any history', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(claims, { maxLength: 10 }), (steps, tokens) => {
        const open: readonly ((hashKey: string) => ChangeIndex)[] = [
          () => new ChangeTable(),
          (hashKey) => new PackedChanges(hashKey),
        ];
        const byIndex = open.map((create) => {
          const knowledge = new Knowledge(create(hashKeys[0]), 0);
          const seen = tokens.map((token) => aToken(token, token.sub));
          const verdicts: unknown[][] = [];
          let now = noon;
          for (const each of steps) {
            now += 1;
            if ('change' in each) {
              const sequence = knowledge.head + 1;
              knowledge.apply(aChange({ ...each.change, sequence }));
              knowledge.advance(sequence);
            } else if ('sweep' in each) sweepAll(knowledge, each.sweep);
            else if ('lostFrom' in each) knowledge.loseFrom(each.lostFrom, now);
            else knowledge.startOver(create(each.hashKey), each.restoredTo, now);
            // The same objects over and over, as a verifier that remembers tokens hands them out.
            verdicts.push(seen.map((token) => verdictOn(knowledge, token)));
          }
          return [...verdicts, tokens.map((token) => verdictOn(knowledge, aToken(token, token.sub)))];
        });
        expect(byIndex[1]).toEqual(byIndex[0]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a token that nothing has ended when it was looked at', () => {
  const token = aToken({ sid: 'session-1', af: 6 });
  const dead = (key: string, sequence: number): Change => aChange({ kind: changeKinds.sessionDead, key, sequence });

  it('is looked at again for what came since', () => {
    const index = new PackedChanges(hashKeys[0]);
    index.apply(dead('another', 7));
    expect(index.ends(token.claims, 6)).toBe(false);
    index.apply(dead('session-1', 8));
    expect(index.ends(token.claims, 6)).toBe(true);
    expect(index.ends(token.claims, 6)).toBe(true);
  });

  it('is looked at anew when an older change is heard of late', () => {
    const [index, older] = [new PackedChanges(hashKeys[0]), new PackedChanges(hashKeys[0])];
    index.apply(dead('another', 9));
    expect(index.ends(token.claims, 6)).toBe(false);
    older.apply(dead('session-1', 8));
    index.absorb(older);
    expect(index.ends(token.claims, 6)).toBe(true);
    const late = new PackedChanges(hashKeys[0]);
    late.apply(dead('another', 9));
    expect(late.ends(token.claims, 6)).toBe(false);
    late.apply(dead('session-1', 8));
    expect(late.ends(token.claims, 6)).toBe(true);
  });

  it('is looked at anew when its place turns out to be an earlier one', () => {
    const knowledge = new Knowledge(new PackedChanges(hashKeys[0]), 0);
    knowledge.apply(dead('session-1', 5));
    knowledge.apply(dead('another', 8));
    knowledge.advance(8);
    expect(knowledge.findRevocation(token)).toBeUndefined();
    expect(knowledge.findRevocation(token)).toBeUndefined();
    knowledge.loseFrom(6, noon);
    expect(knowledge.findRevocation(token)).toBe('token_revoked');
  });
});

describe('a token from beyond what is known', () => {
  it('is taken at its word, until the log is known not to have come so far', () => {
    const knowledge = new Knowledge(new PackedChanges(hashKeys[0]), 0);
    knowledge.apply(aChange({ kind: changeKinds.userFloor, key: 'user-1', sequence: 1 }));
    knowledge.advance(1);
    const token = aToken({ af: 5 });
    expect(knowledge.isAheadOf(token.claims)).toBe(true);
    expect(knowledge.findRevocation(token)).toBeUndefined();
    knowledge.loseFrom(5, noon);
    expect(knowledge.isAheadOf(token.claims)).toBe(false);
    expect(knowledge.findRevocation(token)).toBe('token_revoked');
    expect(knowledge.findRevocation(aToken({ af: 4 }))).toBeUndefined();
  });

  it('is taken at its word again when it was made after that, once the log has come so far', () => {
    const knowledge = new Knowledge(new PackedChanges(hashKeys[0]), 0);
    knowledge.apply(aChange({ kind: changeKinds.userFloor, key: 'user-1', sequence: 1 }));
    knowledge.loseFrom(5, noon);
    knowledge.advance(8);
    expect(knowledge.findRevocation(aToken({ af: 6 }))).toBe('token_revoked');
    expect(knowledge.findRevocation(aToken({ af: 6, iat: noon + 1 }))).toBeUndefined();
  });

  it('stays hit by the changes of a restored log when that has grown past its place', () => {
    const knowledge = new Knowledge(new PackedChanges(hashKeys[0]), 200);
    knowledge.startOver(new PackedChanges(hashKeys[0]), 100, noon);
    knowledge.apply(aChange({ kind: changeKinds.userFloor, key: 'user-1', sequence: 101 }));
    knowledge.advance(101);
    const [lost, later] = [aToken({ af: 150 }), aToken({ af: 150, iat: noon + 60 })];
    expect(knowledge.findRevocation(lost)).toBe('token_revoked');
    knowledge.advance(300);
    expect(knowledge.findRevocation(lost)).toBe('token_revoked');
    expect(knowledge.findRevocation(later)).toBeUndefined();
  });
});

describe('rights that are worked out once', () => {
  const knowledge = new Knowledge(new PackedChanges(hashKeys[0]), 0);
  const define = (role: string, scopes: readonly string[], sequence: number): void =>
    knowledge.apply(aChange({ kind: changeKinds.roleDefinition, key: role, data: { scopes }, sequence }));
  define('user', ['todos:read'], 1);
  define('admin', ['*'], 2);

  it('are the same object for the same roles, and cannot be changed by a caller', () => {
    const rights = knowledge.rightsOf(aToken({ roles: ['user'] }).claims);
    expect(knowledge.rightsOf(aToken({ roles: ['user'] }).claims)).toBe(rights);
    const scopes = rights.scopes as Set<string>;
    expect(() => scopes.add('*')).toThrow(TypeError);
    expect(() => scopes.clear()).toThrow(TypeError);
    expect([...rights.scopes]).toEqual(['todos:read']);
  });

  it('do not mix up lists, whatever their names', () => {
    const lists = [['user', 'admin'], ['admin', 'user'], ['user'], ['user admin'], ['useradmin'], [], ['__proto__']];
    const rolesOf = (roles: readonly string[]): readonly string[] => [
      ...knowledge.rightsOf(aToken({ roles }).claims).roles,
    ];
    const expected = [['user', 'admin'], ['admin', 'user'], ['user'], [], [], [], []];
    expect(lists.map(rolesOf)).toEqual(expected);
    expect(lists.map(rolesOf)).toEqual(expected);
  });

  it('are those of the token alone where it was issued for less', () => {
    const limited = { roles: ['admin'], scope: 'todos:read', limited: true };
    expect([...knowledge.rightsOf(aToken(limited).claims).scopes]).toEqual(['todos:read']);
    expect([...knowledge.rightsOf(aToken({ roles: ['admin'] }).claims).scopes]).toEqual(['*']);
  });

  it('follow the definition of a role', () => {
    define('user', ['todos:write'], 3);
    expect([...knowledge.rightsOf(aToken({ roles: ['user'] }).claims).scopes]).toEqual(['todos:write']);
  });
});

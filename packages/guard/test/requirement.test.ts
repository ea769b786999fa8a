import { describe, expect, it } from 'vitest';
import { AccessRefusedError, type Requirement, resolveRequirement } from '@sallyport/guard';
import { findShortfall } from '../src/requirement.ts';
import { aCaller } from './callers.ts';

/** What JavaScript and mistaken types can hand over. */
const misspelt =
  (requirement: unknown): (() => unknown) =>
  () =>
    resolveRequirement(requirement as Requirement);

const now = new Date('2026-01-01T12:00:00Z');
const secondsBefore = (seconds: number): number => now.getTime() / 1000 - seconds;

const callerWith = (scopes: readonly string[], roles: readonly string[] = []) =>
  aCaller({ scope: scopes.join(' '), roles });

/** What a caller lacks, by its code. */
async function shortfall(requirement: Requirement, caller = aCaller(), context?: unknown): Promise<string | undefined> {
  return (await findShortfall(caller, resolveRequirement(requirement), { now: () => now, context }))?.code;
}

describe('resolveRequirement', () => {
  it('says what it was asked and whether that is optional', () => {
    expect(resolveRequirement()).toEqual({ optional: false });
    expect(resolveRequirement({ scope: 'a', role: ['b'], optional: true })).toEqual({
      scope: 'a',
      role: ['b'],
      optional: true,
    });
  });

  it('returns a resolved requirement as it is', () => {
    const resolved = resolveRequirement({ scope: 'a' });
    expect(resolveRequirement(resolved)).toBe(resolved);
  });

  it('does not follow later changes to what it was given', async () => {
    const scope = ['a', 'b'];
    const nested = { role: ['editor'] };
    const resolved = resolveRequirement({ scope, anyOf: [nested] });
    scope.length = 0;
    nested.role.push('user');
    expect(resolved).toEqual({ scope: ['a', 'b'], anyOf: [{ role: ['editor'] }], optional: false });
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.scope)).toBe(true);
    expect(await shortfall(resolved, callerWith(['a', 'b'], ['user']))).toBe('insufficient_role');
  });

  it.each([
    ['a misspelt property', { scopes: 'a' }],
    ['a property of every object', { constructor: 'a' }],
    ['a property that reaches for the prototype', JSON.parse('{"__proto__":{"optional":true}}')],
    ['an empty scope', { scope: '' }],
    ['an empty list of scopes', { scope: [] }],
    ['a scope with a space', { scope: 'a b' }],
    ['a scope with a quote', { scope: 'a"b' }],
    ['a scope with a backslash', { scope: 'a\\b' }],
    ['a scope with a line break', { scope: 'a\r\nset-cookie: b' }],
    ['a scope outside ASCII', { scope: 'é' }],
    ['a scope that is missing', { scope: undefined }],
    ['a scope that is not text', { scope: [1] }],
    ['a list with one scope that is not text', { scope: ['a', undefined] }],
    ['an empty choice of scopes', { anyScope: [] }],
    ['an empty role', { role: '' }],
    ['an empty list of roles', { role: [] }],
    ['a role that is missing', { role: undefined }],
    ['a role that is not text', { role: { name: 'admin' } }],
    ['an empty audience', { audience: '' }],
    ['a token kind nobody knows', { tokenKind: 'robot' }],
    ['a negative age', { maxAge: -1 }],
    ['an age that is text', { maxAge: '300' }],
    ['an age that is not a number', { maxAge: Number.NaN }],
    ['an endless age', { maxAge: Infinity }],
    ['a policy that is decided already', { policy: true }],
    ['a choice of nothing', { anyOf: [] }],
    ['a choice that is no list', { anyOf: { role: 'admin' } }],
    ['a misspelt property in a choice', { anyOf: [{ roles: 'admin' }] }],
    ['a text in a choice', { anyOf: ['admin'] }],
    ['a conjunction of nothing', { allOf: [] }],
    ['a way out inside a demand', { allOf: [{ optional: true }] }],
    ['optional as text', { optional: 'false' }],
    ['text', 'admin'],
    ['a list', ['admin']],
    ['null', null],
  ])('refuses %s', (_, requirement) => {
    expect(misspelt(requirement)).toThrow(TypeError);
  });

  it('names everything that is wrong at once, at any depth', () => {
    expect(misspelt({ scopes: 'a', role: '', anyOf: [{ maxAge: -1 }, {}], optional: 1 })).toThrow(
      /"scopes".*role must.*maxAge must.*optional must/,
    );
  });

  it('knows the words of the application', () => {
    const vocabulary = { scopes: new Set(['todos:read']), roles: new Set(['admin']) };
    const resolve = (requirement: Requirement) => () => resolveRequirement(requirement, vocabulary);
    expect(resolve({ scope: 'todos:read', role: 'admin' })).not.toThrow();
    expect(resolve({ scope: 'todos:raed' })).toThrow(/scope must be/);
    expect(resolve({ anyOf: [{ role: 'admn' }] })).toThrow(/role must be/);
  });
});

describe('B12 scopes and roles', () => {
  it('asks for nothing but a token when nothing is named', async () => {
    expect(await shortfall({}, callerWith([]))).toBeUndefined();
  });

  it('asks for every scope', async () => {
    const both = { scope: ['todos:read', 'todos:write'] };
    expect(await shortfall(both, callerWith(['todos:read']))).toBe('insufficient_scope');
    expect(await shortfall(both, callerWith(['todos:read', 'todos:write']))).toBeUndefined();
  });

  it('asks for one of the scopes', async () => {
    const either = { anyScope: ['todos:read', 'todos:write'] };
    expect(await shortfall(either, callerWith(['todos:write']))).toBeUndefined();
    expect(await shortfall(either, callerWith(['todos:*']))).toBeUndefined();
    expect(await shortfall(either, callerWith(['notes:read']))).toBe('insufficient_scope');
  });

  it('names in the challenge what would do', async () => {
    const lacking = (requirement: Requirement) =>
      findShortfall(aCaller(), resolveRequirement(requirement), { now: () => now, context: undefined });
    expect(await lacking({ scope: ['a', 'b'] })).toEqual({ code: 'insufficient_scope', scope: ['a', 'b'] });
    expect(await lacking({ anyScope: ['a', 'b'] })).toEqual({ code: 'insufficient_scope', scope: ['a'] });
  });

  it('asks for one of the roles', async () => {
    const either = { role: ['editor', 'admin'] };
    expect(await shortfall(either, callerWith([], ['user']))).toBe('insufficient_role');
    expect(await shortfall(either, callerWith([], ['admin', 'user']))).toBeUndefined();
  });

  it('asks for scope and role together', async () => {
    const both = { scope: 'a', role: 'admin' };
    expect(await shortfall(both, callerWith([], ['admin']))).toBe('insufficient_scope');
    expect(await shortfall(both, callerWith(['a']))).toBe('insufficient_role');
    expect(await shortfall(both, callerWith(['a'], ['admin']))).toBeUndefined();
  });

  it.each(['adminx', 'admin-read', 'admin,user', 'ADMIN', 'dmin', 'admin\t'])(
    'does not take %j for admin',
    async (name) => {
      expect(await shortfall({ scope: 'admin' }, callerWith([name]))).toBe('insufficient_scope');
      expect(await shortfall({ role: 'admin' }, callerWith([], [name]))).toBe('insufficient_role');
    },
  );

  it('reads wildcards in granted scopes only', async () => {
    expect(await shortfall({ scope: 'todos:read' }, callerWith(['todos:*']))).toBeUndefined();
    expect(await shortfall({ scope: 'todos:read' }, callerWith(['*']))).toBeUndefined();
    expect(await shortfall({ scope: 'todos:*' }, callerWith(['todos:read']))).toBe('insufficient_scope');
    expect(await shortfall({ scope: 'todosx:read' }, callerWith(['todos:*']))).toBe('insufficient_scope');
    expect(await shortfall({ scope: 'todos:read' }, callerWith(['todos*']))).toBe('insufficient_scope');
  });
});

describe('who is behind the token and whom it is for', () => {
  it('tells users from clients that act for themselves', async () => {
    const [user, client] = [aCaller({ client_id: 'web' }), aCaller({ sub: 'backup', client_id: 'backup' })];
    expect([user.tokenKind, client.tokenKind]).toEqual(['user', 'client']);
    expect(await shortfall({ tokenKind: 'user' }, user)).toBeUndefined();
    expect(await shortfall({ tokenKind: 'user' }, client)).toBe('token_kind_refused');
    expect(await shortfall({ tokenKind: 'client' }, user)).toBe('token_kind_refused');
  });

  it('asks for one of the audiences, exactly', async () => {
    const caller = aCaller({ aud: ['https://api.example.test', 'https://pay.example.test'] });
    expect(await shortfall({ audience: ['https://pay.example.test', 'other'] }, caller)).toBeUndefined();
    expect(await shortfall({ audience: 'https://pay.example.test/' }, caller)).toBe('token_invalid');
    expect(await shortfall({ audience: 'https://pay.example' }, aCaller({ aud: 'https://pay.example.test' }))).toBe(
      'token_invalid',
    );
  });
});

describe('a fresh sign-in', () => {
  it.each([
    [299, undefined],
    [300, undefined],
    [301, 'reauthentication_required'],
    [86_400, 'reauthentication_required'],
    [-5, undefined],
  ])('%d seconds ago, where 300 are allowed', async (seconds, code) => {
    expect(await shortfall({ maxAge: 300 }, aCaller({ auth_time: secondsBefore(seconds) }))).toBe(code);
  });

  it('is not what a token proves that does not say when it was', async () => {
    expect(await shortfall({ maxAge: 300 }, aCaller({ iat: secondsBefore(1) }))).toBe('reauthentication_required');
  });
});

describe('a policy', () => {
  it('decides by the access and by what the framework hands over', async () => {
    const own: Requirement = { policy: (access, context) => context === access.subject };
    expect(await shortfall(own, aCaller({ sub: 'ada' }), 'ada')).toBeUndefined();
    expect(await shortfall(own, aCaller({ sub: 'ada' }), 'eve')).toBe('policy_refused');
  });

  it('may take its time', async () => {
    expect(await shortfall({ policy: async () => true })).toBeUndefined();
    expect(await shortfall({ policy: async () => false })).toBe('policy_refused');
  });

  it.each([[undefined], [1], ['true'], [{}], [[]], [null]])('grants for true alone, not for %j', async (answer) => {
    expect(await shortfall({ policy: () => answer as unknown as boolean })).toBe('policy_refused');
    expect(await shortfall({ policy: async () => answer as unknown as boolean })).toBe('policy_refused');
  });

  it('that breaks neither grants nor refuses', async () => {
    const breaks = (): boolean => {
      throw new Error('the database does not answer');
    };
    await expect(shortfall({ policy: breaks })).rejects.toThrow('the database does not answer');
    await expect(shortfall({ policy: async () => breaks() })).rejects.toThrow('the database does not answer');
    await expect(shortfall({ anyOf: [{ policy: breaks }, {}] })).rejects.toThrow('the database does not answer');
  });

  it('is not asked where something else is lacking', async () => {
    const asked: string[] = [];
    const policy = (): boolean => asked.push('policy') > 0;
    expect(await shortfall({ scope: 'a', policy })).toBe('insufficient_scope');
    expect(asked).toEqual([]);
  });
});

describe('composition', () => {
  const yes: Requirement = { policy: () => true };
  const no: Requirement = { role: 'admin' };
  const later = (answer: boolean): Requirement => ({ policy: async () => answer });

  it('is met by one of any', async () => {
    expect(await shortfall({ anyOf: [no, yes] })).toBeUndefined();
    expect(await shortfall({ anyOf: [later(false), yes] })).toBeUndefined();
    expect(await shortfall({ anyOf: [no, later(true)] })).toBeUndefined();
    expect(await shortfall({ anyOf: [no, later(false)] })).toBe('insufficient_role');
    expect(await shortfall({ anyOf: [later(false), no] })).toBe('policy_refused');
    expect(await shortfall({ anyOf: [no] })).toBe('insufficient_role');
  });

  it('is met by all of all', async () => {
    expect(await shortfall({ allOf: [yes, later(true), {}] })).toBeUndefined();
    expect(await shortfall({ allOf: [yes, no] })).toBe('insufficient_role');
    expect(await shortfall({ allOf: [later(true), later(false), no] })).toBe('policy_refused');
    expect(await shortfall({ allOf: [{ role: 'a' }, { role: 'b' }] }, callerWith([], ['a']))).toBe('insufficient_role');
  });

  it('nests, and stands beside other demands', async () => {
    const editorOrOwner: Requirement = {
      scope: 'todos:write',
      anyOf: [{ role: 'editor' }, { allOf: [{ tokenKind: 'user' }, { policy: (_, context) => context === 'own' }] }],
    };
    expect(await shortfall(editorOrOwner, callerWith(['todos:write'], ['editor']), 'other')).toBeUndefined();
    expect(await shortfall(editorOrOwner, callerWith(['todos:write']), 'own')).toBeUndefined();
    expect(await shortfall(editorOrOwner, callerWith(['todos:write']), 'other')).toBe('insufficient_role');
    expect(await shortfall(editorOrOwner, callerWith([], ['editor']), 'own')).toBe('insufficient_scope');
  });

  it('stays synchronous where no policy takes its time', () => {
    const requirement = resolveRequirement({ anyOf: [no, { allOf: [yes, { scope: 'a' }] }] });
    expect(findShortfall(aCaller(), requirement, { now: () => now, context: undefined })).toEqual({
      code: 'insufficient_role',
    });
  });
});

describe('inside a handler', () => {
  it('a demand goes on or throws what every framework answers', async () => {
    const caller = aCaller({ scope: 'todos:read' });
    expect(() => caller.demand({ scope: 'todos:read' })).not.toThrow();
    const refused = expect.objectContaining({
      name: 'AccessRefusedError',
      status: 403,
      statusCode: 403,
      expose: true,
      headers: expect.objectContaining({
        'www-authenticate': expect.stringContaining('scope="todos:write"') as string,
      }),
    });
    expect(() => caller.demand({ scope: 'todos:write' })).toThrow(refused as Error);
    const error = new AccessRefusedError(catchRefusal(() => caller.demand({ role: 'admin' })).refusal);
    const response = error.getResponse();
    expect([response.status, response.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
    expect(await response.json()).toMatchObject({ code: 'insufficient_role' });
  });

  it('a question answers yes or no', () => {
    const caller = aCaller({ auth_time: secondsBefore(10) }, { now: () => now });
    expect([caller.meets({ maxAge: 60 }), caller.meets({ maxAge: 5 }), caller.meets({ role: 'admin' })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('a policy that would answer later, after the handler has gone on, throws', () => {
    const later = { policy: async () => Promise.reject(new Error('late')) };
    expect(() => aCaller().demand(later)).toThrow(TypeError);
    expect(() => aCaller().meets(later)).toThrow(TypeError);
  });

  it('a misspelt demand throws', () => {
    const misspeltDemand: object = { scopes: 'a' };
    expect(() => aCaller().meets(misspeltDemand)).toThrow(TypeError);
    expect(() => aCaller({}, { vocabulary: { roles: new Set(['user']) } }).meets({ role: 'admin' })).toThrow(TypeError);
  });
});

function catchRefusal(act: () => void): AccessRefusedError {
  try {
    act();
  } catch (error) {
    if (error instanceof AccessRefusedError) return error;
  }
  throw new Error('nothing was refused');
}

import { describe, expect, it } from 'vitest';
import type { Requirement } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { openApiComponents, openApiOperation } from '@sallyport/guard/openapi';
import { aDescribedGuard } from './guards.ts';

const operationFor = (requirement: Requirement) => openApiOperation(expressGuard(aDescribedGuard())(requirement));

describe('the ways to call a route', () => {
  it.each<[string, Requirement, readonly object[]]>([
    ['anybody who is signed in', {}, [{ signIn: [] }, { accessToken: [] }]],
    ['all of some scopes', { scope: ['a', 'b'] }, [{ signIn: ['a', 'b'] }, { accessToken: [] }]],
    ['one of some scopes', { anyScope: ['a', 'b'] }, [{ signIn: ['a'] }, { signIn: ['b'] }, { accessToken: [] }]],
    ['both', { scope: 'a', anyScope: ['a', 'b'] }, [{ signIn: ['a'] }, { signIn: ['a', 'b'] }, { accessToken: [] }]],
    [
      'all of some demands',
      { scope: 'a', allOf: [{ scope: 'b' }, { allOf: [{ scope: 'c' }] }] },
      [{ signIn: ['a', 'b', 'c'] }, { accessToken: [] }],
    ],
    ['strangers', { optional: true }, [{}, { signIn: [] }, { accessToken: [] }]],
  ])('for %s', (_, requirement, security) => {
    expect(operationFor(requirement).security).toEqual(security);
  });

  it('add up where several guards stand', () => {
    const protect = expressGuard(aDescribedGuard());
    expect(openApiOperation(protect({ scope: 'a' }), protect({ scope: 'b' }), () => undefined).security).toEqual([
      { signIn: ['a', 'b'] },
      { accessToken: [] },
    ]);
    expect(openApiOperation(protect({ optional: true }), protect()).security[0]).toEqual({ signIn: [] });
  });

  it('are those of the guard', () => {
    const guard = aDescribedGuard({
      tokenEndpoint: false,
      credentials: [
        { in: 'header', scheme: 'Token' },
        { in: 'header', name: 'X-Token' },
        { in: 'cookie', name: 'token' },
        { in: 'query' },
        { in: 'body' },
      ],
    });
    expect(openApiOperation(expressGuard(guard)({ scope: 'a' })).security).toEqual([
      { accessToken: [] },
      { accessTokenHeader: [] },
      { accessTokenCookie: [] },
      { accessTokenQuery: [] },
    ]);
    expect(openApiComponents(guard).securitySchemes).toMatchObject({
      accessToken: { type: 'http', scheme: 'token' },
      accessTokenHeader: { type: 'apiKey', in: 'header', name: 'X-Token' },
      accessTokenCookie: { type: 'apiKey', in: 'cookie', name: 'token' },
      accessTokenQuery: { type: 'apiKey', in: 'query', name: 'access_token' },
    });
  });
});

describe('the answers of a guard', () => {
  it('say what is asked, for people', () => {
    const { responses } = operationFor({
      scope: ['a', 'b'],
      role: ['editor', 'admin'],
      maxAge: 300,
      tokenKind: 'user',
      anyOf: [{ role: 'owner' }, { policy: () => true }],
    });
    expect(responses['403']?.description).toBe(
      'What the caller may do is not enough: scope a and b, role editor or admin, a token of a user, a sign-in within 300 seconds, one of (role owner | the rules of this route)',
    );
  });

  it('leave out a refusal nobody can meet', () => {
    expect(Object.keys(operationFor({}).responses)).toEqual(['400', '401', '503']);
  });

  it('are what the guard really sends', async () => {
    const verdict = await aDescribedGuard().check({ authorization: [] });
    const schema = operationFor({}).responses['401']?.content['application/problem+json']?.schema;
    const { required, properties } = schema as { required: string[]; properties: object };
    const body = 'refusal' in verdict ? Object.keys(verdict.refusal.body) : [];
    expect(body.toSorted()).toEqual(required.toSorted());
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(body));
  });
});

describe('the components', () => {
  it('know where to sign in, and every scope that is asked for or described', () => {
    const guard = aDescribedGuard({ scopes: { 'todos:read': 'See your todos', 'todos:write': 'Change your todos' } });
    const { securitySchemes } = openApiComponents(guard);
    expect(securitySchemes['signIn']).toMatchObject({
      flows: {
        password: {
          tokenUrl: 'https://auth.example.test/token',
          scopes: { 'todos:read': 'See your todos', 'todos:write': 'Change your todos' },
        },
      },
    });
    const open = aDescribedGuard();
    const components = openApiComponents(open);
    expressGuard(open)({ scope: 'b', anyOf: [{ anyScope: ['a'] }] });
    expect(components.securitySchemes['signIn']).toMatchObject({ flows: { password: { scopes: { a: '', b: '' } } } });
  });

  it('are those of a guard, and of nothing else', () => {
    expect(() => openApiComponents({})).toThrow(TypeError);
    expect(() => openApiOperation(() => undefined)).toThrow(TypeError);
  });
});

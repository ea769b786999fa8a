import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Access, createGuard, type Guard, type Requirement } from '@sallyport/guard';
import type { StandardSchema } from '@sallyport/jwt';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';

const options = { issuer, audience, keys: issuerKeys };
const claims = z.object({ tenant: z.string().transform((name) => name.toUpperCase()), plan: z.enum(['free', 'paid']) });
const guard = createGuard({
  ...options,
  claims,
  scopes: { 'todos:read': 'See your todos', 'todos:write': 'Change your todos' },
  roles: ['admin', 'user'],
});
const bearer = (token: string) => ({ authorization: [`Bearer ${token}`] });

describe('a schema of claims', () => {
  it('says what the claims of the access are', async () => {
    const verdict = await guard.check(bearer(anAccessToken({ tenant: 'acme', plan: 'paid', other: 1 })));
    expect(verdict).toMatchObject({ granted: true, access: { subject: 'user-1', scopes: new Set(['todos:read']) } });
    const access = verdict.granted ? verdict.access : undefined;
    expect(access?.claims).toEqual({ tenant: 'ACME', plan: 'paid' });
    expectTypeOf(access?.claims.plan).toEqualTypeOf<'free' | 'paid' | undefined>();
  });

  it('refuses a token it does not fit, and says no more than of any other', async () => {
    const verdict = await guard.check(bearer(anAccessToken({ tenant: 'acme', plan: 'gold' })));
    expect(verdict).toMatchObject({ granted: false, refusal: { body: { code: 'token_invalid' } } });
  });

  it('J34 is asked again for a token that is known', async () => {
    const token = anAccessToken({ tenant: 'acme', plan: 'paid' });
    let isOpen = true;
    const moody: StandardSchema<object> = {
      '~standard': {
        version: 1,
        validate: (value) => (isOpen ? { value: Object(value) as object } : { issues: [{}] }),
      },
    };
    const moodyGuard = createGuard({ ...options, claims: moody });
    expect(await moodyGuard.check(bearer(token))).toMatchObject({ granted: true });
    isOpen = false;
    expect(await moodyGuard.check(bearer(token))).toMatchObject({ granted: false });
  });

  it('decides nothing about rights: they are those of the token', async () => {
    const generous = z.object({}).transform(() => ({ roles: ['admin'], scope: '*', sub: 'root' }));
    const verdict = await createGuard({ ...options, claims: generous }).check(bearer(anAccessToken()), {
      role: 'admin',
    });
    expect(verdict).toMatchObject({ granted: false, refusal: { body: { code: 'insufficient_role' } } });
  });

  it('that answers later throws: the claims are needed now', () => {
    const slow = z.object({ tenant: z.string().refine(async () => true) });
    expect(() => createGuard({ ...options, claims: slow }).check(bearer(anAccessToken({ tenant: 'acme' })))).toThrow(
      TypeError,
    );
  });
});

describe('the words of an application', () => {
  it('are checked when a route is declared', () => {
    const misspelt: object = { scope: 'todos:raed' };
    expect(() => guard.resolve(misspelt)).toThrow(/scope must be/);
    const stranger: object = { anyOf: [{ role: 'root' }] };
    expect(() => guard.resolve(stranger)).toThrow(/role must be/);
    expect(() => guard.resolve({ scope: ['todos:read', 'todos:write'], role: 'admin' })).not.toThrow();
  });

  it('are checked by the compiler', () => {
    type Words = typeof guard extends Guard<infer Terms> ? Terms : never;
    expectTypeOf<Words['scope']>().toEqualTypeOf<'todos:read' | 'todos:write'>();
    expectTypeOf<Words['role']>().toEqualTypeOf<'admin' | 'user'>();
    const requirements: Requirement<Words>[] = [
      { scope: 'todos:read', role: ['admin'], anyOf: [{ anyScope: ['todos:write'] }] },
      // @ts-expect-error the scope is todos:read
      { scope: 'todos:raed' },
      // @ts-expect-error the role is admin
      { allOf: [{ role: 'admn' }] },
      // @ts-expect-error the claim is tenant
      { policy: ({ claims: { tennant } }) => tennant === 'ACME' },
      { policy: ({ claims: { tenant } }) => tenant === 'ACME' },
    ];
    const ask = (access: Access<Words>) => {
      // @ts-expect-error the role is admin
      access.hasRole('admn');
      // @ts-expect-error the scope is todos:write
      access.demand({ scope: 'todos:wirte' });
      return access.hasScope('todos:write');
    };
    expect([requirements.length, ask.length]).toEqual([5, 1]);
  });

  it('are any where none were told', () => {
    const plain: Guard = createGuard(options);
    expect(() => plain.resolve({ scope: 'anything', role: 'anybody' })).not.toThrow();
  });
});

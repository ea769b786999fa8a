import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  createAccessTokenVerifier,
  createJwtVerifier,
  tryVerifyJwt,
  verifyAccessToken,
  verifyJwt,
  type SchemaResult,
  type StandardSchema,
  type VerifiedJwt,
} from '../src/index.ts';
import { aToken, expected, expectRefusal, refusalOf, seconds } from './fixtures.ts';

const schema = z.object({ sub: z.string(), tenant: z.string(), level: z.number().default(1) });

/** A validator that answers as it is told. */
function answering(answer: SchemaResult<object> | Promise<SchemaResult<object>>): StandardSchema<object> {
  return { '~standard': { version: 1, validate: () => answer } };
}

describe('typed claims', () => {
  const token = aToken({ tenant: 'acme' });

  it('are what the schema makes of the claims, in its type', () => {
    const { claims } = verifyJwt(token, { ...expected, schema });
    expectTypeOf(claims).toEqualTypeOf<{ sub: string; tenant: string; level: number }>();
    expect(claims).toEqual({ sub: 'ada', tenant: 'acme', level: 1 });
    const outcome = tryVerifyJwt(token, { ...expected, schema });
    if (outcome.ok) expectTypeOf(outcome.claims.level).toEqualTypeOf<number>();
    expect(outcome).toMatchObject({ ok: true, claims: { level: 1 } });
    const verifier = createJwtVerifier({ keys: expected.keys, audience: expected.audience, schema });
    expectTypeOf(verifier.verify).returns.toEqualTypeOf<VerifiedJwt<{ sub: string; tenant: string; level: number }>>();
    expect(verifier.tryVerify(token)).toMatchObject({ ok: false, code: 'expired' });
  });

  it('come with access tokens too', () => {
    const options = { ...expected, typ: 'JWT', schema };
    expect(verifyAccessToken(token, options).claims.tenant).toBe('acme');
    const { now, ...fixed } = options;
    const verifier = createAccessTokenVerifier({ ...fixed, now: () => now, cacheSize: 10 });
    for (let time = 0; time < 2; time += 1)
      expect(verifier.verify(token).claims).toEqual({ sub: 'ada', tenant: 'acme', level: 1 });
  });

  it('are refused by the name of the claim at fault', () => {
    const refusal = refusalOf(() => verifyJwt(aToken({ tenant: 7 }), { ...expected, schema }));
    expect(refusal).toMatchObject({ code: 'claims_invalid', details: { claim: 'tenant' } });
  });

  it.each<[string, SchemaResult<object>, string]>([
    ['a path of keys', { issues: [{ path: [{ key: 'a' }, 'b'] }] }, 'a'],
    ['a URL', { issues: [{ path: ['https://example.com/roles'] }] }, 'https://example.com/roles'],
    ['no path', { issues: [{}] }, '*'],
    ['an empty path', { issues: [{ path: [] }] }, '*'],
    ['no issue', { issues: [] }, '*'],
    ['an index', { issues: [{ path: [0] }] }, '*'],
    ['a name no log should hold', { issues: [{ path: ['a\nb'] }] }, '*'],
    ['a long name', { issues: [{ path: ['a'.repeat(101)] }] }, '*'],
    ['an empty name', { issues: [{ path: [''] }] }, '*'],
  ])('whatever form the issue has: %s', (_name, answer, claim) => {
    const refusal = refusalOf(() => verifyJwt(token, { ...expected, schema: answering(answer) }));
    expect(refusal).toMatchObject({ code: 'claims_invalid', details: { claim } });
  });

  it('are asked for last, so that expired means that all else fits', () => {
    const expired = aToken({ tenant: 7, exp: seconds - 1 });
    expectRefusal('expired', () => verifyJwt(expired, { ...expected, schema }));
  });

  it('need a validator that answers at once', () => {
    const later = answering(Promise.resolve({ value: {} }));
    expect(() => verifyJwt(token, { ...expected, schema: later })).toThrow('synchronously');
  });

  it('may be asked for by a function, as ArkType makes them', () => {
    const callable = Object.assign(() => undefined, answering({ value: { ok: true } }));
    expect(verifyJwt(token, { ...expected, schema: callable }).claims).toEqual({ ok: true });
  });

  it.each([
    ['a function', () => true],
    ['an empty object', {}],
    ['null', null],
    ['text', 'schema'],
    ['half of one', { '~standard': {} }],
  ])('refuse %s for a schema', (_name, strange) => {
    expect(() => verifyJwt(token, { ...expected, schema: strange as unknown as typeof schema })).toThrow(TypeError);
  });
});

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
import { aToken, expected, expectRefusal, refusalOf, seconds, audience, hmacKey } from './fixtures.ts';

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

  it.each<[unknown]>([
    [null],
    [7],
    ['schema'],
    [() => true],
    [{}],
    [{ '~standard': null }],
    [{ '~standard': 'x' }],
    [{ '~standard': {} }],
    [{ '~standard': { validate: 1 } }],
    [{ '~standard': Object.assign(() => true, { validate: () => ({ value: {} }) }) }],
  ])('refuse %j for a schema', (strange) => {
    const act = (): unknown => verifyJwt(aToken(), { ...expected, schema: strange as StandardSchema<object> });
    expect(act).toThrow(new TypeError('schema must be a Standard Schema'));
  });
});

/** A validator made of one function. */
const schemaOf = (validate: (claims: { exp: number; roles: string[] }) => unknown): StandardSchema<object> =>
  ({ '~standard': { version: 1, validate } }) as unknown as StandardSchema<object>;

/** What an async validator of another realm returns: awaited it would be a result. */
function aThenable(): object {
  const thenable = {};
  Reflect.set(thenable, ['th', 'en'].join(''), (done: (made: unknown) => void) => done({ value: {} }));
  return thenable;
}

describe('J34 what a schema does', () => {
  it('lengthens no life: neither by changing the claims nor by keeping them', () => {
    let clock = seconds;
    const kept: { exp: number }[] = [];
    const keeping = schemaOf((claims) => {
      kept.push(claims);
      return { value: { raw: claims } };
    });
    const verifier = createJwtVerifier({
      keys: hmacKey,
      audience,
      cacheSize: 4,
      now: () => new Date(clock * 1000),
      schema: keeping,
    });
    const token = aToken();
    expect(verifier.tryVerify(token).ok).toBe(true);
    expect(() => Object.assign(kept[0] ?? {}, { exp: 9e9 })).toThrow(TypeError);
    clock = seconds + 901;
    expectRefusal('expired', () => verifier.verify(token));
    const changing = schemaOf((claims) => ({ value: Object.assign(claims, { exp: 9e9 }) }));
    expect(() => verifyJwt(token, { ...expected, schema: changing })).toThrow(TypeError);
  });

  it('is asked for each time, and what it makes belongs to its caller', () => {
    const listing = z.object({ roles: z.array(z.string()) }).transform(({ roles }) => ({ roles: [...roles] }));
    const verifier = createJwtVerifier({ ...expected, now: () => expected.now, cacheSize: 4, schema: listing });
    const token = aToken({ roles: ['user'] });
    for (let round = 0; round < 3; round += 1) {
      const { roles } = verifier.verify(token).claims;
      expect(roles).toEqual(['user']);
      roles.push('admin');
    }
  });

  it.each<[string, () => unknown]>([
    ['a thenable', aThenable],
    ['a promise that fails', () => Promise.reject(new Error('later'))],
    ['nothing', () => undefined],
    ['null', () => null],
    ['an empty result', () => ({})],
    ['no value', () => ({ value: undefined })],
    ['a number', () => ({ value: 7 })],
    ['null for a value', () => ({ value: null })],
  ])('does not pass a token by answering with %s', (_name, answer) => {
    expect(() => tryVerifyJwt(aToken(), { ...expected, schema: schemaOf(answer) })).toThrow(TypeError);
  });

  it.each([{ issues: null }, { issues: [null] }, { issues: [{ path: [null] }] }, { issues: 'some' }])(
    'refuses by issues of any form: %j',
    (answer) =>
      expectRefusal('claims_invalid', () => verifyJwt(aToken(), { ...expected, schema: schemaOf(() => answer) })),
  );

  it('is told what is wrong with its answer', () => {
    const asking = (answer: unknown) => (): unknown =>
      verifyJwt(aToken(), { ...expected, schema: schemaOf(() => answer) });
    expect(asking(undefined)).toThrow(new TypeError('The schema must answer with a result'));
    expect(asking({ value: 7 })).toThrow(new TypeError('The schema must make an object of the claims'));
    expect(asking({ value: { a: 1 }, issues: undefined })()).toMatchObject({ claims: { a: 1 } });
    expect(() => asking({ issues: 'some' })()).toThrow(expect.objectContaining({ details: { claim: '*' } }));
  });
});

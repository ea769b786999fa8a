import type { Request } from 'express';
import type { FastifyRequest } from 'fastify';
import { describe, expectTypeOf, it } from 'vitest';
import type {
  Access,
  Change,
  ChangeKind,
  Guard,
  GuardOptions,
  RefusalCode,
  Requirement,
  Verdict,
} from '@sallyport/guard';
import '@sallyport/guard/express';
import '@sallyport/guard/fastify';

describe('types', () => {
  it('a verdict narrows by `granted`', () => {
    expectTypeOf<Extract<Verdict, { granted: true }>['access']>().toEqualTypeOf<Access | undefined>();
    expectTypeOf<Extract<Verdict, { granted: false }>['refusal']['body']['code']>().toEqualTypeOf<RefusalCode>();
    expectTypeOf<ReturnType<Guard['check']>>().toEqualTypeOf<Verdict | Promise<Verdict>>();
  });

  it('requests carry `auth`, which may be missing', () => {
    expectTypeOf<Request['auth']>().toEqualTypeOf<Access | undefined>();
    expectTypeOf<FastifyRequest['auth']>().toEqualTypeOf<Access | undefined>();
  });

  it('options and requirements refuse misspelt names', () => {
    // @ts-expect-error the name is `audience`
    const options: GuardOptions = { issuer: 'https://auth.example.test', audiences: 'a' };
    // @ts-expect-error the name is `scope`
    const requirement: Requirement = { scopes: 'a' };
    expectTypeOf([options, requirement]).toBeArray();
  });

  it('a change may be of a kind this version does not know', () => {
    expectTypeOf<ChangeKind>().toExtend<Change['kind']>();
    expectTypeOf<Change['kind']>().toEqualTypeOf<number>();
  });
});

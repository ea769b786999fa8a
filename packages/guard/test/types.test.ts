import { Router } from '@koa/router';
import express, { type Request, type RequestHandler } from 'express';
import Fastify, { type FastifyRequest } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type Access,
  type Change,
  type ChangeKind,
  createGuard,
  type Guard,
  type GuardOptions,
  type RefusalCode,
  type Requirement,
  type Verdict,
} from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { fastifyGuard } from '@sallyport/guard/fastify';
import { honoGuard } from '@sallyport/guard/hono';
import { koaGuard } from '@sallyport/guard/koa';
import { nodeGuard } from '@sallyport/guard/node';
import { audience, issuer, issuerKeys } from './tokens.ts';

const plain = createGuard({ issuer, audience, keys: issuerKeys });
const worded = createGuard({
  issuer,
  audience,
  keys: issuerKeys,
  claims: z.object({ tenant: z.string() }),
  scopes: { 'todos:read': 'See your todos' },
  roles: ['admin', 'user'],
});
type Words = typeof worded extends Guard<infer Terms> ? Terms : never;

describe('the core', () => {
  it('a verdict narrows by `granted`', () => {
    expectTypeOf<Extract<Verdict, { granted: true }>['access']>().toEqualTypeOf<Access | undefined>();
    expectTypeOf<Extract<Verdict, { granted: false }>['refusal']['body']['code']>().toEqualTypeOf<RefusalCode>();
    expectTypeOf<ReturnType<Guard['check']>>().toEqualTypeOf<Verdict | Promise<Verdict>>();
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

describe('express', () => {
  const protect = expressGuard(plain);
  const app = express();

  it('has `auth` behind a guard, whatever stands between, and the parameters of the path', () => {
    app.get('/todos/:id', protect({ scope: 'todos:read' }), ({ auth, params }) => {
      expectTypeOf(auth).toEqualTypeOf<Access>();
      expectTypeOf(params.id).toEqualTypeOf<string>();
    });
    app.post('/todos', express.json(), protect(), express.json(), async (request, response) => {
      expectTypeOf(request.auth.subject).toEqualTypeOf<string>();
      response.json(request.auth.hasRole('admin'));
    });
    express.Router().get('/todos', protect(), ({ auth }) => expectTypeOf(auth).toEqualTypeOf<Access>());
  });

  it('has it undefined where it is optional, and nothing of it without a guard', () => {
    app.get('/greeting', protect({ optional: true }), ({ auth }) => {
      expectTypeOf(auth).toEqualTypeOf<Access | undefined>();
    });
    app.get('/open', (request) => {
      expectTypeOf(request.auth).toEqualTypeOf<undefined>();
      // @ts-expect-error there is no guard
      expectTypeOf(request.auth.subject).toBeString();
    });
    expectTypeOf<Request['auth']>().toEqualTypeOf<undefined>();
  });

  it('knows who called behind a guard that stands elsewhere', () => {
    app.use(protect());
    app.use('/admin', protect({ role: 'admin' }));
    app.get('/me', (request) => expectTypeOf(protect.accessOf(request)).toEqualTypeOf<Access>());
  });

  it('takes a guard wherever it takes a handler', () => {
    const handler: RequestHandler = protect();
    const handlers: RequestHandler[] = [protect({ optional: true }), handler];
    app.get('/list', handlers);
    app.route('/routes').get(protect(), (_request, response) => response.end());
  });

  it('refuses what is misspelt', () => {
    // @ts-expect-error the name is `role`
    const misspelt = (): unknown => protect({ roles: 'admin' });
    // @ts-expect-error the name is `scope`
    const nested = (): unknown => protect({ anyOf: [{ scop: 'todos:read' }] });
    expectTypeOf([misspelt, nested]).toBeArray();
  });

  it('knows the words of the application', () => {
    const protectWorded = expressGuard(worded);
    // @ts-expect-error the scope is todos:read
    const scope = (): unknown => protectWorded({ scope: 'todos:raed' });
    // @ts-expect-error the role is admin
    const role = (): unknown => protectWorded({ role: ['admn'] });
    const policy = protectWorded({
      policy: ({ claims: { tenant } }, request) => request.hostname.startsWith(tenant),
    });
    app.get('/tenant', policy, ({ auth }) => {
      expectTypeOf(auth).toEqualTypeOf<Access<Words>>();
      expectTypeOf(auth.claims).toEqualTypeOf<{ tenant: string }>();
      // @ts-expect-error the claim is tenant
      expectTypeOf(auth.claims.tennant).toBeString();
    });
    expectTypeOf([scope, role]).toBeArray();
  });
});

describe('fastify', () => {
  const protect = fastifyGuard(plain);
  const app = Fastify();

  it('has `auth` behind a guard, wherever it is hooked in', () => {
    app.get('/a', { onRequest: protect({ scope: 'todos:read' }) }, async ({ auth }) => {
      expectTypeOf(auth).toEqualTypeOf<Access>();
    });
    app.get('/b', { preHandler: protect() }, ({ auth }) => ({ subject: auth.subject }));
    app.get('/c', { preValidation: protect(), schema: { params: {} } }, async (request, reply) => {
      expectTypeOf(request.auth).toEqualTypeOf<Access>();
      return reply.code(201).send({});
    });
  });

  it('has it undefined where it is optional, and not at all without a guard', () => {
    app.get('/d', { onRequest: protect({ optional: true }) }, async ({ auth }) => {
      expectTypeOf(auth).toEqualTypeOf<Access | undefined>();
    });
    app.get('/e', async (request) => {
      // @ts-expect-error there is no guard
      expectTypeOf(request.auth).toBeObject();
    });
    app.get('/f', { onRequest: async () => undefined }, async (request) => {
      // @ts-expect-error there is no guard
      expectTypeOf(request.auth).toBeObject();
    });
    expectTypeOf<FastifyRequest>().not.toHaveProperty('auth');
  });

  it('knows who called behind a guard that stands elsewhere', () => {
    app.addHook('onRequest', protect());
    app.get<{ Params: { id: string } }>('/g/:id', async (request) => {
      expectTypeOf(protect.accessOf(request)).toEqualTypeOf<Access>();
      expectTypeOf(request.params.id).toEqualTypeOf<string>();
    });
  });

  it('refuses what is misspelt, and knows the words of the application', () => {
    // @ts-expect-error the name is `role`
    const misspelt = (): unknown => protect({ roles: 'admin' });
    // @ts-expect-error the scope is todos:read
    const scope = (): unknown => fastifyGuard(worded)({ scope: 'todos:raed' });
    app.get('/h', { onRequest: fastifyGuard(worded)({ role: 'admin' }) }, async ({ auth }) => {
      expectTypeOf(auth.claims.tenant).toEqualTypeOf<string>();
    });
    expectTypeOf([misspelt, scope]).toBeArray();
  });
});

describe('hono', () => {
  it('has `auth` behind a guard, and not at all without one', () => {
    const protect = honoGuard(worded);
    const app = new Hono();
    app.get('/todos/:id', protect({ scope: 'todos:read' }), (context) => {
      expectTypeOf(context.var.auth).toEqualTypeOf<Access<Words>>();
      expectTypeOf(context.req.param('id')).toEqualTypeOf<string>();
      return context.json({ tenant: context.var.auth.claims.tenant });
    });
    app.get('/greeting', protect({ optional: true }), (context) => {
      expectTypeOf(context.var.auth).toEqualTypeOf<Access<Words> | undefined>();
      return context.body(null);
    });
    app.get('/open', (context) => {
      // @ts-expect-error there is no guard
      expectTypeOf(context.var.auth.subject).toBeString();
      return context.body(null);
    });
    // @ts-expect-error the role is admin
    expectTypeOf((): unknown => protect({ role: 'admn' })).toBeFunction();
  });
});

describe('koa', () => {
  it('has `auth` in the state behind a guard', () => {
    const protect = koaGuard(worded);
    const router = new Router();
    router.get('/todos', protect({ scope: 'todos:read' }), (ctx) => {
      expectTypeOf(ctx.state.auth).toEqualTypeOf<Access<Words>>();
    });
    router.get('/greeting', protect({ optional: true }), (ctx) => {
      expectTypeOf(ctx.state.auth).toEqualTypeOf<Access<Words> | undefined>();
    });
    new Koa().use(protect()).use((ctx) => {
      expectTypeOf(ctx.state.auth).toEqualTypeOf<Access<Words>>();
    });
    // @ts-expect-error the role is admin
    expectTypeOf((): unknown => protect({ role: 'admn' })).toBeFunction();
  });
});

describe('node:http', () => {
  it('has `auth` behind a guard', () => {
    const protect = nodeGuard(worded);
    protect({ scope: 'todos:read' }, ({ auth }) => expectTypeOf(auth).toEqualTypeOf<Access<Words>>());
    protect({ optional: true }, ({ auth }) => expectTypeOf(auth).toEqualTypeOf<Access<Words> | undefined>());
    // @ts-expect-error the role is admin
    expectTypeOf((): unknown => protect({ role: 'admn' }, () => undefined)).toBeFunction();
  });
});

import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type Access, createGuard, type Requirement } from '@sallyport/guard';
import { honoGuard } from '@sallyport/guard/hono';
import type { StartApp } from './contract/contract-app.ts';
import { describeGuard } from './guard-contract.ts';
import { listen } from './listening.ts';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';

type Handled = Parameters<StartApp>[1];
type Guarded = Parameters<StartApp>[0];

function onRoutes(guard: Guarded, handled: Handled): Hono {
  const protect = honoGuard(guard);
  const app = new Hono();
  const answer = (access: Access | undefined) => {
    handled(access);
    return { subject: access?.subject };
  };
  app.get('/me', protect(), (context) => context.json(answer(context.var.auth)));
  app.get('/todos', protect({ scope: 'todos:read' }), (context) => context.json(answer(context.var.auth)));
  app.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), (context) =>
    context.json(answer(context.var.auth)),
  );
  app.get('/admin', protect({ role: 'admin' }), (context) => context.json(answer(context.var.auth)));
  app.get('/greeting', protect({ optional: true }), (context) => context.json(answer(context.var.auth)));
  app.get('/fresh', protect({ maxAge: 300 }), (context) => context.json(answer(context.var.auth)));
  const own = protect({ policy: ({ subject }, { req }) => req.param('subject') === subject });
  app.get('/own/:subject', own, (context) => context.json(answer(context.var.auth)));
  app.get('/demanding', protect(), (context) => {
    handled(context.var.auth);
    context.var.auth.demand({ role: 'admin' });
    return context.json({ subject: context.var.auth.subject });
  });
  return app;
}

/** One guard stands before everything that is not declared public above it. */
function beforeEverything(guard: Guarded, handled: Handled): Hono {
  const protect = honoGuard(guard);
  const app = new Hono();
  app.get('/greeting', protect({ optional: true }), (context) => {
    handled(context.var.auth);
    return context.json({ subject: context.var.auth?.subject });
  });
  const routes = new Hono().use(protect());
  const answer = (access: Access) => {
    handled(access);
    return { subject: access.subject };
  };
  const guarded = routes
    .get('/me', (context) => context.json(answer(context.var.auth)))
    .get('/todos', protect({ scope: 'todos:read' }), (context) => context.json(answer(context.var.auth)))
    .post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), (context) =>
      context.json(answer(context.var.auth)),
    )
    .get('/admin', protect({ role: 'admin' }), (context) => context.json(answer(context.var.auth)))
    .get('/fresh', protect({ maxAge: 300 }), (context) => context.json(answer(context.var.auth)))
    .get('/own/:subject', protect({ policy: ({ subject }, { req }) => req.param('subject') === subject }), (context) =>
      context.json(answer(context.var.auth)),
    )
    .get('/demanding', (context) => {
      handled(context.var.auth);
      context.var.auth.demand({ role: 'admin' });
      return context.json({ subject: context.var.auth.subject });
    });
  app.route('/', guarded);
  return app;
}

const silence = (app: Hono): Hono =>
  app.onError((error) => ('getResponse' in error ? error.getResponse() : new Response(null, { status: 500 })));

/** On Node, where the request as it came in is at hand. */
const onNode =
  (declare: typeof onRoutes): StartApp =>
  (guard, handled) =>
    listen(getRequestListener(silence(declare(guard, handled)).fetch, { overrideGlobalObjects: false }));

/** As on other runtimes: all there is to know is a `Request`. */
const onFetch =
  (declare: typeof onRoutes): StartApp =>
  (guard, handled) => {
    const app = silence(declare(guard, handled));
    return listen(getRequestListener((request) => app.fetch(request), { overrideGlobalObjects: false }));
  };

describeGuard('hono on Node, on routes', onNode(onRoutes), { readsBodies: true, inParallel: true });
describeGuard('hono on Node, before everything', onNode(beforeEverything), { readsBodies: true });
describeGuard('hono on Fetch, on routes', onFetch(onRoutes), { readsBodies: true });

describe('honoGuard', () => {
  const protect = honoGuard(createGuard({ issuer, audience, keys: issuerKeys }));

  it('refuses a misspelt requirement when the route is declared', () => {
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement)).toThrow(TypeError);
  });

  it('works without a server, so that applications can test their routes without a socket', async () => {
    const app = new Hono().get('/me', protect(), (context) => context.json({ subject: context.var.auth.subject }));
    const answer = await app.request('/me', { headers: { authorization: `Bearer ${anAccessToken()}` } });
    expect(await answer.json()).toEqual({ subject: 'user-1' });
    expect((await app.request('/me')).status).toBe(401);
  });
});

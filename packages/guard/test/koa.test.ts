import { Router } from '@koa/router';
import Koa3 from 'koa';
import Koa2 from 'koa2';
import { describe, expect, it } from 'vitest';
import { type Access, createGuard, type Requirement } from '@sallyport/guard';
import { type KoaGuardContext, koaGuard } from '@sallyport/guard/koa';
import type { App, StartApp } from './contract/contract-app.ts';
import { describeGuard } from './guard-contract.ts';
import { listen } from './listening.ts';
import { audience, issuer, issuerKeys } from './tokens.ts';

type Framework = typeof Koa3;

interface State {
  auth: Access | undefined;
}

/** An app that reads bodies, as a parser of bodies would, and says nothing of errors. */
function serve(Koa: Framework, use: (app: Koa3) => void): Promise<App> {
  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    const chunks: Buffer[] = [];
    for await (const chunk of ctx.req) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString();
    const body: unknown = ctx.is('json') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
    Object.assign(ctx.request, { body });
    await next();
  });
  use(app);
  return listen(app.callback());
}

const isOwn = ({ subject }: Access, { params }: KoaGuardContext): boolean => params?.['subject'] === subject;

const onRoutes =
  (Koa: Framework): StartApp =>
  (guard, handled) => {
    const protect = koaGuard(guard);
    const answer = (ctx: { state: State; body: unknown }): void => {
      handled(ctx.state.auth);
      ctx.body = { subject: ctx.state.auth?.subject };
    };
    const router = new Router();
    router.get('/me', protect(), answer);
    router.get('/todos', protect({ scope: 'todos:read' }), answer);
    router.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), answer);
    router.get('/admin', protect({ role: 'admin' }), answer);
    router.get('/greeting', protect({ optional: true }), answer);
    router.get('/fresh', protect({ maxAge: 300 }), answer);
    router.get('/own/:subject', protect({ policy: isOwn }), answer);
    router.get('/demanding', protect(), (ctx) => {
      handled(ctx.state.auth);
      ctx.state.auth.demand({ role: 'admin' });
      ctx.body = { subject: ctx.state.auth.subject };
    });
    return serve(Koa, (app) => app.use(router.routes()).use(router.allowedMethods()));
  };

/** One guard stands before every router but the public one. */
const beforeEverything =
  (Koa: Framework): StartApp =>
  (guard, handled) => {
    const protect = koaGuard(guard);
    const answer = (ctx: { state: State; body: unknown }): void => {
      handled(ctx.state.auth);
      ctx.body = { subject: ctx.state.auth?.subject };
    };
    const open = new Router();
    open.get('/greeting', protect({ optional: true }), answer);
    const router = new Router<{ auth: Access }>();
    router.get('/me', answer);
    router.get('/todos', protect({ scope: 'todos:read' }), answer);
    router.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), answer);
    router.get('/admin', protect({ role: 'admin' }), answer);
    router.get('/fresh', protect({ maxAge: 300 }), answer);
    router.get('/own/:subject', protect({ policy: isOwn }), answer);
    router.get('/demanding', (ctx) => {
      handled(ctx.state.auth);
      ctx.state.auth.demand({ role: 'admin' });
      ctx.body = { subject: ctx.state.auth.subject };
    });
    return serve(Koa, (app) => app.use(open.routes()).use(protect()).use(router.routes()));
  };

describe.each([
  ['koa 3', Koa3],
  ['koa 2', Koa2],
])('%s', (name, Koa) => {
  describeGuard(`${name}, on routes`, onRoutes(Koa), { readsBodies: true, inParallel: true });
  describeGuard(`${name}, before everything`, beforeEverything(Koa), { readsBodies: true });
});

describe('koaGuard', () => {
  it('refuses a misspelt requirement when the route is declared', () => {
    const protect = koaGuard(createGuard({ issuer, audience, keys: issuerKeys }));
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement)).toThrow(TypeError);
  });
});

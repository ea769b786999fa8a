import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { type Access, createGuard, type Requirement } from '@sallyport/guard';
import { fastifyGuard } from '@sallyport/guard/fastify';
import type { App, StartApp } from './contract/contract-app.ts';
import { describeGuard } from './guard-contract.ts';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';

/** An app that can read forms, so that a token in a body reaches the guard. */
function anApp(): FastifyInstance {
  const app = Fastify();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  return app;
}

async function listen(app: FastifyInstance): Promise<App> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}

const isOwn = ({ subject }: Access, { params }: FastifyRequest): boolean => Object(params).subject === subject;

/** Guards stand on the routes, before the body is read. */
const onRequest: StartApp = (guard, handled) => {
  const protect = fastifyGuard(guard);
  const answer = async ({ auth }: { auth: Access | undefined }) => {
    handled(auth);
    return { subject: auth?.subject };
  };
  const app = anApp();
  app.get('/me', { onRequest: protect() }, answer);
  app.get('/todos', { onRequest: protect({ scope: 'todos:read' }) }, answer);
  app.post('/todos', { onRequest: protect({ scope: ['todos:read', 'todos:write'] }) }, answer);
  app.get('/admin', { onRequest: protect({ role: 'admin' }) }, answer);
  app.get('/greeting', { onRequest: protect({ optional: true }) }, answer);
  app.get('/fresh', { onRequest: protect({ maxAge: 300 }) }, answer);
  app.get('/own/:subject', { onRequest: protect({ policy: isOwn }) }, answer);
  app.get('/demanding', { onRequest: protect() }, async ({ auth }) => {
    handled(auth);
    auth.demand({ role: 'admin' });
    return { subject: auth.subject };
  });
  return listen(app);
};

/** One guard stands before a plugin, whose routes ask for more; what is public is declared outside of it. */
const beforePlugin =
  (hook: 'onRequest' | 'preHandler'): StartApp =>
  (guard, handled) => {
    const protect = fastifyGuard(guard);
    const answer = async (request: FastifyRequest) => {
      handled(protect.accessOf(request));
      return { subject: protect.accessOf(request).subject };
    };
    const app = anApp();
    app.get('/greeting', { preHandler: protect({ optional: true }) }, async ({ auth }) => {
      handled(auth);
      return { subject: auth?.subject };
    });
    app.register(async (routes) => {
      // One name for the compiler, two for Fastify.
      routes.addHook(hook as 'onRequest', protect());
      routes.get('/me', answer);
      routes.get('/todos', { preHandler: protect({ scope: 'todos:read' }) }, answer);
      routes.post('/todos', { preValidation: protect({ scope: ['todos:read', 'todos:write'] }) }, answer);
      routes.get('/admin', { preHandler: protect({ role: 'admin' }) }, answer);
      routes.get('/fresh', { preHandler: protect({ maxAge: 300 }) }, answer);
      routes.get('/own/:subject', { preHandler: protect({ policy: isOwn }) }, answer);
      routes.get('/demanding', async (request) => {
        handled(protect.accessOf(request));
        protect.accessOf(request).demand({ role: 'admin' });
        return { subject: protect.accessOf(request).subject };
      });
    });
    return listen(app);
  };

describeGuard('fastify, onRequest', onRequest, { inParallel: true });
describeGuard('fastify, before a plugin', beforePlugin('onRequest'));
describeGuard('fastify, before a plugin as preHandler', beforePlugin('preHandler'), { readsBodies: true });

describe('fastifyGuard', () => {
  const protect = fastifyGuard(createGuard({ issuer, audience, keys: issuerKeys }));

  it('refuses a misspelt requirement when the route is declared', () => {
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement)).toThrow(TypeError);
  });

  it('works with inject, so that applications can test their routes without a socket', async () => {
    const app = Fastify();
    app.get('/me', { onRequest: protect() }, async ({ auth }) => ({ subject: auth.subject }));
    const headers = { authorization: `Bearer ${anAccessToken()}` };
    expect((await app.inject({ url: '/me', headers })).json()).toEqual({ subject: 'user-1' });
    expect((await app.inject({ url: '/me' })).statusCode).toBe(401);
    await app.close();
  });

  it('knows nobody where no guard stands', async () => {
    const app = Fastify();
    app.get('/open', async (request) => protect.accessOf(request));
    expect((await app.inject({ url: '/open' })).statusCode).toBe(500);
    await app.close();
  });
});

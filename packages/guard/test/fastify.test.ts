import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createGuard, type Requirement } from '@sallyport/guard';
import { fastifyGuard } from '@sallyport/guard/fastify';
import { type App, describeGuard, type StartApp } from './guard-contract.ts';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';

/** An app that can read forms, so that a token in a body reaches the guard. */
function anApp(): FastifyInstance {
  const app = Fastify();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) => {
    done(null, body);
  });
  return app;
}

async function listen(app: FastifyInstance): Promise<App> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}

const handler = (handled: Parameters<StartApp>[1]) => async (request: FastifyRequest) => {
  handled(request.auth);
  return { subject: request.auth?.subject };
};

describeGuard('fastify, onRequest', (guard, handled) => {
  const protect = fastifyGuard(guard);
  const app = anApp();
  app.get('/me', { onRequest: protect() }, handler(handled));
  app.get('/todos', { onRequest: protect({ scope: 'todos:read' }) }, handler(handled));
  app.post('/todos', { onRequest: protect({ scope: ['todos:read', 'todos:write'] }) }, handler(handled));
  app.get('/admin', { onRequest: protect({ role: 'admin' }) }, handler(handled));
  app.get('/greeting', { onRequest: protect({ optional: true }) }, handler(handled));
  return listen(app);
});

describeGuard('fastify, preHandler', (guard, handled) => {
  const protect = fastifyGuard(guard);
  const app = anApp();
  app.get('/greeting', { preHandler: protect({ optional: true }) }, handler(handled));
  app.register(async (routes) => {
    routes.addHook('preHandler', protect());
    routes.get('/me', handler(handled));
    routes.get('/todos', { preHandler: protect({ scope: 'todos:read' }) }, handler(handled));
    routes.post('/todos', { preHandler: protect({ scope: ['todos:read', 'todos:write'] }) }, handler(handled));
    routes.get('/admin', { preHandler: [protect({ role: 'admin' })] }, handler(handled));
  });
  return listen(app);
});

describe('fastifyGuard', () => {
  const protect = fastifyGuard(createGuard({ issuer, audience, keys: issuerKeys }));

  it('refuses a misspelt requirement when the route is declared', () => {
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement)).toThrow(TypeError);
  });

  it('works with inject, so that applications can test their routes without a socket', async () => {
    const app = Fastify();
    app.get('/me', { onRequest: protect() }, async (request) => ({ subject: request.auth?.subject }));
    const headers = { authorization: `Bearer ${anAccessToken()}` };
    expect((await app.inject({ url: '/me', headers })).json()).toEqual({ subject: 'user-1' });
    expect((await app.inject({ url: '/me' })).statusCode).toBe(401);
    await app.close();
  });
});

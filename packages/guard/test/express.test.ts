import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { createGuard, type Requirement } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { type App, describeGuard, type StartApp } from './guard-contract.ts';
import { audience, issuer, issuerKeys } from './tokens.ts';

async function listen(app: Express): Promise<App> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}

/** Express answers 500 with the error's stack unless the application says otherwise. */
const quiet = (app: Express): Express => app.set('env', 'test');

const handler =
  (handled: Parameters<StartApp>[1]): RequestHandler =>
  (request, response) => {
    handled(request.auth);
    response.json({ subject: request.auth?.subject });
  };

describeGuard('express', (guard, handled) => {
  const protect = expressGuard(guard);
  const app = quiet(express());
  app.get('/me', protect(), handler(handled));
  app.get('/todos', protect({ scope: 'todos:read' }), handler(handled));
  app.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), handler(handled));
  app.get('/admin', protect({ role: 'admin' }), handler(handled));
  app.get('/greeting', protect({ optional: true }), handler(handled));
  return listen(app);
});

describeGuard('express, mounted by path', (guard, handled) => {
  const protect = expressGuard(guard);
  const app = quiet(express());
  app.use('/me', protect());
  app.use('/todos', protect({ scope: 'todos:read' }));
  app.use('/admin', protect({ role: 'admin' }));
  app.use('/greeting', protect({ optional: true }));
  app.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), handler(handled));
  for (const path of ['/me', '/todos', '/admin', '/greeting']) app.get(path, handler(handled));
  return listen(app);
});

describe('expressGuard', () => {
  it('refuses a misspelt requirement when the route is declared', () => {
    const protect = expressGuard(createGuard({ issuer, audience, keys: issuerKeys }));
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement)).toThrow(TypeError);
  });
});

import type { Express, RequestHandler } from 'express';
import express5 from 'express';
import express4 from 'express4';
import { describe, expect, it } from 'vitest';
import { type Access, createGuard, type Requirement } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import type { StartApp } from './contract/contract-app.ts';
import { describeGuard } from './guard-contract.ts';
import { listen } from './listening.ts';
import { audience, issuer, issuerKeys } from './tokens.ts';

type Framework = typeof express5;

/** Express answers 500 with the error's stack unless the application says otherwise. */
const quiet = (app: Express): Express => app.set('env', 'test');

/** Guards stand on the routes. */
const onRoutes =
  (express: Framework): StartApp =>
  (guard, handled) => {
    const protect = expressGuard(guard);
    const app = quiet(express());
    app.use(express.json(), express.urlencoded({ extended: false }));
    app.get('/me', protect(), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth.subject });
    });
    app.get('/todos', protect({ scope: 'todos:read' }), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth.subject });
    });
    app.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth.subject });
    });
    app.get('/admin', protect({ role: 'admin' }), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth.subject });
    });
    app.get('/greeting', protect({ optional: true }), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth?.subject });
    });
    app.get('/fresh', protect({ maxAge: 300 }), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth.subject });
    });
    const own = protect({ policy: ({ subject }, { params }) => params['subject'] === subject });
    app.get('/own/:subject', own, ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth.subject });
    });
    app.get('/demanding', protect(), ({ auth }, response) => {
      handled(auth);
      auth.demand({ role: 'admin' });
      response.json({ subject: auth.subject });
    });
    return listen(app);
  };

/** Guards are mounted by path, before a router that knows nothing of them. */
const byPath =
  (express: Framework): StartApp =>
  (guard, handled) => {
    const protect = expressGuard(guard);
    const answer: RequestHandler = (request, response) => {
      const access: Access | undefined =
        request.path === '/greeting' ? Reflect.get(request, 'auth') : protect.accessOf(request);
      handled(access);
      if (request.path === '/demanding') access?.demand({ role: 'admin' });
      response.json({ subject: access?.subject });
    };
    const app = quiet(express());
    for (const path of ['/me', '/demanding']) app.use(path, protect());
    app.use('/todos', protect({ scope: 'todos:read' }));
    app.use('/admin', protect({ role: 'admin' }));
    app.use('/greeting', protect({ optional: true }));
    app.use('/fresh', protect({ maxAge: 300 }));
    app.use('/own/:subject', protect({ policy: ({ subject }, { params }) => params['subject'] === subject }));
    app.post('/todos', protect({ scope: ['todos:read', 'todos:write'] }), answer);
    for (const path of ['/me', '/todos', '/admin', '/greeting', '/fresh', '/own/:subject', '/demanding']) {
      app.get(path, answer);
    }
    return listen(app);
  };

/** One guard stands before everything that is not declared public above it; routes ask for more. */
const beforeEverything =
  (express: Framework): StartApp =>
  (guard, handled) => {
    const protect = expressGuard(guard);
    const answer: RequestHandler = (request, response) => {
      const { subject } = protect.accessOf(request);
      handled(protect.accessOf(request));
      response.json({ subject });
    };
    const app = quiet(express());
    app.get('/greeting', protect({ optional: true }), ({ auth }, response) => {
      handled(auth);
      response.json({ subject: auth?.subject });
    });
    app.use(protect());
    const router = express.Router();
    router.get('/me', answer);
    router.route('/todos').get(protect({ scope: 'todos:read' }), answer);
    router.route('/todos').post(protect({ scope: ['todos:read', 'todos:write'] }), answer);
    router.get('/admin', protect({ role: 'admin' }), answer);
    router.get('/fresh', protect({ maxAge: 300 }), answer);
    router.get(
      '/own/:subject',
      protect({ policy: (access, { params }) => params['subject'] === access.subject }),
      answer,
    );
    router.get('/demanding', (request, response) => {
      handled(protect.accessOf(request));
      protect.accessOf(request).demand({ role: 'admin' });
      response.json({ subject: protect.accessOf(request).subject });
    });
    app.use(router);
    return listen(app);
  };

describe.each([
  ['express 5', express5],
  ['express 4', express4],
])('%s', (name, express) => {
  describeGuard(`${name}, on routes`, onRoutes(express), { readsBodies: true, inParallel: true });
  describeGuard(`${name}, by path`, byPath(express));
  describeGuard(`${name}, before everything`, beforeEverything(express));
});

describe('expressGuard', () => {
  const protect = expressGuard(createGuard({ issuer, audience, keys: issuerKeys }));

  it('refuses a misspelt requirement when the route is declared', () => {
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement)).toThrow(TypeError);
  });

  it('knows nobody where no guard stands', async () => {
    const app = quiet(express5());
    const errors: unknown[] = [];
    app.get('/open', (request, response) => {
      try {
        protect.accessOf(request);
      } catch (error) {
        errors.push(error);
      }
      response.end();
    });
    const { port, close } = await listen(app);
    await fetch(`http://127.0.0.1:${port}/open`);
    expect(errors).toEqual([expect.any(TypeError)]);
    await close();
  });
});

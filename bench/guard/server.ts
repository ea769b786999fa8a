// A route of one framework, open, behind our guard with its cache of verified tokens and without, and behind the least
// that any guard does: tsx server.ts FRAMEWORK SETTINGS
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { serve } from '@hono/node-server';
import { createGuard, type Guard } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { fastifyGuard } from '@sallyport/guard/fastify';
import { honoGuard } from '@sallyport/guard/hono';
import { type NodeHandler, nodeGuard } from '@sallyport/guard/node';
import { secretKey } from '@sallyport/jwt';
import express, { type RequestHandler } from 'express';
import Fastify, { type onRequestHookHandler } from 'fastify';
import { Hono, type MiddlewareHandler } from 'hono';
import type { ServerSettings } from './servers.ts';

/** Guards by the route they stand before; the other route is `/open`. */
interface Guards {
  readonly cached: Guard;
  readonly uncached: Guard;
}

/** Looks at an `Authorization` header, and throws where a token is bad. */
type Look = (authorization?: string) => void;

/** What stands before a route in place of a guard, and checks less than any guard may. */
interface Floors {
  /** The signature, and the payload decoded and parsed, in the plainest way. */
  readonly unchecked: Look;
  /** The token found again in a map. */
  readonly known: Look;
}

type App = (guards: Guards, floors: Floors, settings: ServerSettings) => unknown;

const requirement = { scope: 'todos:read' } as const;
const hostname = '127.0.0.1';

const apps: Readonly<Record<string, App>> = {
  express: (guards, floors, { port, todos }) => {
    const handler = (_request: unknown, response: { json(body: unknown): unknown }): unknown => response.json(todos);
    const app = express();
    app.get('/open', handler);
    app.get('/cached', expressGuard(guards.cached)(requirement), handler);
    app.get('/uncached', expressGuard(guards.uncached)(requirement), handler);
    for (const [name, look] of Object.entries(floors)) {
      const middleware: RequestHandler = ({ headers }, _response, next) => {
        look(headers.authorization);
        next();
      };
      app.get(`/${name}`, middleware, handler);
    }
    return app.listen(port, hostname);
  },
  fastify: async (guards, floors, { port, todos }) => {
    const handler = async (): Promise<unknown> => todos;
    const app = Fastify();
    app.get('/open', handler);
    app.get('/cached', { onRequest: fastifyGuard(guards.cached)(requirement) }, handler);
    app.get('/uncached', { onRequest: fastifyGuard(guards.uncached)(requirement) }, handler);
    for (const [name, look] of Object.entries(floors)) {
      const onRequest: onRequestHookHandler = ({ headers }, _reply, done) => {
        look(headers.authorization);
        done();
      };
      app.get(`/${name}`, { onRequest }, handler);
    }
    return app.listen({ port, host: hostname });
  },
  hono: (guards, floors, { port, todos }) => {
    const app = new Hono();
    app.get('/open', (context) => context.json(todos));
    app.get('/cached', honoGuard(guards.cached)(requirement), (context) => context.json(todos));
    app.get('/uncached', honoGuard(guards.uncached)(requirement), (context) => context.json(todos));
    for (const [name, look] of Object.entries(floors)) {
      const middleware: MiddlewareHandler = (context, next) => {
        look(context.req.header('authorization'));
        return next();
      };
      app.get(`/${name}`, middleware, (context) => context.json(todos));
    }
    return serve({ fetch: app.fetch, port, hostname });
  },
  node: (guards, floors, { port, todos }) => {
    const handler: NodeHandler = (_request, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(todos));
    const routes: Record<string, NodeHandler> = {
      '/open': handler,
      '/cached': nodeGuard(guards.cached)(requirement, handler),
      '/uncached': nodeGuard(guards.uncached)(requirement, handler),
    };
    for (const [name, look] of Object.entries(floors)) {
      routes[`/${name}`] = (request, response) => {
        look(request.headers.authorization);
        return handler(request, response);
      };
    }
    return createServer((request, response) => void routes[request.url ?? '']?.(request, response)).listen(
      port,
      hostname,
    );
  },
};

function makeFloors(secret: Buffer): Floors {
  const key = createSecretKey(secret);
  const seen = new Map<string, unknown>();
  const read = (authorization = ''): unknown => {
    const [header = '', payload = '', signature = ''] = authorization.slice('Bearer '.length).split('.');
    const mac = createHmac('sha256', key).update(`${header}.${payload}`).digest();
    if (!timingSafeEqual(mac, Buffer.from(signature, 'base64url'))) throw new Error('The token is not ours');
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  };
  return {
    unchecked: read,
    known: (authorization = '') => {
      const token = authorization.slice('Bearer '.length);
      if (!seen.has(token)) seen.set(token, read(authorization));
    },
  };
}

const [framework = '', text = ''] = process.argv.slice(2);
const settings = JSON.parse(text) as ServerSettings;
const { secret, issuer, audience, typ } = settings;
const bytes = Buffer.from(secret, 'base64url');
const trusted = { issuer, audience, typ, keys: secretKey(bytes) };
await apps[framework]?.(
  { cached: createGuard(trusted), uncached: createGuard({ ...trusted, cacheSize: 0 }) },
  makeFloors(bytes),
  settings,
);

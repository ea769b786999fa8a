// A route of one framework, open and behind our guard, with its cache of verified tokens and without:
// tsx server.ts FRAMEWORK SETTINGS
import { createServer } from 'node:http';
import { serve } from '@hono/node-server';
import { createGuard, type Guard } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { fastifyGuard } from '@sallyport/guard/fastify';
import { honoGuard } from '@sallyport/guard/hono';
import { type NodeHandler, nodeGuard } from '@sallyport/guard/node';
import { secretKey } from '@sallyport/jwt';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import type { ServerSettings } from './servers.ts';

/** Guards by the route they stand before; the other route is `/open`. */
interface Guards {
  readonly cached: Guard;
  readonly uncached: Guard;
}

type App = (guards: Guards, settings: ServerSettings) => unknown;

const requirement = { scope: 'todos:read' } as const;
const hostname = '127.0.0.1';

const apps: Readonly<Record<string, App>> = {
  express: (guards, { port, todos }) => {
    const handler = (_request: unknown, response: { json(body: unknown): unknown }): unknown => response.json(todos);
    const app = express();
    app.get('/open', handler);
    app.get('/cached', expressGuard(guards.cached)(requirement), handler);
    app.get('/uncached', expressGuard(guards.uncached)(requirement), handler);
    return app.listen(port, hostname);
  },
  fastify: async (guards, { port, todos }) => {
    const handler = async (): Promise<unknown> => todos;
    const app = Fastify();
    app.get('/open', handler);
    app.get('/cached', { onRequest: fastifyGuard(guards.cached)(requirement) }, handler);
    app.get('/uncached', { onRequest: fastifyGuard(guards.uncached)(requirement) }, handler);
    return app.listen({ port, host: hostname });
  },
  hono: (guards, { port, todos }) => {
    const app = new Hono();
    app.get('/open', (context) => context.json(todos));
    app.get('/cached', honoGuard(guards.cached)(requirement), (context) => context.json(todos));
    app.get('/uncached', honoGuard(guards.uncached)(requirement), (context) => context.json(todos));
    return serve({ fetch: app.fetch, port, hostname });
  },
  node: (guards, { port, todos }) => {
    const handler: NodeHandler = (_request, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(todos));
    const routes: Readonly<Record<string, NodeHandler>> = {
      '/open': handler,
      '/cached': nodeGuard(guards.cached)(requirement, handler),
      '/uncached': nodeGuard(guards.uncached)(requirement, handler),
    };
    return createServer((request, response) => void routes[request.url ?? '']?.(request, response)).listen(
      port,
      hostname,
    );
  },
};

const [framework = '', text = ''] = process.argv.slice(2);
const settings = JSON.parse(text) as ServerSettings;
const { secret, issuer, audience, typ } = settings;
const trusted = { issuer, audience, typ, keys: secretKey(Buffer.from(secret, 'base64url')) };
await apps[framework]?.(
  { cached: createGuard(trusted), uncached: createGuard({ ...trusted, cacheSize: 0 }) },
  settings,
);

import { getRequestListener } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createCookieRenewal, createGuard, createSessionCookies } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { fastifyGuard } from '@sallyport/guard/fastify';
import { honoGuard } from '@sallyport/guard/hono';
import { koaGuard } from '@sallyport/guard/koa';
import { nodeGuard } from '@sallyport/guard/node';
import type { App } from '../contract/contract-app.ts';
import { listen } from '../listening.ts';
import { anAccessToken, audience, inSeconds, issuer, issuerKeys } from '../tokens.ts';

const cookies = createSessionCookies({ origin: 'https://app.example.test' });
const guard = createGuard({ issuer, audience, keys: issuerKeys, credentials: [cookies.source] });
const fresh = anAccessToken({ iat: inSeconds(0), exp: inSeconds(900), sub: 'fresh' });
const renew = createCookieRenewal({
  cookies,
  refresh: async () => ({ accessToken: fresh, expiresIn: 900, refreshToken: 'second', refreshExpiresIn: 86_400 }),
});

/** The same application on each: renewal before a guard, and a handler that sets a cookie of its own. */
const apps: Readonly<Record<string, () => Promise<App>>> = {
  express: () => {
    const app = express();
    app.use(async (request, response, next) => {
      response.append('Set-Cookie', await renew(request));
      next();
    });
    app.get('/me', expressGuard(guard)(), ({ auth }, response) => {
      response.append('Set-Cookie', 'theme=dark').json({ subject: auth.subject });
    });
    return listen(app);
  },
  fastify: async () => {
    const app = Fastify();
    app.addHook('onRequest', async ({ raw }, reply) => void reply.header('set-cookie', await renew(raw)));
    app.get('/me', { onRequest: fastifyGuard(guard)() }, async ({ auth }, reply) => {
      void reply.header('set-cookie', 'theme=dark');
      return { subject: auth.subject };
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
  koa: () => {
    const app = new Koa();
    app.use(async (ctx, next) => {
      ctx.append('Set-Cookie', await renew(ctx.req));
      await next();
    });
    app.use(koaGuard(guard)());
    app.use((ctx) => {
      ctx.append('Set-Cookie', 'theme=dark');
      ctx.body = { subject: ctx.state['auth'].subject as string };
    });
    return listen(app.callback());
  },
  hono: () => {
    const app = new Hono<{ Bindings: { readonly incoming: IncomingMessage } }>();
    app.use(async (context, next) => {
      for (const line of await renew(context.env.incoming)) context.header('Set-Cookie', line, { append: true });
      await next();
    });
    app.get('/me', honoGuard(guard)(), (context) => {
      context.header('Set-Cookie', 'theme=dark', { append: true });
      return context.json({ subject: context.var.auth.subject });
    });
    return listen(getRequestListener(async (request, env) => app.fetch(request, env)));
  },
  'node:http': () => {
    const me = nodeGuard(guard)({}, ({ auth }, response) => {
      response.appendHeader('Set-Cookie', 'theme=dark').end(JSON.stringify({ subject: auth.subject }));
    });
    return listen(async (request, response) => {
      response.setHeader('Set-Cookie', await renew(request));
      return me(request, response);
    });
  },
};

describe.each(Object.entries(apps))('renewal before a guard of %s', (_, start) => {
  it('reaches the guard, the handler and the browser', async () => {
    const { port, close } = await start();
    const get = async (cookie: string): Promise<readonly unknown[]> => {
      const response = await fetch(`http://127.0.0.1:${String(port)}/me`, { headers: { cookie } });
      const names = response.headers.getSetCookie().map((line) => line.split('=', 1).join(''));
      return [response.status, response.status === 200 ? await response.json() : undefined, names];
    };
    const renewed = ['__Host-access_token', '__Host-refresh_token', '__Host-csrf_token', 'theme'];
    const expired = `__Host-access_token=${anAccessToken({ exp: inSeconds(-1) })}`;
    expect(await get(`${expired}; __Host-refresh_token=first`)).toEqual([200, { subject: 'fresh' }, renewed]);
    expect(await get(`__Host-access_token=${fresh}; __Host-refresh_token=first`)).toEqual([
      200,
      { subject: 'fresh' },
      ['theme'],
    ]);
    expect(await get(expired)).toEqual([401, undefined, []]);
    await close();
  });
});

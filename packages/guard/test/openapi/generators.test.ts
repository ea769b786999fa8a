import 'reflect-metadata';
import swagger from '@fastify/swagger';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { Router } from '@koa/router';
import { ApiParam, ApiResponse, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Controller, Get, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express5 from 'express';
import express4 from 'express4';
import Fastify from 'fastify';
import { Hono, type MiddlewareHandler } from 'hono';
import { describeRoute, generateSpecs } from 'hono-openapi';
import Koa from 'koa';
import { describe, expect, it } from 'vitest';
import { expressGuard } from '@sallyport/guard/express';
import { fastifyGuard } from '@sallyport/guard/fastify';
import { honoGuard } from '@sallyport/guard/hono';
import { koaGuard } from '@sallyport/guard/koa';
import { nestGuard } from '@sallyport/guard/nestjs';
import { describeFastify, describeRoutes, openApiComponents, openApiOperation } from '@sallyport/guard/openapi';
import { findFaults, read, type ReadDocument } from './documents.ts';
import { aDescribedGuard, expected } from './guards.ts';

const info = { title: 'Todos', version: '1', license: { name: 'MIT', url: 'https://example.test' } };
const empty = { openapi: '3.1.0', info };
const guardStatuses = new Set(['400', '401', '403', '503']);

/** What a document says of a route's guards. */
function describedAs({ paths }: ReadDocument, path: string, method: string): object {
  const operation = paths[path]?.[method];
  const statuses = Object.keys(operation?.responses ?? {}).filter((status) => guardStatuses.has(status));
  return { security: operation?.security, statuses };
}

/** Every generator must make the same of the same four routes, and by the specification. */
async function expectFourRoutes(document: unknown): Promise<void> {
  const said = read(document);
  expect(describedAs(said, '/me', 'get')).toEqual(expected.signedIn);
  expect(describedAs(said, '/todos/{id}', 'post')).toEqual(expected.scoped);
  expect(describedAs(said, '/greeting', 'get')).toEqual(expected.optional);
  expect(describedAs(said, '/', 'get')).toEqual(expected.open);
  // What the operations refer to is there.
  expect(Object.keys(said.components.securitySchemes).toSorted()).toEqual(['accessToken', 'signIn']);
  expect(await findFaults(document)).toBe('');
}

describe('fastify and @fastify/swagger', () => {
  it('document what stands on routes', async () => {
    const guard = aDescribedGuard();
    const protect = fastifyGuard(guard);
    const app = Fastify();
    await app.register(swagger, { openapi: { openapi: '3.1.0', info }, ...describeFastify(guard) });
    app.get('/', async () => ({}));
    app.get('/me', { onRequest: protect() }, async () => ({}));
    app.post('/todos/:id', { preHandler: [protect({ scope: ['todos:read', 'todos:write'] })] }, async () => ({}));
    const schema = { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } };
    app.get('/greeting', { onRequest: protect({ optional: true }), schema }, async () => ({ hello: 'you' }));
    await app.ready();
    await expectFourRoutes(app.swagger());
    await app.close();
  });

  it('document what stands before everything, and leave bodies as they are', async () => {
    const guard = aDescribedGuard();
    const protect = fastifyGuard(guard);
    const app = Fastify();
    await app.register(swagger, { openapi: { info }, ...describeFastify(guard) });
    app.get('/', async () => ({}));
    await app.register(async (routes) => {
      protect.everything(routes);
      routes.get('/me', async (request) => ({ subject: protect.accessOf(request).subject }));
      routes.get('/admin', { onRequest: protect({ role: 'admin' }) }, async () => ({}));
    });
    await app.ready();
    const said = read(app.swagger());
    expect(describedAs(said, '/me', 'get')).toEqual(expected.signedIn);
    expect(describedAs(said, '/admin', 'get')).toMatchObject({ statuses: expected.scoped.statuses });
    expect(describedAs(said, '/', 'get')).toEqual(expected.open);
    expect(await findFaults(app.swagger())).toBe('');
    expect((await app.inject('/me')).json()).toMatchObject({ code: 'not_authenticated' });
    await app.close();
  });
});

describe('hono', () => {
  it('and hono-openapi document what stands on routes', async () => {
    const guard = aDescribedGuard();
    const protect = honoGuard(guard, { describeRoute });
    const app = new Hono();
    const done = { 200: { description: 'Done' } };
    app.get('/', describeRoute({ responses: done }), (context) => context.json({}));
    app.get('/me', protect(), describeRoute({ responses: done }), (context) => context.json({}));
    app.post('/todos/:id', protect({ scope: ['todos:read', 'todos:write'] }), (context) => context.json({}));
    app.get('/greeting', describeRoute({ responses: done }), protect({ optional: true }), (context) =>
      context.json({}),
    );
    const components = openApiComponents(guard);
    await expectFourRoutes(await generateSpecs(app, { documentation: { info, components } }));
  });

  it('and @hono/zod-openapi document what stands on routes', async () => {
    const guard = aDescribedGuard();
    const protect = honoGuard(guard);
    const app = new OpenAPIHono();
    const ok = { 200: { description: 'Done', content: { 'application/json': { schema: z.object({}) } } } };
    const guarded = (middleware: MiddlewareHandler) => {
      const { security, responses } = openApiOperation(middleware);
      return { middleware, security: security.map((way) => ({ ...way })) as never, responses: { ...responses, ...ok } };
    };
    app.openapi(createRoute({ method: 'get', path: '/', responses: ok }), (context) => context.json({}));
    app.openapi(createRoute({ method: 'get', path: '/me', ...guarded(protect()) }), (context) => context.json({}));
    const params = z.object({ id: z.string() });
    const scope = ['todos:read', 'todos:write'];
    app.openapi(
      createRoute({ method: 'post', path: '/todos/{id}', request: { params }, ...guarded(protect({ scope })) }),
      (context) => context.json({}),
    );
    app.openapi(createRoute({ method: 'get', path: '/greeting', ...guarded(protect({ optional: true })) }), (context) =>
      context.json({}),
    );
    const { securitySchemes } = openApiComponents(guard);
    for (const [name, scheme] of Object.entries(securitySchemes)) {
      app.openAPIRegistry.registerComponent('securitySchemes', name, scheme);
    }
    await expectFourRoutes(app.getOpenAPI31Document({ openapi: '3.1.0', info }));
  });
});

describe('nestjs and @nestjs/swagger', () => {
  class Root {
    readonly name = 'root';
  }
  const document = async (module: object, guard: object): Promise<object> => {
    const app = await NestFactory.create(module, { logger: false });
    const made = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle('Todos').setVersion('1').build());
    await app.close();
    return { ...made, info, components: { ...made.components, ...openApiComponents(guard) } };
  };

  it('document what stands on routes', async () => {
    const guard = aDescribedGuard();
    const { Protect } = nestGuard(guard);
    @Controller()
    class Routes {
      @Get()
      open() {
        return {};
      }
      @Get('me')
      @Protect()
      me() {
        return {};
      }
      @Protect({ scope: ['todos:read', 'todos:write'] })
      @ApiParam({ name: 'id' })
      @Post('todos/:id')
      @ApiResponse({ status: 403, description: 'Our own words' })
      add(@Param('id') id: string) {
        return { id };
      }
      @ApiResponse({ status: 200, description: 'A greeting' })
      @Get('greeting')
      @Protect({ optional: true })
      greeting() {
        return {};
      }
    }
    const made = await document({ module: Root, controllers: [Routes] }, guard);
    await expectFourRoutes(made);
    expect(read(made).paths['/todos/{id}']?.['post']?.responses['403']?.description).toBe('Our own words');
    expect(Object.keys(read(made).paths['/greeting']?.['get']?.responses ?? {})).toContain('200');
  });

  it('document what stands on controllers and before everything, and what is public', async () => {
    const guard = aDescribedGuard();
    const { Protect, Public, everything } = nestGuard(guard);
    @Controller()
    class Plain {
      @Get()
      @Public()
      open() {
        return {};
      }
      @Get('me')
      me() {
        return {};
      }
    }
    @Controller()
    @Protect({ scope: 'todos:read' })
    class Guarded {
      @ApiParam({ name: 'id' })
      @Post('todos/:id')
      @Protect({ scope: 'todos:write' })
      add(@Param('id') id: string) {
        return { id };
      }
      @Get('welcome')
      @Public()
      welcome() {
        return {};
      }
    }
    @Controller()
    class Optional {
      @Get('greeting')
      @Protect({ optional: true })
      greeting() {
        return {};
      }
    }
    const controllers = [Plain, Guarded, Optional];
    const made = await document({ module: Root, imports: [everything()], controllers }, guard);
    await expectFourRoutes(made);
    expect(describedAs(read(made), '/welcome', 'get')).toEqual(expected.open);
  });
});

describe.each([
  ['express 5', express5],
  ['express 4', express4],
])('%s and describeRoutes', (_, express) => {
  it('document what stands on routes, mounted or not', async () => {
    const protect = expressGuard(aDescribedGuard());
    const app = express();
    const todos = express.Router();
    todos.post('/:id', protect({ scope: 'todos:write' }), (_request, response) => response.end());
    app.get('/', (_request, response) => response.end());
    app.get('/greeting', protect({ optional: true }), (_request, response) => response.end());
    app.use('/todos', protect({ scope: 'todos:read' }), todos);
    app.use(protect());
    app.get('/me', express.json(), (_request, response) => response.end());
    app.all('/all', protect(), (_request, response) => response.end());
    const paths = { '/': { get: { responses: { 200: { description: 'Welcome' } } } } };
    await expectFourRoutes(describeRoutes({ openapi: '3.1.0', info, paths }, app));
  });

  it('keep what the document says of a route already', () => {
    const router = express.Router();
    const protect = expressGuard(aDescribedGuard());
    router.get(['/a/:id', '/b{/:id}'], protect({ role: 'admin' }), (_request, response) => response.end());
    const get = { summary: 'An A', responses: { 200: { description: 'A' }, 403: { description: 'Not for you' } } };
    const document = describeRoutes({ openapi: '3.1.0', paths: { '/api/a/{id}': { get } } }, router, {
      prefix: '/api',
    });
    expect(document.paths['/api/a/{id}']).toMatchObject({
      get: { summary: 'An A', responses: { 403: { description: 'Not for you' }, 401: {} }, security: [{}, {}] },
    });
    expect(Object.keys(document.paths)).toEqual(['/api/a/{id}', '/api/b/{id}']);
  });
});

describe('koa and describeRoutes', () => {
  it('document what stands on routes and before them', async () => {
    const protect = koaGuard(aDescribedGuard());
    const open = new Router();
    open.get('/', (ctx) => void (ctx.body = ''));
    open.get('/greeting', protect({ optional: true }), (ctx) => void (ctx.body = ''));
    const todos = new Router({ prefix: '/todos' });
    todos.use(protect({ scope: 'todos:read' }));
    todos.post('/:id', protect({ scope: 'todos:write' }), (ctx) => void (ctx.body = ''));
    const router = new Router();
    router.get('/me', (ctx) => void (ctx.body = ''));
    const app = new Koa().use(open.routes()).use(todos.routes()).use(protect()).use(router.routes());
    const paths = { '/': { get: { responses: { 200: { description: 'Welcome' } } } } };
    await expectFourRoutes(describeRoutes({ openapi: '3.1.0', info, paths }, app));
    const alone = describeRoutes(empty, todos);
    expect(Object.keys(alone.paths)).toEqual(['/todos/{id}']);
  });

  it('know no other apps', () => {
    expect(() => describeRoutes(empty, new Hono())).toThrow(TypeError);
  });
});

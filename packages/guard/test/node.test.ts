import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createGuard, type Requirement } from '@sallyport/guard';
import { type NodeHandler, nodeGuard } from '@sallyport/guard/node';
import type { StartApp } from './contract/contract-app.ts';
import { describeGuard } from './guard-contract.ts';
import { listen } from './listening.ts';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';

type Routes = Readonly<Record<string, NodeHandler>>;

const start: StartApp = (guard, handled) => {
  const protect = nodeGuard(guard);
  const route = (requirement: Requirement): NodeHandler =>
    protect(requirement, (request, response) => {
      handled(request.auth);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ subject: request.auth?.subject }));
    });
  const routes: Routes = {
    'GET /me': route({}),
    'GET /todos': route({ scope: 'todos:read' }),
    'POST /todos': route({ scope: ['todos:read', 'todos:write'] }),
    'GET /admin': route({ role: 'admin' }),
    'GET /greeting': route({ optional: true }),
    'GET /fresh': route({ maxAge: 300 }),
    'GET /demanding': protect({}, ({ auth }, response) => {
      handled(auth);
      auth.demand({ role: 'admin' });
      response.end(JSON.stringify({ subject: auth.subject }));
    }),
  };
  const own = protect({ policy: ({ subject }, { url }) => url === `/own/${subject}` }, ({ auth }, response) => {
    handled(auth);
    response.end(JSON.stringify({ subject: auth.subject }));
  });
  return listen((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = path.startsWith('/own/') ? own : routes[`${method} ${path}`];
    if (handler === undefined) response.writeHead(404).end();
    else handler(request, response);
  });
};

describeGuard('node', start, { inParallel: true });

describe('nodeGuard', () => {
  const protect = nodeGuard(createGuard({ issuer, audience, keys: issuerKeys }));
  const bearer = { headers: { authorization: `Bearer ${anAccessToken()}` } };

  it('refuses a misspelt requirement when the route is declared', () => {
    const misspelt: object = { roles: ['admin'] };
    expect(() => protect(misspelt as Requirement, () => undefined)).toThrow(TypeError);
  });

  it('answers 500 for a handler that breaks, says why to the process, and tells the caller nothing', async () => {
    const warned = once(process, 'warning');
    const { port, close } = await listen(
      protect({}, async () => {
        throw new Error('secret detail');
      }),
    );
    const answer = await fetch(`http://127.0.0.1:${port}/`, bearer);
    expect([answer.status, await answer.text()]).toEqual([500, '']);
    expect(await warned).toMatchObject([{ message: 'secret detail' }]);
    await close();
  });

  it('cuts an answer off that had begun before its handler demanded too much', async () => {
    const { port, close } = await listen(
      protect({}, async ({ auth }, response) => {
        response.write('begun');
        auth.demand({ role: 'admin' });
      }),
    );
    await expect(fetch(`http://127.0.0.1:${port}/`, bearer).then((answer) => answer.text())).rejects.toThrow();
    await close();
  });
});

// Run by `node --test`, as an application would: built packages, no network, no other test runner.
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { before, test } from 'node:test';
import { createGuard } from '@sallyport/guard';
import { honoGuard } from '@sallyport/guard/hono';
import { createTestIssuer } from '@sallyport/guard/testing';
import { Hono } from 'hono';

Socket.prototype.connect = () => assert.fail('the test kit must not need a network');

let issuer;
let app;
before(async () => {
  issuer = await createTestIssuer({ roles: { editor: ['todos:*'] } });
  const protect = honoGuard(createGuard(issuer.guardOptions));
  app = new Hono().get('/todos', protect({ scope: 'todos:read' }), (context) => context.text(context.var.auth.subject));
});

const statusFor = async (wishes) => (await app.request('/todos', { headers: issuer.headersFor(wishes) })).status;

await test('lets an editor in', async () => {
  const answer = await app.request('/todos', { headers: issuer.headersFor({ subject: 'ada', roles: ['editor'] }) });
  assert.deepEqual([answer.status, await answer.text()], [200, 'ada']);
});

await test('keeps everybody else out', async () => {
  assert.equal((await app.request('/todos')).status, 401);
  assert.equal(await statusFor({ roles: ['editor'], expired: true }), 401);
  assert.equal(await statusFor({ roles: ['guest'] }), 403);
});

await test('follows the clock', async (context) => {
  context.after(() => issuer.clock.forward(-3600));
  const headers = issuer.headersFor({ roles: ['editor'] });
  issuer.clock.forward(3600);
  assert.equal((await app.request('/todos', { headers })).status, 401);
});

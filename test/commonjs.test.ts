import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

it.each([
  ['@sallyport/jwt', 'verifyJwt'],
  ['@sallyport/guard', 'createGuard'],
  ['@sallyport/guard/event-stream', 'guardEventStream'],
  ['@sallyport/guard/websocket', 'websocketGuard'],
  ['@sallyport/guard/express', 'expressGuard'],
  ['@sallyport/guard/fastify', 'fastifyGuard'],
  ['@sallyport/guard/hono', 'honoGuard'],
  ['@sallyport/guard/koa', 'koaGuard'],
  ['@sallyport/guard/nestjs', 'nestGuard'],
  ['@sallyport/guard/node', 'nodeGuard'],
  ['@sallyport/guard/openapi', 'describeRoutes'],
  ['@sallyport/guard/testing', 'createTestIssuer'],
  ['@sallyport/auth', 'createAuth'],
  ['@sallyport/auth/sqlite', 'sqlite'],
  ['@sallyport/auth/postgres', 'postgres'],
  ['sallyport', 'createHandler'],
])('CommonJS code requires %s, without a warning', async (entry, name) => {
  const script = `process.stdout.write(typeof require(${JSON.stringify(entry)}).${name})`;
  const { stdout, stderr } = await run(process.execPath, ['-e', script], { cwd: root });
  expect({ stdout, stderr }).toEqual({ stdout: 'function', stderr: '' });
});

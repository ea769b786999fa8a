import { createServer } from 'node:http';
import { join } from 'node:path';
import { createGuard } from '@sallyport/guard';
import { expressGuard } from '@sallyport/guard/express';
import { describeRoutes } from '@sallyport/guard/openapi';
import express from 'express';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { freePort } from './child-process.ts';
import { password, signUp } from './http-client.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { root } from './source-files.ts';

let server: ServerProcess;
let browser: Browser;
let page: Page;
let url: string;
const app = express();
const listener = createServer(app);
const complaints: string[] = [];

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  server = await startServer({ CORS_ORIGINS: url });
  await signUp(server.url, 'ada');

  // An API of its own, as somebody who uses the packages would write it, documented in one call.
  const protect = expressGuard(createGuard({ issuer: server.url, audience: server.url }));
  app.get('/secure-data', protect(), ({ auth }, response) => {
    response.json({ session: auth.sessionId });
  });
  app.get('/admin', protect({ role: 'admin' }), (_request, response) => {
    response.json({});
  });
  const document = describeRoutes({ openapi: '3.1.0', info: { title: 'Todos', version: '1' } }, app);
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  const assets = join(root, 'packages/server/dist/docs');
  app.get('/docs', (_request, response) => {
    response.sendFile(join(assets, 'page.html'));
  });
  app.use('/docs', express.static(assets));
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));

  browser = await launchBrowser();
  page = await browser.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  listener.close();
  listener.closeAllConnections();
  await server?.remove();
});

/** Presses Execute on an operation and answers the status that is shown. */
async function statusOf(path: string): Promise<string> {
  const operation = page.locator('.opblock-get', { has: page.locator(`[data-path="${path}"]`) });
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('.execute').click();
  const status = operation.locator('.live-responses-table .response-col_status').last();
  await status.waitFor();
  return (await status.textContent()) ?? '';
}

describe("a user's own API in Swagger UI", () => {
  it('signs in at the issuer with the Authorize button', async () => {
    await page.goto(`${url}/docs`);
    await page.locator('.btn.authorize').first().click();
    await page.locator('#oauth_username').fill('ada');
    await page.locator('#oauth_password').fill(password);
    const signIn = page.locator('.auth-container', { has: page.locator('#oauth_username') });
    await signIn.locator('.authorize').click();
    await page.getByText('Logout').first().waitFor();
    await page.locator('.btn-done').first().click();
  });

  it('calls a guarded route with the token', async () => {
    expect(await statusOf('/secure-data')).toContain('200');
  });

  it('shows what a route refuses, and why', async () => {
    expect(await statusOf('/admin')).toContain('403');
    const operation = page.locator('.opblock-get', { has: page.locator('[data-path="/admin"]') });
    expect(await operation.textContent()).toContain('What the caller may do is not enough: role admin');
  });

  it('leaves no error in the page', () => {
    expect(complaints).toEqual([]);
  });
});

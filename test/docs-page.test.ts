import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { password, signUp } from './http-client.ts';
import { type ServerProcess, startServer } from './server-process.ts';

let server: ServerProcess;
let browser: Browser;
let page: Page;
const requested: string[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  server = await startServer();
  await signUp(server.url, 'ada');
  browser = await launchBrowser();
  page = await browser.newPage();
  page.on('request', (request) => requested.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

describe('/docs in a browser', () => {
  it('shows every operation', async () => {
    await page.goto(`${server.url}/docs`);
    await page.locator('.opblock').first().waitFor();
    const paths = await page.locator('.opblock-summary-path').allTextContents();
    for (const path of ['/register', '/token', '/me', '/users/{id}/roles']) {
      expect(paths.map((text) => text.replaceAll('\u200B', ''))).toContain(path);
    }
  });

  it('signs in with the Authorize button', async () => {
    await page.locator('.btn.authorize').first().click();
    await page.locator('#oauth_username').waitFor();
    expect(await page.getByText('sessionCookie').first().isVisible()).toBe(false);
    await page.locator('#oauth_username').fill('ada');
    await page.locator('#oauth_password').fill(password);
    await page.locator('.auth-btn-wrapper .authorize').first().click();
    await page.getByText('Logout').first().waitFor();
    expect(await page.locator('.auth-container .errors').count()).toBe(0);
    await page.locator('.btn-done').first().click();
  });

  it('tries GET /me and gets 200', async () => {
    const operation = page.locator('.opblock-get', { has: page.locator('[data-path="/me"]') });
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.execute').click();
    const status = operation.locator('.live-responses-table .response-col_status').last();
    await status.waitFor();
    expect(await status.textContent()).toContain('200');
    expect(await operation.locator('.live-responses-table').textContent()).toContain('"username": "ada"');
  });

  it('keeps working for whoever is signed in by cookie as well: the bearer token counts', async () => {
    await signUp(server.url, 'grace');
    const status = await page.evaluate(
      async (body) => {
        const headers = { 'content-type': 'application/json' };
        return (await fetch('login', { method: 'POST', headers, body: JSON.stringify(body) })).status;
      },
      { username: 'grace', password },
    );
    expect(status).toBe(200);
    expect(await page.evaluate('document.cookie')).toContain('csrf_token=');
    const operation = page.locator('.opblock-get', { has: page.locator('[data-path="/me"]') });
    const answered = page.waitForResponse((response) => response.url() === `${server.url}/me`);
    await operation.locator('.execute').click();
    expect(await (await answered).json()).toMatchObject({ username: 'ada' });
  });

  it('asks no other server for anything', () => {
    const elsewhere = requested.filter((url) => !url.startsWith(`${server.url}/`) && !url.startsWith('data:'));
    expect(elsewhere).toEqual([]);
  });

  it('leaves the console without errors and warnings', () => {
    expect(complaints).toEqual([]);
  });
});

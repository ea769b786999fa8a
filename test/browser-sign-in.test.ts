import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { type GuideApp, startGuideApp } from './guide-app.ts';
import { password, post, signUp } from './http-client.ts';
import { type ServerProcess, startServer } from './server-process.ts';

let browser: Browser;
/** Serves an empty page on any host name of this machine: where an attacker, or a front end of its own, may stand. */
let elsewhere: Server;
let elsewherePort: number;

beforeAll(async () => {
  browser = await launchBrowser();
  elsewhere = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>elsewhere</title>');
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  elsewherePort = (elsewhere.address() as AddressInfo).port;
});
afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
});

/** What a page can learn of a request it makes, with the cookies of the other host if the browser sends them. */
const ask = (page: Page, url: string, options: Readonly<Record<string, unknown>>): Promise<string> =>
  page.evaluate(
    async (request) => {
      const asked = fetch(request.url, { credentials: 'include', ...request.options });
      return asked.then(
        async (response) => `${String(response.status)} ${await response.text()}`,
        () => 'unreadable',
      );
    },
    { url, options },
  );

describe('the page of docs/guides/browser-sign-in.md', () => {
  let app: GuideApp;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    app = await startGuideApp('browser-sign-in', {
      'app.ts': 'ts',
      'public/index.html': 'html',
      'public/page.js': 'js',
    });
    for (const username of ['ada', 'mallory']) await post(`${app.url}/auth/register`, { username, password });
    context = await browser.newContext();
    page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterAll(() => app?.remove());

  const cookie = async (name: string): Promise<string | undefined> =>
    (await context.cookies(app.url)).find((each) => each.name === name)?.value;
  const addTodo = async (title: string): Promise<void> => {
    await page.locator('#add input').fill(title);
    await page.locator('#add button').click();
    await page.locator('li', { hasText: title }).waitFor();
  };

  it('tells a wrong password in words', async () => {
    await page.goto(app.url);
    await page.locator('[name=username]').fill('ada');
    await page.locator('[name=password]').fill('wrong');
    await page.locator('#sign-in button').click();
    await page.getByText('Incorrect username or password').waitFor();
  });

  it('signs in and calls the API', async () => {
    await page.locator('[name=password]').fill(password);
    await page.locator('#sign-in button').click();
    await page.getByText('Hello, ada').waitFor();
    await addTodo('Buy milk');
  });

  it('S11 shows scripts nothing but the CSRF token', async () => {
    expect(await page.evaluate('document.cookie')).toMatch(/^csrf_token=[\w-]{32}$/);
    expect((await context.cookies(app.url)).map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([
      ['access_token', true, 'Lax'],
      ['refresh_token', true, 'Lax'],
      ['csrf_token', false, 'Lax'],
    ]);
  });

  it('refreshes by itself when the access token has gone', async () => {
    const before = await cookie('refresh_token');
    await context.clearCookies({ name: 'access_token' });
    await page.reload();
    await page.getByText('Hello, ada').waitFor();
    expect(await cookie('access_token')).toBeDefined();
    expect(await cookie('refresh_token')).not.toBe(before);
  });

  it('S4 refreshes in five tabs at once without losing the session', async () => {
    await context.clearCookies({ name: 'access_token' });
    const tabs = await Promise.all(Array.from({ length: 5 }, () => context.newPage()));
    await Promise.all(tabs.map((tab) => tab.goto(app.url)));
    await Promise.all(tabs.map((tab) => tab.getByText('Hello, ada').waitFor()));
    await Promise.all(tabs.map((tab) => tab.close()));
    await context.clearCookies({ name: 'access_token' });
    await addTodo('Write tests');
  });

  describe.each([
    ['another origin of the same site', '127.0.0.1'],
    ['another site', 'localhost'],
  ])('S12 from %s', (_, host) => {
    let attacker: Page;
    beforeAll(async () => {
      attacker = await context.newPage();
      await attacker.goto(`http://${host}:${String(elsewherePort)}/`);
    });
    afterAll(() => attacker.close());

    it('nothing is read, changed, refreshed or ended', async () => {
      const [before, form] = [await cookie('refresh_token'), { 'content-type': 'application/x-www-form-urlencoded' }];
      const json = { 'content-type': 'application/json' };
      expect(await ask(attacker, `${app.url}/auth/me`, {})).toBe('unreadable');
      const blindly = { method: 'POST', mode: 'no-cors' };
      for (const path of ['/auth/logout', '/auth/token/refresh', '/auth/me/sessions']) {
        await ask(attacker, `${app.url}${path}`, blindly);
      }
      await ask(attacker, `${app.url}/todos`, { ...blindly, headers: form, body: 'title=forged' });
      expect(await ask(attacker, `${app.url}/auth/me/sessions`, { method: 'DELETE' })).toBe('unreadable');
      const forged = { method: 'POST', headers: json, body: '{"title":"forged"}' };
      expect(await ask(attacker, `${app.url}/todos`, forged)).toBe('unreadable');
      expect(await cookie('refresh_token')).toBe(before);
      await page.reload();
      await page.getByText('Hello, ada').waitFor();
      expect(await page.locator('li').allTextContents()).not.toContain('forged');
    });

    it.each([
      ['login', `<input name="username" value="mallory"><input name="password" value="${password}">`],
      ['logout', ''],
      ['token/refresh', ''],
    ])('S13 a form that takes the whole window gets nowhere at %s', async (path, fields) => {
      const before = await cookie('refresh_token');
      const window = await context.newPage();
      await window.goto(`http://${host}:${String(elsewherePort)}/`);
      await window.setContent(
        `<form method="post" action="${app.url}/auth/${path}">${fields}<button>x</button></form>`,
      );
      const answered = window.waitForResponse((response) => response.url() === `${app.url}/auth/${path}`);
      await window.locator('button').click();
      const response = await answered;
      await response.finished();
      await window.close();
      // Without the cookie, which the browser keeps back from another site, there is nothing to refresh.
      expect([400, 403]).toContain(response.status());
      expect(await cookie('refresh_token')).toBe(before);
      await page.reload();
      await page.getByText('Hello, ada').waitFor();
    });
  });

  it('S8 signs out: the cookies are gone, and captured ones are dead', async () => {
    const captured = await context.cookies(app.url);
    await page.locator('#sign-out').click();
    await page.locator('#sign-in').waitFor();
    expect(await context.cookies(app.url)).toEqual([]);
    const thief = await browser.newContext();
    await thief.addCookies(captured);
    const tab = await thief.newPage();
    await tab.goto(app.url);
    await tab.locator('#sign-in').waitFor();
    expect(await tab.evaluate(async () => (await fetch('/todos')).status)).toBe(401);
    await thief.close();
  });

  it('breaks nowhere on the way', () => {
    expect(complaints).toEqual([]);
    expect(app.program.output()).toBe('');
  });
});

describe('a front end on another origin of the same site', () => {
  let server: ServerProcess;
  let page: Page;
  const secrets: string[] = [];

  beforeAll(async () => {
    server = await startServer({ CORS_ORIGINS: `http://127.0.0.1:${String(elsewherePort)}`, LOG_LEVEL: 'trace' });
    await signUp(server.url, 'ada');
    page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${String(elsewherePort)}/`);
  });
  afterAll(() => server?.remove());

  const json = { 'content-type': 'application/json' };
  const remember = async (): Promise<void> => {
    for (const { value } of await page.context().cookies(server.url)) secrets.push(value);
  };

  it('S14 signs in, calls, refreshes and signs out when CORS_ORIGINS names it', async () => {
    const body = JSON.stringify({ username: 'ada', password });
    expect(await ask(page, `${server.url}/login`, { method: 'POST', headers: json, body })).toMatch(/^200 /);
    await remember();
    expect(await ask(page, `${server.url}/me`, {})).toContain('"username":"ada"');
    const change = { method: 'PATCH', headers: json, body: '{"email":"ada@example.com"}' };
    expect(await ask(page, `${server.url}/me`, change)).toMatch(/^200 /);
    expect(await ask(page, `${server.url}/token/refresh`, { method: 'POST' })).toMatch(/^200 /);
    await remember();
    expect(await ask(page, `${server.url}/logout`, { method: 'POST' })).toBe('204 ');
    expect(await page.context().cookies(server.url)).toEqual([]);
  });

  it('S14 gets nothing under another name of the same machine', async () => {
    const stranger = await page.context().newPage();
    await stranger.goto(`http://localhost:${String(elsewherePort)}/`);
    const body = JSON.stringify({ username: 'ada', password });
    const answer = await ask(stranger, `${server.url}/login`, { method: 'POST', headers: json, body });
    expect(answer).toBe('unreadable');
    expect(await page.context().cookies(server.url)).toEqual([]);
    await stranger.close();
  });

  it('S19 leaves no cookie in the log', () => {
    expect(new Set(secrets).size).toBe(6);
    const log = server.program.output();
    expect(log).toContain('"path":"/token/refresh"');
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});

import { expect } from 'vitest';
import { CookieJar } from './cookie-jar.ts';
import { type Answer, type Call, goodPassword, type TestServer } from './http-server.ts';

export const appOrigin = 'https://app.example.com';
export const credentials = { username: 'alice', password: goodPassword };

/** What browsers say of a request that a page of the same origin made, and of one that another site made. */
export const ownPage = { 'sec-fetch-site': 'same-origin' };
export const otherSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };

/** A browser on a page of the server's origin: it keeps cookies and says which page asked. */
export interface Browser {
  readonly jar: CookieJar;
  readonly call: (method: string, path: string, call?: Call) => Promise<Answer>;
}

export function aBrowser(server: TestServer): Browser {
  const jar = new CookieJar();
  const call = async (method: string, path: string, { headers, ...rest }: Call = {}): Promise<Answer> => {
    const cookie: Record<string, string> = jar.line === '' ? {} : { cookie: jar.line };
    const answer = await server.call(method, path, { ...rest, headers: { ...cookie, ...(headers ?? ownPage) } });
    jar.take(answer.headers);
    return answer;
  };
  return { jar, call };
}

/** A browser in which alice has signed in. */
export async function aSignedInBrowser(server: TestServer): Promise<Browser> {
  const browser = aBrowser(server);
  expect((await browser.call('POST', '/login', { body: credentials })).status).toBe(200);
  return browser;
}

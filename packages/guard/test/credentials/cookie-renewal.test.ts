import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createCookieRenewal,
  createGuard,
  createSessionCookies,
  nodeRequest,
  type SessionTokens,
} from '@sallyport/guard';
import { anAccessToken, audience, inSeconds, issuer, issuerKeys } from '../tokens.ts';

const cookies = createSessionCookies({ origin: 'https://app.example.test' });
const guard = createGuard({ issuer, audience, keys: issuerKeys, credentials: [cookies.source] });

/** A token of 900 seconds of which so many are left. */
const aTokenWith = (left: number, changes: object = {}): string =>
  anAccessToken({ iat: inSeconds(left - 900), exp: inSeconds(left), ...changes });
const renewed = (): SessionTokens => ({
  accessToken: aTokenWith(900, { sub: 'renewed' }),
  expiresIn: 900,
  refreshToken: 'second',
  refreshExpiresIn: 86_400,
});
const sessionOver = (): Error => Object.assign(new Error('over'), { code: 'refresh_token_invalid' });
const storeDown = (): Error => Object.assign(new Error('down'), { code: 'store_unavailable' });

let refresh: () => Promise<SessionTokens>;
let traded: string[] = [];
beforeEach(() => {
  traded = [];
  refresh = async () => renewed();
});

/** What came of one request: what the guard made of it behind the renewal, and what a handler saw. */
interface Outcome {
  readonly setCookie: readonly string[];
  readonly subject: string | undefined;
  readonly refusal: string | undefined;
  readonly cookie: string | undefined;
  readonly error: unknown;
}

let port: number;
let outcome: Outcome;
const renew = createCookieRenewal({
  cookies,
  refresh: async ({ refreshToken }) => {
    traded.push(refreshToken);
    return refresh();
  },
});

async function handle(request: IncomingMessage): Promise<Outcome> {
  const setCookie = await renew(request);
  const verdict = await guard.check(nodeRequest(request));
  return {
    setCookie,
    subject: verdict.granted ? verdict.access?.subject : undefined,
    refusal: verdict.granted ? undefined : verdict.refusal.body.code,
    cookie: request.headers.cookie,
    error: undefined,
  };
}

const nothing = { setCookie: [], subject: undefined, refusal: undefined, cookie: undefined };
const server = createServer((request, response) => {
  const record = async (): Promise<unknown> => {
    outcome = await handle(request).catch((error: unknown) => ({ ...nothing, error }));
    return response.end();
  };
  void record();
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

/** Sends a request over a real connection, with as many `Cookie` lines as given. */
async function call(lines: readonly string[], headers: object = {}, method = 'GET'): Promise<Outcome> {
  const request = send({ port, host: '127.0.0.1', method, agent: false, headers: { ...headers, cookie: [...lines] } });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return outcome;
}
const jar = (accessToken: string | undefined, refreshToken = 'first'): string =>
  [
    ...(accessToken === undefined ? [] : [`__Host-access_token=${accessToken}`]),
    `__Host-refresh_token=${refreshToken}`,
    'theme=dark',
  ].join('; ');

describe('renewing the cookies of a session', () => {
  it('leaves a token alone that has more than a third of its life before it', async () => {
    expect(await call([jar(aTokenWith(400))])).toMatchObject({ setCookie: [], subject: 'user-1' });
    expect(traded).toEqual([]);
  });

  it('replaces one in the last third for the requests to come, and lets this one go on with it', async () => {
    const result = await call([jar(aTokenWith(200))]);
    expect(result).toMatchObject({ subject: 'user-1' });
    expect(result.setCookie[1]).toContain('__Host-refresh_token=second');
    expect(traded).toEqual(['first']);
  });

  it.each([
    ['has expired', aTokenWith(-1)],
    ['is gone', undefined],
    ['is no token', 'garbage'],
    ['never expires by its own account', anAccessToken({ exp: undefined })],
  ])('replaces one that %s for this request too', async (_, accessToken) => {
    const result = await call([jar(accessToken)]);
    expect(result).toMatchObject({ subject: 'renewed', refusal: undefined });
    expect(result.setCookie).toHaveLength(3);
    expect(result.cookie).toMatch(
      /^theme=dark; __Host-access_token=.+; __Host-refresh_token=second; __Host-csrf_token=/,
    );
    expect(result.cookie).not.toContain('first');
  });

  it('rewrites cookies that arrive in several lines', async () => {
    const result = await call(['theme=dark', '__Host-refresh_token=first', `__Host-access_token=${aTokenWith(-1)}`]);
    expect(result).toMatchObject({ subject: 'renewed' });
    expect(result.cookie).toMatch(/^theme=dark; __Host-access_token=/);
  });

  it('does nothing without a refresh token, or with two', async () => {
    expect(await call(['theme=dark'])).toMatchObject({ setCookie: [], refusal: 'not_authenticated' });
    expect(await call([`${jar(undefined)}; __Host-refresh_token=planted`])).toMatchObject({ setCookie: [] });
    expect(traded).toEqual([]);
  });
});

describe('S12 a request that another site may have caused', () => {
  it('renews nothing when it may change something', async () => {
    const forged = { 'sec-fetch-site': 'cross-site' };
    expect(await call([jar(undefined)], forged, 'POST')).toMatchObject({ setCookie: [], refusal: 'not_authenticated' });
    expect(await call([jar(aTokenWith(200))], forged, 'POST')).toMatchObject({ refusal: 'csrf_proof_missing' });
    expect(traded).toEqual([]);
  });

  it('is none when a page of ours sends a form after a long while', async () => {
    const own = { 'sec-fetch-site': 'same-origin' };
    expect(await call([jar(undefined)], own, 'POST')).toMatchObject({ subject: 'renewed' });
  });
});

describe('S8 a session that has ended', () => {
  beforeEach(() => {
    refresh = async () => Promise.reject(sessionOver());
  });

  it('stays ended: its cookies are taken away', async () => {
    for (const accessToken of [undefined, aTokenWith(-1), aTokenWith(200)]) {
      expect((await call([jar(accessToken)])).setCookie).toEqual(cookies.clear());
    }
  });
});

describe('B9 a store that cannot be asked', () => {
  beforeEach(() => {
    refresh = async () => Promise.reject(storeDown());
  });

  it('takes no cookies away, and lets a request go on whose token is still good', async () => {
    expect(await call([jar(aTokenWith(200))])).toMatchObject({ setCookie: [], subject: 'user-1' });
  });

  it('is an error where the request has nothing else to go by: nobody is told to sign in again', async () => {
    expect((await call([jar(undefined)])).error).toMatchObject({ code: 'store_unavailable' });
  });
});

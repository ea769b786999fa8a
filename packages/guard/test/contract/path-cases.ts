import { expect, it } from 'vitest';
import { anAccessToken } from '../tokens.ts';
import type { ContractApp } from './contract-app.ts';

const spellings = [
  '//admin',
  '/admin;x',
  '/admin;/me',
  '/%61dmin',
  '/ADMIN',
  '/Admin',
  '/admin/',
  '/admin//',
  '/admin%2f',
  '/admin%2F..%2Fme',
  '/./admin',
  '/me/../admin',
  '/me/..%2fadmin',
  '/admin?',
  '/admin#',
  '/admin%00',
  '/\\admin',
  '/admin/.',
  '/%2561dmin',
  'http://127.0.0.1/admin',
  'http://127.0.0.1//admin',
  'http://user@127.0.0.1/admin',
  'HTTP://OTHER.TEST/admin',
  'admin',
  '*',
];

/** Tricks with paths, methods and the headers of proxies. */
export function describePaths(app: ContractApp): void {
  it.each(spellings)('B7 cannot be passed by writing the path as %s', async (target) => {
    const user = `Authorization: Bearer ${anAccessToken()}`;
    const lines = [[], [user], [user, 'X-HTTP-Method-Override: OPTIONS'], [user, 'X-HTTP-Method: GET']];
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'];
    await app.withoutHandler(() =>
      Promise.all(methods.flatMap((method) => lines.map((each) => app.statusOfRaw(target, each, method)))),
    );
    expect([301, 307, 308, 400, 403, 404]).toContain(await app.statusOfRaw(target, [user]));
  });

  it('B8 grants nothing for headers of proxies and frameworks', async () => {
    const admin = anAccessToken({ roles: ['admin'] });
    const headers = {
      'x-middleware-subrequest': 'middleware:middleware:middleware',
      'x-original-url': '/greeting',
      'x-rewrite-url': '/greeting',
      'x-forwarded-uri': '/greeting',
      'x-forwarded-prefix': '/greeting',
      'x-forwarded-user': 'admin',
      'x-user-id': 'admin',
      'x-authorization': `Bearer ${admin}`,
      'x-forwarded-authorization': `Bearer ${admin}`,
      'proxy-authorization': `Bearer ${admin}`,
      cookie: `access_token=${admin}; __Host-access_token=${admin}`,
    };
    expect((await app.refuse('/admin', headers)).status).toBe(401);
  });
}

/** The methods of plain HTTP. */
export function describeMethods(app: ContractApp): void {
  it('B7 guards HEAD like GET', async () => {
    expect((await app.refuse('/admin', {}, { method: 'HEAD' })).status).toBe(401);
    const token = anAccessToken({ roles: ['admin'] });
    expect((await app.sendToken('/admin', token, { method: 'HEAD' })).status).toBe(200);
  });
}

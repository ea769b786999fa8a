import type { FeedCredential } from '@sallyport/auth';
import type { Access } from '@sallyport/guard';
import { readApiDocument, readDocs, readDocsAsset, readRoot, redirectDocs } from './operations/docs.ts';
import { readFeed } from './operations/feed.ts';
import { pingFeed, sendFeedPings } from './operations/feed-ping.ts';
import { readFeedSnapshot } from './operations/feed-snapshot.ts';
import { readLiveness, readReadiness } from './operations/health.ts';
import { listKeys, revokeKey, rotateKey } from './operations/keys.ts';
import { login } from './operations/login.ts';
import { logout } from './operations/logout.ts';
import { changeMyPassword, endMySession, endMySessions, listMySessions, readMe, updateMe } from './operations/me.ts';
import { readJwkSet, readMetadata } from './operations/metadata.ts';
import { register } from './operations/register.ts';
import { deleteRole, listRoles, setRole } from './operations/roles.ts';
import { introspectToken } from './operations/token-introspect.ts';
import { refreshToken } from './operations/token-refresh.ts';
import { revokeToken } from './operations/token-revoke.ts';
import { token } from './operations/token.ts';
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  endUserSessions,
  listUserSessions,
  listUsers,
  readUser,
  setUserRoles,
  updateUser,
} from './operations/users.ts';
import type { Operation } from './operation.ts';
import type { OwnScope } from './scopes.ts';

/** What a route asks of its caller: any valid access token, or one that carries a scope. */
export type RouteRequirement = 'signed-in' | { readonly scope: OwnScope };

interface RouteAddress {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters stand in braces: `/users/{id}`. */
  readonly path: `/${string}`;
  /** Keeps the route out of the API document. Default: `false`. */
  readonly undocumented?: true;
}

/** A route anyone may call. It must say so. */
export interface OpenRoute extends RouteAddress {
  readonly open: true;
  readonly operation: Operation;
}

/** A route for callers with an access token. */
export interface GuardedRoute extends RouteAddress {
  readonly requires: RouteRequirement;
  readonly operation: Operation<Access>;
}

/** A route for guards, which show a feed credential. */
export interface FeedRoute extends RouteAddress {
  /** `ask`: the database decides. `believe`: what it said lately is enough. */
  readonly forGuards: 'ask' | 'believe';
  readonly operation: Operation<FeedCredential>;
}

/** A route for guards, and for callers with an access token. */
export interface SharedRoute extends RouteAddress {
  readonly requires: RouteRequirement;
  readonly forGuards: 'ask';
  readonly operation: Operation<Access | FeedCredential>;
}

/** One row of the table: an address, who may call it, and what it does. */
export type Route = OpenRoute | GuardedRoute | FeedRoute | SharedRoute;

/** Everything this server answers. The handler, the guard and the API document all read this table. */
export const routes: readonly Route[] = [
  { method: 'POST', path: '/register', operation: register, open: true },
  { method: 'POST', path: '/token', operation: token, open: true },
  { method: 'POST', path: '/token/refresh', operation: refreshToken, open: true },
  { method: 'POST', path: '/token/revoke', operation: revokeToken, open: true },
  {
    method: 'POST',
    path: '/token/introspect',
    operation: introspectToken,
    requires: { scope: 'tokens:introspect' },
    forGuards: 'ask',
  },

  { method: 'POST', path: '/login', operation: login, open: true },
  { method: 'POST', path: '/logout', operation: logout, open: true },

  { method: 'GET', path: '/me', operation: readMe, requires: 'signed-in' },
  { method: 'PATCH', path: '/me', operation: updateMe, requires: 'signed-in' },
  { method: 'POST', path: '/me/password', operation: changeMyPassword, requires: 'signed-in' },
  { method: 'GET', path: '/me/sessions', operation: listMySessions, requires: 'signed-in' },
  { method: 'DELETE', path: '/me/sessions', operation: endMySessions, requires: 'signed-in' },
  { method: 'DELETE', path: '/me/sessions/{id}', operation: endMySession, requires: 'signed-in' },

  { method: 'GET', path: '/users', operation: listUsers, requires: { scope: 'users:read' } },
  { method: 'POST', path: '/users', operation: createUser, requires: { scope: 'users:write' } },
  { method: 'GET', path: '/users/{id}', operation: readUser, requires: { scope: 'users:read' } },
  { method: 'PATCH', path: '/users/{id}', operation: updateUser, requires: { scope: 'users:write' } },
  { method: 'DELETE', path: '/users/{id}', operation: deleteUser, requires: { scope: 'users:write' } },
  { method: 'PUT', path: '/users/{id}/roles', operation: setUserRoles, requires: { scope: 'users:write' } },
  { method: 'POST', path: '/users/{id}/disable', operation: disableUser, requires: { scope: 'users:write' } },
  { method: 'POST', path: '/users/{id}/enable', operation: enableUser, requires: { scope: 'users:write' } },
  { method: 'GET', path: '/users/{id}/sessions', operation: listUserSessions, requires: { scope: 'users:read' } },
  { method: 'DELETE', path: '/users/{id}/sessions', operation: endUserSessions, requires: { scope: 'users:write' } },

  { method: 'GET', path: '/roles', operation: listRoles, requires: { scope: 'roles:read' } },
  { method: 'PUT', path: '/roles/{name}', operation: setRole, requires: { scope: 'roles:write' } },
  { method: 'DELETE', path: '/roles/{name}', operation: deleteRole, requires: { scope: 'roles:write' } },

  { method: 'GET', path: '/keys', operation: listKeys, requires: { scope: 'keys:read' } },
  { method: 'POST', path: '/keys/rotate', operation: rotateKey, requires: { scope: 'keys:write' } },
  { method: 'POST', path: '/keys/{id}/revoke', operation: revokeKey, requires: { scope: 'keys:write' } },

  { method: 'GET', path: '/feed', operation: readFeed, forGuards: 'ask' },
  { method: 'POST', path: '/feed/ping', operation: pingFeed, forGuards: 'believe' },
  { method: 'POST', path: '/feed/pings', operation: sendFeedPings, forGuards: 'believe' },
  { method: 'GET', path: '/feed/snapshot', operation: readFeedSnapshot, forGuards: 'ask' },

  { method: 'GET', path: '/.well-known/jwks.json', operation: readJwkSet, open: true },
  { method: 'GET', path: '/.well-known/oauth-authorization-server', operation: readMetadata, open: true },
  { method: 'GET', path: '/openapi.json', operation: readApiDocument, open: true },
  { method: 'GET', path: '/docs', operation: readDocs, open: true },
  { method: 'GET', path: '/docs/', operation: redirectDocs, open: true, undocumented: true },
  { method: 'GET', path: '/docs/{file}', operation: readDocsAsset, open: true, undocumented: true },
  { method: 'GET', path: '/', operation: readRoot, open: true, undocumented: true },

  { method: 'GET', path: '/livez', operation: readLiveness, open: true },
  { method: 'GET', path: '/readyz', operation: readReadiness, open: true },
];

/** The methods each path answers, HEAD included where GET is, in the order of the table. */
export function methodsByPath(table: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of table) {
    const known = methods.get(path) ?? [];
    methods.set(path, [...known, ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  }
  return methods;
}

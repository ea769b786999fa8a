import { type Call, goodPassword } from '../../packages/server/test/http-server.ts';

const newPassword = 'amber-Falcon-77-meadow';

/** Somebody a call is about, made anew for every try. */
export interface Victim {
  readonly id: string;
  readonly name: string;
  readonly access: string;
  readonly refresh: string;
  readonly sessionId: string;
  /** A refresh token of another session that has been used twice since. */
  readonly stolen: string;
  /** The key that signs. */
  readonly keyId: string;
  /** A role that the victim has, and nobody else. */
  readonly role: string;
}

/** All that the database holds about a victim, by names that are the same for every victim. */
export interface State {
  readonly users: readonly object[];
  /** `current`: of the user's present epoch. */
  readonly sessions: readonly { readonly current: boolean }[];
  readonly role: readonly object[];
  readonly key: readonly object[];
  readonly changes: readonly { readonly key: string }[];
}

/** A kind of call, by what it does to a victim. */
export interface Kind {
  readonly name: string;
  readonly route: (victim: Victim) => readonly [method: string, path: string, call?: Call];
  /** Its answer when nothing is in its way. */
  readonly status: number;
  /** Further answers when it is asked again after it was done and nobody heard of it. */
  readonly again?: readonly number[];
  /** Whether an administrator asks. */
  readonly byAdministrator?: true;
  /** What it may leave when only the first of its two steps was done: in order by itself, given what both leave. */
  readonly firstStep?: (complete: State) => State;
}

const form = (fields: Record<string, string>): Call => ({ body: new URLSearchParams(fields) });

/** Routes that write and are not tried, and why. */
export const untried: Readonly<Record<string, string>> = {
  'POST /keys/rotate': 'while a key waits to sign, another one is not made: that would be one try',
  'POST /feed/ping': 'keeps what it is told in memory, and writes it down from time to time',
  'POST /feed/pings': 'takes what that takes, one after the other',
};

/** Every kind of call that asks the database for something. */
export const kinds: readonly Kind[] = [
  {
    name: 'registering',
    route: ({ name }) => ['POST', '/register', { body: { username: `${name}-friend`, password: goodPassword } }],
    status: 201,
    again: [409],
  },
  {
    name: 'signing in',
    route: ({ name }) => ['POST', '/token', form({ username: name, password: goodPassword })],
    status: 200,
  },
  {
    name: 'refreshing',
    route: ({ refresh }) => ['POST', '/token/refresh', form({ refresh_token: refresh })],
    status: 200,
  },
  {
    name: 'presenting a stolen refresh token',
    route: ({ stolen }) => ['POST', '/token/refresh', form({ refresh_token: stolen })],
    status: 400,
  },
  {
    name: 'revoking by refresh token',
    route: ({ refresh }) => ['POST', '/token/revoke', form({ token: refresh })],
    status: 200,
  },
  {
    name: 'revoking by access token',
    route: ({ access }) => ['POST', '/token/revoke', form({ token: access })],
    status: 200,
  },
  {
    name: 'signing in with cookies',
    route: ({ name }) => ['POST', '/login', { body: { username: name, password: goodPassword } }],
    status: 200,
  },
  {
    name: 'signing out with cookies',
    route: ({ access, refresh }) => [
      'POST',
      '/logout',
      {
        headers: {
          'sec-fetch-site': 'same-origin',
          cookie: `access_token=${access}; refresh_token=${refresh}`,
        },
      },
    ],
    status: 204,
  },
  {
    name: 'introspecting',
    route: ({ access }) => ['POST', '/token/introspect', form({ token: access })],
    status: 200,
    byAdministrator: true,
  },
  { name: 'reading one’s account', route: ({ access }) => ['GET', '/me', { token: access }], status: 200 },
  {
    name: 'changing one’s address',
    route: ({ access, name }) => ['PATCH', '/me', { token: access, body: { email: `${name}@example.com` } }],
    status: 200,
  },
  {
    name: 'changing one’s password',
    route: ({ access }) => [
      'POST',
      '/me/password',
      { token: access, body: { current_password: goodPassword, new_password: newPassword } },
    ],
    status: 200,
    // All of one's sessions have ended, the caller's too: who asks again has to sign in, with the new password.
    again: [401],
    firstStep: ({ sessions, ...rest }) => ({ ...rest, sessions: sessions.filter((session) => !session.current) }),
  },
  { name: 'listing one’s sessions', route: ({ access }) => ['GET', '/me/sessions', { token: access }], status: 200 },
  {
    name: 'ending one session',
    route: ({ access, sessionId }) => ['DELETE', `/me/sessions/${sessionId}`, { token: access }],
    status: 204,
    again: [401],
  },
  {
    name: 'ending all of one’s sessions',
    route: ({ access }) => ['DELETE', '/me/sessions', { token: access }],
    status: 200,
    again: [401],
  },
  {
    name: 'making a user',
    route: ({ name }) => [
      'POST',
      '/users',
      { body: { username: `${name}-friend`, password: goodPassword, roles: ['user'] } },
    ],
    status: 201,
    again: [409],
    byAdministrator: true,
  },
  {
    name: 'changing a user’s address',
    route: ({ id, name }) => ['PATCH', `/users/${id}`, { body: { email: `${name}@example.com` } }],
    status: 200,
    byAdministrator: true,
  },
  {
    name: 'disabling a user',
    route: ({ id }) => ['POST', `/users/${id}/disable`],
    status: 200,
    byAdministrator: true,
  },
  {
    name: 'enabling a user',
    route: ({ id }) => ['POST', `/users/${id}/enable`],
    status: 200,
    byAdministrator: true,
  },
  {
    name: 'changing a user’s roles',
    route: ({ id }) => ['PUT', `/users/${id}/roles`, { body: { roles: ['reader', 'user'] } }],
    status: 200,
    byAdministrator: true,
  },
  {
    name: 'ending a user’s sessions',
    route: ({ id }) => ['DELETE', `/users/${id}/sessions`],
    status: 200,
    byAdministrator: true,
  },
  {
    name: 'deleting a user',
    route: ({ id }) => ['DELETE', `/users/${id}`],
    status: 204,
    again: [404],
    byAdministrator: true,
  },
  {
    name: 'setting a role',
    route: ({ name }) => ['PUT', `/roles/${name}`, { body: { scopes: ['todos:read'] } }],
    status: 200,
    byAdministrator: true,
  },
  {
    name: 'deleting a role',
    route: ({ role }) => ['DELETE', `/roles/${role}`],
    status: 204,
    again: [404],
    byAdministrator: true,
  },
  {
    name: 'revoking the signing key',
    route: ({ keyId }) => ['POST', `/keys/${keyId}/revoke`],
    status: 200,
    // It signed the caller's token too.
    again: [401],
    byAdministrator: true,
  },
];

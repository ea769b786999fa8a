import type { Auth, User } from '@sallyport/auth';
import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import { HttpError } from '../http-error.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { mayGive, requireEvery } from '../privilege.ts';
import { showRevoked, showSessions, showUser } from '../representations.ts';
import {
  confirmQuery,
  email,
  names,
  pageOf,
  password,
  revoked,
  sessionPage,
  text,
  user,
  username,
} from '../schemas.ts';

const PAGE_LIMIT = { default: 50, maximum: 100 } as const;
const WHOLE_NUMBER = /^\d{1,9}$/;
const limitError = { error: `must be a whole number from 1 to ${PAGE_LIMIT.maximum}` } as const;

const newUser = z
  .strictObject({
    username,
    password,
    email: email.optional(),
    roles: names.optional().meta({ description: 'Default: `["user"]`.', examples: [['user']] }),
  })
  .meta({ id: 'NewUser' });

const userChanges = z
  .strictObject({ username: username.optional(), email: email.nullable().optional() })
  .meta({ id: 'UserChanges' });

const roleNames = z.strictObject({ roles: names.meta({ examples: [['user', 'editor']] }) }).meta({ id: 'RoleNames' });

const pageQuery = z.strictObject({
  limit: z
    .preprocess(
      (value) => (typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : value),
      z.int(limitError).min(1, limitError).max(PAGE_LIMIT.maximum, limitError),
    )
    .optional()
    .meta({ description: `How many users at most. Default: ${PAGE_LIMIT.default}.` }),
  cursor: text.optional().meta({ description: 'The `next_cursor` of the page before.' }),
  q: text.optional().meta({ description: 'Part of a user name or an e-mail address.' }),
});

const byId = z.strictObject({ id: text });
const page = pageOf('UserPage', user);

/** `GET /users` */
export const listUsers: Operation<Access> = defineOperation({
  id: 'listUsers',
  tag: 'Users',
  summary: 'List users, page by page',
  query: pageQuery,
  success: { status: 200, description: 'One page', schema: page },
  handle: async ({ auth, query }) => {
    const { items, nextCursor } = await auth.users.list({ ...query, limit: query.limit ?? PAGE_LIMIT.default });
    return { items: items.map(showUser), next_cursor: nextCursor ?? null };
  },
});

/** `POST /users` */
export const createUser: Operation<Access> = defineOperation({
  id: 'createUser',
  tag: 'Users',
  summary: 'Create a user',
  description: 'Works while registration is closed, too. Only roles within your own rights can be given.',
  body: { schema: newUser, mediaTypes: ['application/json'] },
  success: { status: 201, description: 'The new user', schema: user },
  refusals: ['insufficient_scope', 'username_taken', 'email_taken', 'password_refused', 'busy'],
  handle: async ({ auth, caller, body }) => {
    if (body.roles !== undefined) await requireGrantable(auth, caller, body.roles);
    return showUser(await auth.users.create(body));
  },
});

/** `GET /users/{id}` */
export const readUser: Operation<Access> = defineOperation({
  id: 'readUser',
  tag: 'Users',
  summary: 'Show a user',
  params: byId,
  success: { status: 200, description: 'The user', schema: user },
  refusals: ['user_not_found'],
  handle: async ({ auth, params }) => showUser(await auth.users.get(params.id)),
});

/** `PATCH /users/{id}` */
export const updateUser: Operation<Access> = defineOperation({
  id: 'updateUser',
  tag: 'Users',
  summary: "Change a user's name or e-mail address",
  description: '`email: null` removes the address. Users who may do more than you are out of reach.',
  params: byId,
  body: { schema: userChanges, mediaTypes: ['application/json'] },
  success: { status: 200, description: 'The user, changed', schema: user },
  refusals: ['insufficient_scope', 'user_not_found', 'username_taken', 'email_taken'],
  handle: async ({ auth, caller, params, body }) => {
    const { id } = await reachUser(auth, caller, params.id);
    return showUser(await auth.users.update(id, body));
  },
});

/** `DELETE /users/{id}` */
export const deleteUser: Operation<Access> = defineOperation({
  id: 'deleteUser',
  tag: 'Users',
  summary: 'Delete a user for good',
  params: byId,
  success: { status: 204, description: 'The user is gone, every session of theirs too' },
  refusals: ['insufficient_scope', 'user_not_found', 'last_administrator'],
  handle: async ({ auth, caller, params }) => auth.users.delete((await reachUser(auth, caller, params.id)).id),
});

/** `PUT /users/{id}/roles` */
export const setUserRoles: Operation<Access> = defineOperation({
  id: 'setUserRoles',
  tag: 'Users',
  summary: "Replace a user's roles",
  description:
    'Acts at once, on tokens already issued too. Only roles within your own rights can be given or taken: those whose ' +
    'scopes you hold all of, and those without scopes that you have yourself.',
  params: byId,
  body: { schema: roleNames, mediaTypes: ['application/json'] },
  success: { status: 200, description: 'The user, changed', schema: user },
  refusals: ['insufficient_scope', 'user_not_found', 'last_administrator'],
  handle: async ({ auth, caller, params, body }) => {
    const { id } = await reachUser(auth, caller, params.id);
    await requireGrantable(auth, caller, body.roles);
    return showUser(await auth.users.setRoles(id, body.roles));
  },
});

/** `POST /users/{id}/disable` */
export const disableUser: Operation<Access> = defineOperation({
  id: 'disableUser',
  tag: 'Users',
  summary: 'Disable a user and end their sessions',
  params: byId,
  success: { status: 200, description: 'The user, disabled', schema: user },
  refusals: ['insufficient_scope', 'user_not_found', 'last_administrator'],
  handle: async ({ auth, caller, params }) =>
    showUser(await auth.users.disable((await reachUser(auth, caller, params.id)).id)),
});

/** `POST /users/{id}/enable` */
export const enableUser: Operation<Access> = defineOperation({
  id: 'enableUser',
  tag: 'Users',
  summary: 'Let a disabled user sign in again',
  params: byId,
  success: { status: 200, description: 'The user, enabled', schema: user },
  refusals: ['insufficient_scope', 'user_not_found'],
  handle: async ({ auth, caller, params }) =>
    showUser(await auth.users.enable((await reachUser(auth, caller, params.id)).id)),
});

/** `GET /users/{id}/sessions` */
export const listUserSessions: Operation<Access> = defineOperation({
  id: 'listUserSessions',
  tag: 'Users',
  summary: "List a user's live sessions, newest first",
  params: byId,
  success: { status: 200, description: 'One for each device', schema: sessionPage },
  refusals: ['user_not_found'],
  handle: async ({ auth, caller, params }) => {
    const { id } = await auth.users.get(params.id);
    return showSessions(await auth.sessions.list(id), caller.sessionId);
  },
});

/** `DELETE /users/{id}/sessions` */
export const endUserSessions: Operation<Access> = defineOperation({
  id: 'endUserSessions',
  tag: 'Users',
  summary: 'End every session of a user',
  params: byId,
  query: confirmQuery,
  success: { status: 200, description: 'Every session has ended', schema: revoked },
  refusals: ['insufficient_scope', 'user_not_found'],
  handle: async ({ auth, caller, params, query }) => {
    const { id } = await reachUser(auth, caller, params.id);
    return query.confirm === true
      ? showRevoked(await auth.sessions.endAll(id, { confirm: true }))
      : { revoked: await auth.sessions.endAll(id) };
  },
});

/** Finds a user whom the caller may touch: one who has no role that the caller could not give. */
async function reachUser(auth: Auth, caller: Access, id: string): Promise<User> {
  const target = await auth.users.get(id);
  const roles = await auth.roles.list();
  requireEvery(
    mayGive,
    caller,
    roles.filter(({ name }) => target.roles.includes(name)),
  );
  return target;
}

async function requireGrantable(auth: Auth, caller: Access, wanted: readonly string[]): Promise<void> {
  const roles = await auth.roles.list();
  const unknown = wanted.findIndex((name) => !roles.some((role) => role.name === name));
  if (unknown >= 0) {
    throw new HttpError('value_invalid', { errors: [{ field: `roles.${unknown}`, message: 'is not a role' }] });
  }
  requireEvery(
    mayGive,
    caller,
    roles.filter(({ name }) => wanted.includes(name)),
  );
}

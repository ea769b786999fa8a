import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import { browserSession, showBrowserSession } from '../browser-session-schemas.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { showRevoked, showSessions, showTokens, showUser } from '../representations.ts';
import {
  confirmQuery,
  email,
  password,
  revoked,
  sessionPage,
  text,
  tokenResponse,
  user,
  username,
} from '../schemas.ts';

const accountChanges = z
  .strictObject({
    username: username.optional(),
    email: email.nullable().optional(),
    current_password: password
      .optional()
      .meta({ description: 'Needed unless the session began within the last ten minutes.' }),
  })
  .meta({ id: 'AccountChanges' });

const passwordChange = z
  .strictObject({ current_password: password, new_password: password })
  .meta({ id: 'PasswordChange' });

/** `GET /me` */
export const readMe: Operation<Access> = defineOperation({
  id: 'readMe',
  tag: 'Account',
  summary: 'Show your own account',
  success: { status: 200, description: 'You', schema: user },
  handle: async ({ auth, caller }) => showUser(await auth.users.get(caller.subject)),
});

/** `PATCH /me` */
export const updateMe: Operation<Access> = defineOperation({
  id: 'updateMe',
  tag: 'Account',
  summary: 'Change your own user name or e-mail address',
  description:
    'Needs the current password, or a session begun within the last ten minutes. `email: null` removes the address. ' +
    'Roles and everything else that grants rights cannot be changed here.',
  body: { schema: accountChanges, mediaTypes: ['application/json'] },
  success: { status: 200, description: 'You, changed', schema: user },
  refusals: ['sign_in_too_old', 'credentials_invalid', 'username_taken', 'email_taken', 'busy'],
  handle: async ({ auth, caller, body }) => {
    const { current_password: currentPassword, ...changes } = body;
    const proof = { sessionId: caller.sessionId, currentPassword };
    return showUser(await auth.account.update(caller.subject, changes, proof));
  },
});

/** `POST /me/password` */
export const changeMyPassword: Operation<Access> = defineOperation({
  id: 'changeMyPassword',
  tag: 'Account',
  summary: 'Change your own password',
  description:
    'Ends all of your sessions, on every device, and starts a new one with the tokens in the answer; in cookies, if that ' +
    'is how the old ones came.',
  body: { schema: passwordChange, mediaTypes: ['application/json'] },
  success: { status: 200, description: 'Tokens of the new session', schema: z.union([tokenResponse, browserSession]) },
  refusals: ['credentials_invalid', 'password_refused', 'busy'],
  handle: async ({ auth, browser, caller, body, device }) => {
    const passwords = { currentPassword: body.current_password, newPassword: body.new_password };
    const tokens = await auth.account.changePassword(caller.subject, { ...passwords, device });
    if (!browser.isCredential) return showTokens(tokens);
    browser.keep(tokens);
    return showBrowserSession(tokens);
  },
});

/** `GET /me/sessions` */
export const listMySessions: Operation<Access> = defineOperation({
  id: 'listMySessions',
  tag: 'Account',
  summary: 'List your own live sessions, newest first',
  success: { status: 200, description: 'One for each device you are signed in on', schema: sessionPage },
  handle: async ({ auth, caller }) => showSessions(await auth.sessions.list(caller.subject), caller.sessionId),
});

/** `DELETE /me/sessions` */
export const endMySessions: Operation<Access> = defineOperation({
  id: 'endMySessions',
  tag: 'Account',
  summary: 'Sign out everywhere, this session included',
  query: confirmQuery,
  success: { status: 200, description: 'Every session has ended', schema: revoked },
  handle: async ({ auth, caller, query }) =>
    query.confirm === true
      ? showRevoked(await auth.sessions.endAll(caller.subject, { confirm: true }))
      : { revoked: await auth.sessions.endAll(caller.subject) },
});

/** `DELETE /me/sessions/{id}` */
export const endMySession: Operation<Access> = defineOperation({
  id: 'endMySession',
  tag: 'Account',
  summary: 'Sign out on one device',
  params: z.strictObject({ id: text }),
  success: { status: 204, description: 'The session has ended' },
  refusals: ['session_not_found'],
  handle: async ({ auth, caller, params }) => auth.sessions.end(params.id, { userId: caller.subject }),
});

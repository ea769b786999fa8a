import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { showUser } from '../representations.ts';
import { email, password, user, username } from '../schemas.ts';

const registration = z.strictObject({ username, password, email: email.optional() }).meta({ id: 'Registration' });

/** `POST /register` */
export const register: Operation = defineOperation({
  id: 'register',
  tag: 'Account',
  summary: 'Create your own account',
  description: 'Anyone may, while registration is open. The new user has the role `user` and is not signed in yet.',
  body: { schema: registration, mediaTypes: ['application/json', 'application/x-www-form-urlencoded'] },
  success: { status: 201, description: 'The new user', schema: user },
  refusals: ['registration_closed', 'username_taken', 'email_taken', 'password_refused', 'busy', 'store_unavailable'],
  handle: async ({ auth, body }) => showUser(await auth.users.register(body)),
});

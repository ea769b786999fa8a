import { type Auth, isAuthError, type SignInInput, type TokenPair } from '@sallyport/auth';
import * as z from 'zod';
import { showBrowserSession, signInResponse } from '../browser-session-schemas.ts';
import { HttpError } from '../http-error.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { showUser } from '../representations.ts';
import { password, scope, username } from '../schemas.ts';

const loginRequest = z.strictObject({ username, password, scope: scope.optional() }).meta({ id: 'LoginRequest' });

/** `POST /login` */
export const login: Operation = defineOperation({
  id: 'login',
  tag: 'Browser',
  summary: 'Sign in, with the tokens in cookies',
  description:
    'For pages: the answer sets cookies that no script can read, and tells the page when to refresh. A session whose ' +
    'cookies came along ends. Another site cannot make a browser sign in here: the request comes from a page of this ' +
    'origin or of `CORS_ORIGINS`, or, from programs that are no browsers, as JSON.',
  admit: ({ browser }) => browser.requireOwnSignIn(),
  body: { schema: loginRequest, mediaTypes: ['application/json', 'application/x-www-form-urlencoded'] },
  success: { status: 200, description: 'Signed in; the cookies are set', schema: signInResponse },
  refusals: ['csrf_proof_missing', 'sign_in_refused', 'scope_invalid', 'busy', 'store_unavailable'],
  handle: async ({ auth, browser, body, device }) => {
    const tokens = await signIn(auth, { ...body, device });
    const user = await auth.users.get(tokens.userId);
    await browser.end();
    browser.keep(tokens);
    return { ...showBrowserSession(tokens), user: showUser(user) };
  },
});

/** The engine's code stands for a wrong current password elsewhere, which is another status. */
async function signIn(auth: Auth, input: SignInInput): Promise<TokenPair> {
  try {
    return await auth.signIn(input);
  } catch (error) {
    if (isAuthError(error) && error.code === 'credentials_invalid') throw new HttpError('sign_in_refused', {});
    throw error;
  }
}

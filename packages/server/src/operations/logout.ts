import { type Operation, defineOperation } from '../operation.ts';

/** `POST /logout` */
export const logout: Operation = defineOperation({
  id: 'logout',
  tag: 'Browser',
  summary: 'Sign out, and take the cookies away',
  description:
    'Ends the session by whichever of its cookies is still there, also when the access token has expired. Not an error ' +
    'when there is none. A 503 takes nothing away: the session has not ended, try again.',
  takesCookies: ['sessionCookie', 'refreshCookie'],
  admit: ({ browser }) => browser.requireOwnPage(),
  success: { status: 204, description: 'Signed out; the cookies are gone' },
  refusals: ['csrf_proof_missing', 'store_unavailable'],
  handle: async ({ browser }) => {
    await browser.end();
    browser.forget();
  },
});

import { createGuard, type GuardOptions } from '@sallyport/guard';
import { issuer, issuerKeys } from '../tokens.ts';

/** A guard that says what its scopes are for. */
export const aDescribedGuard = (options: Partial<GuardOptions> = {}) =>
  createGuard({
    issuer,
    audience: 'https://api.example.test',
    keys: issuerKeys,
    ...options,
  });

/** What routes of each kind should say: by the ways to call them, and the statuses of the guard's answers. */
export const expected = {
  open: { security: undefined, statuses: [] },
  signedIn: { security: [{ signIn: [] }, { accessToken: [] }], statuses: ['400', '401', '503'] },
  scoped: {
    security: [{ signIn: ['todos:read', 'todos:write'] }, { accessToken: [] }],
    statuses: ['400', '401', '403', '503'],
  },
  optional: { security: [{}, { signIn: [] }, { accessToken: [] }], statuses: ['400', '401', '503'] },
} as const;

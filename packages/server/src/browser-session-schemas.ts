import type { TokenPair } from '@sallyport/auth';
import * as z from 'zod';
import { type UserBody, user } from './schemas.ts';

/** What a page may know of its session. The tokens are in cookies, out of its reach. */
export interface BrowserSessionBody {
  readonly expires_in: number;
  readonly scope: string;
}

/** The same with whose session it is. */
export interface SignInBody extends BrowserSessionBody {
  readonly user: UserBody;
}

const sessionFields = {
  expires_in: z
    .number()
    .int()
    .meta({ description: 'Seconds until the access token in the cookie expires.', examples: [900] }),
  scope: z.string().meta({ examples: ['users:read users:write'] }),
};

/** {@link BrowserSessionBody} */
export const browserSession: z.ZodType<BrowserSessionBody> = z
  .strictObject(sessionFields)
  .meta({ id: 'BrowserSession', description: 'A session whose tokens are in cookies.' });

/** {@link SignInBody} */
export const signInResponse: z.ZodType<SignInBody> = z.strictObject({ ...sessionFields, user }).meta({ id: 'SignIn' });

/** How a session kept in cookies looks on the wire. */
export function showBrowserSession({ expiresIn, scope }: TokenPair): BrowserSessionBody {
  return { expires_in: expiresIn, scope };
}

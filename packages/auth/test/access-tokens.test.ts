import { decodeJwtUnverified } from '@sallyport/jwt';
import { expect, it } from 'vitest';
import { anAuth, password } from './auth-fixture.ts';

const timesIn = (token: string) => {
  const { iat, auth_time } = decodeJwtUnverified(token).claims;
  return { iat, auth_time };
};

it('an access token says when its user signed in, and refreshing makes that no fresher', async () => {
  const { auth, clock } = await anAuth();
  await auth.users.create({ username: 'ada', password });
  const signedIn = clock().getTime() / 1000;
  const first = await auth.signIn({ username: 'ada', password });
  expect(timesIn(first.accessToken)).toEqual({ iat: signedIn, auth_time: signedIn });
  clock.forward(600);
  const second = await auth.refresh({ refreshToken: first.refreshToken });
  clock.forward(600);
  const third = await auth.refresh({ refreshToken: second.refreshToken });
  expect(timesIn(second.accessToken)).toEqual({ iat: signedIn + 600, auth_time: signedIn });
  expect(timesIn(third.accessToken)).toEqual({ iat: signedIn + 1200, auth_time: signedIn });
  await auth.close();
});

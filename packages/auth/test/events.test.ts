import { expect, it, vi } from 'vitest';
import { anAuth, password } from './auth-fixture.ts';

it.each([
  [
    'throws',
    () => {
      throw new Error('observer');
    },
  ],
  ['rejects', (): unknown => Promise.reject(new Error('observer'))],
] as const)('an observer that %s is warned of and undoes nothing', async (_, observe) => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const { auth } = await anAuth({ onEvent: observe });
  expect((await auth.users.register({ username: 'ada', password })).username).toBe('ada');
  await new Promise((resolve) => setImmediate(resolve));
  expect(warn).toHaveBeenCalledWith(expect.objectContaining({ message: 'observer' }), 'SallyportEventListener');
  warn.mockRestore();
  await auth.close();
});

it('a refresh token that nobody made says nothing in the name of a session', async () => {
  const { auth, events } = await anAuth();
  await auth.users.register({ username: 'ada', password });
  const { refreshToken } = await auth.signIn({ username: 'ada', password });
  const forged = `${refreshToken.slice(0, -4)}AAAA`;
  await auth.refresh({ refreshToken: forged }).catch(() => undefined);
  expect(events.at(-1)).toMatchObject({ type: 'refresh_presented', outcome: 'unknown', sessionId: undefined });
  await auth.close();
});

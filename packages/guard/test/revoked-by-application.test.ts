import { describe, expect, it } from 'vitest';
import { createGuard, type Guard, type GuardOptions } from '@sallyport/guard';
import { anAccessToken, audience, forgedTokens, inSeconds, issuer, issuerKeys } from './tokens.ts';

describe('a list of revoked tokens of one’s own', () => {
  const asked: string[] = [];
  const answering = (answer: () => unknown): Guard => {
    asked.length = 0;
    const isRevoked = (({ jti }: { jti?: string }): unknown => {
      asked.push(jti ?? '');
      return answer();
    }) as NonNullable<GuardOptions['isRevoked']>;
    return createGuard({ issuer, audience, keys: issuerKeys, isRevoked });
  };
  /** `granted`, or the code of the refusal. */
  const check = async (guard: Guard, token = anAccessToken({ jti: 'token-1' })): Promise<string> => {
    const verdict = await guard.check({ authorization: [`Bearer ${token}`] });
    return verdict.granted ? 'granted' : verdict.refusal.body.code;
  };

  it('S8 is asked about every token that is good in itself, each time', async () => {
    const token = anAccessToken({ jti: 'token-1' });
    let revoked = false;
    const guard = answering(() => revoked);
    expect(await check(guard, token)).toBe('granted');
    revoked = true;
    expect(await check(guard, token)).toBe('token_revoked');
    expect(asked).toEqual(['token-1', 'token-1']);
    expect(
      await check(
        answering(async () => true),
        token,
      ),
    ).toBe('token_revoked');
    expect(
      await check(
        answering(async () => false),
        token,
      ),
    ).toBe('granted');
  });

  it('J33 is not asked about others', async () => {
    const guard = answering(() => false);
    for (const token of [...Object.values(forgedTokens()), anAccessToken({ exp: inSeconds(-1) })]) {
      expect(await check(guard, token)).not.toBe('granted');
    }
    expect(asked).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('down'))],
    ['answers neither true nor false', () => 1],
    ['answers nothing', () => undefined],
  ])('B9 that %s makes a 503, never a pass', async (_, answer) => {
    expect(await check(answering(answer))).toBe('temporarily_unavailable');
  });
});

import { describe, expect, it } from 'vitest';
import type { AccessTokenClaims } from '@sallyport/jwt';
import { Lag } from '../../../src/replica/feed/lag.ts';

const claims = (af: number): AccessTokenClaims => ({ iss: 'i', sub: 's', aud: 'a', exp: 1, af });

describe('tokens from beyond what is known', () => {
  it('show for how long something has been missing, until it is there', () => {
    const lag = new Lag();
    expect(lag.lastsAt(1000)).toBe(0);
    expect(lag.note(claims(5), 1000)).toBe(true);
    expect(lag.note(claims(4), 1500)).toBe(false);
    expect(lag.note(claims(7), 1800)).toBe(true);
    lag.settle(6);
    expect(lag.lastsAt(2000)).toBe(1000);
    lag.settle(7);
    expect(lag.lastsAt(2000)).toBe(0);
  });

  it('are of a lost history when the log is shorter at a later moment', () => {
    const lag = new Lag();
    lag.note(claims(5), 1000);
    expect(lag.rule(4, 900)).toBeUndefined();
    expect(lag.rule(4, 1000)).toBeUndefined();
    expect(lag.rule(5, 1001)).toBeUndefined();
    expect(lag.rule(4, 1001)).toBe(5);
    expect(lag.rule(4, 1002)).toBeUndefined();
    expect(lag.lastsAt(2000)).toBe(0);
  });

  it('are judged by the one from furthest beyond, and by when that was seen', () => {
    const lag = new Lag();
    lag.note(claims(5), 1000);
    lag.note(claims(9), 1500);
    expect(lag.rule(4, 1200)).toBeUndefined();
    expect(lag.rule(4, 1600)).toBe(9);
  });
});

import { describe, expect, it } from 'vitest';
import { Lease } from '../../../src/replica/feed/lease.ts';

describe('a lease', () => {
  it('was never renewed in the beginning', () => {
    expect(new Lease().ageAt(0, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('counts from the moment that was proved, not from the one the proof arrived at', () => {
    const lease = new Lease();
    lease.renew({ monotonic: 1000, wall: 501_000 }, 200);
    expect(lease.ageAt(3000, 503_000)).toBe(2200);
  });

  it('is as old as the clock says that says more: one may stand still, the other be set back', () => {
    const lease = new Lease();
    lease.renew({ monotonic: 1000, wall: 501_000 }, 0);
    expect(lease.ageAt(1000, 541_000)).toBe(40_000);
    expect(lease.ageAt(6000, 400_000)).toBe(5000);
  });

  it('never becomes older through a proof that comes late', () => {
    const lease = new Lease();
    lease.renew({ monotonic: 2000, wall: 2000 }, 0);
    lease.renew({ monotonic: 1000, wall: 1000 }, 0);
    lease.renew({ monotonic: 3000, wall: 3000 }, 1500);
    expect(lease.ageAt(3000, 3000)).toBe(1000);
    expect([lease.reaches(1999), lease.reaches(2000)]).toEqual([true, false]);
  });
});

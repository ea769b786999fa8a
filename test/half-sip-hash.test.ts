import fc from 'fast-check';
import { expect, it } from 'vitest';
import { halfSipHash } from '../packages/auth/src/feed/half-sip-hash.ts';
import { HalfSipHash } from '../packages/guard/src/replica/half-sip-hash.ts';

it('guards shorten every name as servers do', () => {
  const aKey = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const aName = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(aKey, fc.integer({ min: 1, max: 9 }), aName, (key, kind, name) => {
      const guards = new HalfSipHash(key);
      guards.digest(kind, name);
      const servers = halfSipHash(key, Buffer.concat([Buffer.from([kind]), Buffer.from(name)]));
      expect({ low: guards.low >>> 0, high: guards.high >>> 0 }).toEqual(servers);
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeKinds } from '@sallyport/guard';
import { generateKey, jwkSet, publicKey, remoteJwkSet, signJwt } from '@sallyport/jwt';
import { FeedFault } from '../../../src/replica/feed/fault.ts';
import { readSnapshot } from '../../../src/replica/feed/snapshot.ts';
import { indexOf } from '../../../src/replica/feed/snapshot-index.ts';
import { createProofCheck } from '../../../src/replica/feed/snapshot-proof.ts';
import { FeedServer } from '../../feed-server.ts';
import { issuer, issuerKey, issuerKeys } from '../../tokens.ts';

const noon = 1_800_000_000;

/** The snapshot of a log with some of everything. */
function aSnapshot(change: (server: FeedServer) => void = () => undefined, issuedAt = noon): Buffer {
  const server = new FeedServer();
  server.append({ kind: changeKinds.sessionDead, key: 'session-1', expiresAt: noon + 900 });
  server.append({ kind: changeKinds.userFloor, key: 'user-ü', expiresAt: noon + 900 });
  server.append({ kind: changeKinds.roleDefinition, key: 'user', data: { scopes: ['todos:read'] } });
  server.append({ kind: changeKinds.tokenDead, key: 'token-1', expiresAt: noon + 900 });
  server.append({ kind: changeKinds.keyDead, key: 'key-1' });
  change(server);
  return server.snapshot(issuedAt);
}

const expected = {
  issuer,
  keys: issuerKeys,
  algorithms: undefined,
  clockTolerance: 5,
  now: () => new Date(noon * 1000),
};
const check = createProofCheck(expected);

describe('a snapshot', () => {
  it('holds everything that is alive', async () => {
    const snapshot = readSnapshot(aSnapshot());
    expect(snapshot).toMatchObject({ version: 1, incarnation: 'first', head: 5, issuer });
    const index = await indexOf(snapshot);
    expect(index.size).toBe(5);
    const hits = (kind: 1 | 2 | 6 | 9, key: string, sequence: number): boolean[] => [
      index.hasAfter(kind, key, sequence - 1),
      index.hasAfter(kind, key, sequence),
      index.hasAfter(kind, `${key}x`, 0),
    ];
    expect(hits(changeKinds.sessionDead, 'session-1', 1)).toEqual([true, false, false]);
    expect(hits(changeKinds.userFloor, 'user-ü', 2)).toEqual([true, false, false]);
    expect(hits(changeKinds.tokenDead, 'token-1', 4)).toEqual([true, false, false]);
    expect(hits(changeKinds.keyDead, 'key-1', 5)).toEqual([true, false, false]);
    expect(index.hasAfter(changeKinds.userFloor, 'session-1', 0)).toBe(false);
    expect(index.find(changeKinds.roleDefinition, 'user')?.data).toEqual({ scopes: ['todos:read'] });
  });

  it('may be empty, and may be of a log that is long', async () => {
    const empty = readSnapshot(new FeedServer().snapshot());
    expect((await indexOf(empty)).size).toBe(0);
    const server = new FeedServer();
    server.head = 2 ** 40;
    server.append({ kind: changeKinds.sessionDead, key: 'session-1' });
    const index = await indexOf(readSnapshot(server.snapshot()));
    expect(index.hasAfter(changeKinds.sessionDead, 'session-1', 2 ** 40)).toBe(true);
    expect(index.hasAfter(changeKinds.sessionDead, 'session-1', 2 ** 40 + 1)).toBe(false);
  });

  it('is refused when a byte is missing, or one too many', () => {
    const bytes = aSnapshot();
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readSnapshot(bytes.subarray(0, length))).toThrow(FeedFault);
    }
    expect(() => readSnapshot(Buffer.concat([bytes, Buffer.from('x')]))).toThrow(FeedFault);
  });

  it('breaks nothing, whatever it is', () => {
    const bytes = aSnapshot();
    const changed = fc
      .tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([at, part]) => {
        const copy = Buffer.from(bytes);
        copy.set(part.subarray(0, copy.length - at), at);
        return copy;
      });
    const anything = fc.uint8Array({ maxLength: 200 }).map((part) => Buffer.concat([Buffer.from('SPF1'), part]));
    fc.assert(
      fc.property(fc.oneof(changed, anything), (part) => {
        try {
          readSnapshot(part);
        } catch (error) {
          expect(error).toBeInstanceOf(FeedFault);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the proof of a snapshot', () => {
  it('says when the issuer made it, and by which key', async () => {
    expect(await check(readSnapshot(aSnapshot()))).toEqual({ issuedAt: noon, keyId: 'issuer-1' });
  });

  it('covers every byte before it', async () => {
    const bytes = aSnapshot();
    const { signed } = readSnapshot(bytes);
    for (let at = 0; at < signed.length; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      const believing = Promise.resolve(copy).then(readSnapshot).then(check);
      await expect(believing).rejects.toThrow(FeedFault);
    }
  });

  it('is refused from anybody else, for another moment, or as another kind of token', async () => {
    const stranger = await generateKey('ES256', { keyId: 'issuer-1' });
    const other = { iss: issuer, iat: noon, inc: 'first', head: 5, sha256: 'x' };
    const withProof = (proof: string) => (server: FeedServer) => {
      server.tamper = (bytes) => {
        const { signed } = readSnapshot(bytes);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(proof.length);
        return Buffer.concat([signed, length, Buffer.from(proof)]);
      };
    };
    const forged: Readonly<Record<string, Buffer>> = {
      'by a stranger': aSnapshot((server) => (server.signer = stranger)),
      'from the future': aSnapshot(undefined, noon + 60),
      'of other bytes': aSnapshot(withProof(signJwt(other, issuerKey, { typ: 'feed-snapshot+jwt' }))),
      'that is an access token': aSnapshot(withProof(signJwt(other, issuerKey, { typ: 'at+jwt' }))),
      'that is nothing': aSnapshot(withProof('')),
      unsigned: aSnapshot(withProof('eyJhbGciOiJub25lIn0.e30.')),
    };
    for (const [what, bytes] of Object.entries(forged)) {
      const verdict = await check(readSnapshot(bytes)).catch((error: unknown) => error);
      expect({ what, verdict }).toMatchObject({ what, verdict: { reason: 'malformed' } });
    }
    const elsewhere = createProofCheck({ ...expected, issuer: 'https://other.example.test' });
    await expect(elsewhere(readSnapshot(aSnapshot()))).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('is believed under another key of the issuer too, and an algorithm that is accepted only', async () => {
    const rsa = await generateKey('RS256', { keyId: 'issuer-2' });
    const bytes = aSnapshot((server) => (server.signer = rsa));
    const keys = jwkSet([publicKey(issuerKey), publicKey(rsa)]);
    expect(await createProofCheck({ ...expected, keys })(readSnapshot(bytes))).toMatchObject({ keyId: 'issuer-2' });
    const picky = createProofCheck({ ...expected, keys, algorithms: ['ES256'] });
    await expect(picky(readSnapshot(bytes))).rejects.toMatchObject({ reason: 'malformed' });
  });

  it('cannot be checked while the keys cannot be had, and nothing is wrong with it then', async () => {
    const cutOff = createProofCheck({ ...expected, keys: remoteJwkSet('http://127.0.0.1:1/jwks') });
    await expect(cutOff(readSnapshot(aSnapshot()))).rejects.toMatchObject({ reason: 'lost' });
  });
});

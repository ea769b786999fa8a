import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateKey } from '@sallyport/jwt';
import { aFeedServer, aFollower, aTokenOf, caughtUp, theEndOf, verdictNow, verdictOn } from '../../feed-fixture.ts';
import { issuer, issuerKeys } from '../../tokens.ts';
import { until } from '../../until.ts';
import { clocksWith } from '../../../src/replica/feed/clocks.ts';
import { FeedNode } from '../../../src/replica/feed/feed-node.ts';
import { FollowedLog } from '../../../src/replica/feed/followed-log.ts';
import { SnapshotFile } from '../../../src/replica/feed/snapshot-file.ts';
import { SnapshotKeeper } from '../../../src/replica/feed/snapshot-keeper.ts';
import { createProofCheck } from '../../../src/replica/feed/snapshot-proof.ts';

let folder: string;
let snapshotFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-snapshot-'));
  snapshotFile = join(folder, 'feed.snapshot');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server whose log holds the end of a session, and the file of a guard that was there. */
async function aLogOnDisk() {
  const server = await aFeedServer();
  const token = aTokenOf(server, 'session-1');
  server.append(theEndOf('session-1'));
  const guard = aFollower([server], { feed: { snapshotFile } });
  await guard.ready();
  await until('the file is there', () => readdirSync(folder).includes('feed.snapshot'));
  await guard.close();
  return { server, token, honest: aTokenOf(server, 'session-2') };
}

describe('a snapshot that is kept on disk', () => {
  it('is whole, and for one user alone', async () => {
    const { server } = await aLogOnDisk();
    expect(readdirSync(folder)).toEqual(['feed.snapshot']);
    expect(statSync(snapshotFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(snapshotFile).subarray(0, 4).toString()).toBe('SPF1');
    expect(server.count('GET /feed/snapshot')).toBe(1);
  });

  it('lets a guard decide that starts while the feed is down, for as long as it is fresh enough', async () => {
    const { server, token, honest } = await aLogOnDisk();
    await server.stop();
    const guard = aFollower([server], { feed: { snapshotFile, maxStaleness: 3600 } });
    await guard.ready();
    expect([verdictNow(guard, token), verdictNow(guard, honest)]).toEqual(['token_revoked', 'granted']);
    expect(guard.status()).toMatchObject({ ready: true, connected: false, cursor: 'first.3' });
    const { staleness = Number.NaN } = guard.status();
    expect(staleness).toBeGreaterThanOrEqual(0);
    expect(staleness).toBeLessThan(60);
  });

  it('is as old as the issuer says, whatever the file says', async () => {
    const { server, honest } = await aLogOnDisk();
    writeFileSync(snapshotFile, server.snapshot(Math.floor(Date.now() / 1000) - 100));
    await server.stop();
    const guard = aFollower([server], { feed: { snapshotFile } });
    await until('it is read', () => guard.status().cursor);
    expect(guard.status().staleness).toBeGreaterThanOrEqual(100);
    expect(await verdictOn(guard, honest)).toBe('temporarily_unavailable');
    expect(verdictNow(guard, honest, { maxStaleness: 3600 })).toBe('granted');
    expect(verdictNow(guard, honest, { maxStaleness: 'until-expiry' })).toBe('granted');
  });

  it('saves fetching everything: the log is read on from there', async () => {
    const { server, honest } = await aLogOnDisk();
    server.append(theEndOf('session-2'));
    const guard = aFollower([server], { feed: { snapshotFile } });
    await guard.ready();
    await caughtUp(guard, server);
    expect(verdictNow(guard, honest)).toBe('token_revoked');
    expect(server.count('GET /feed/snapshot')).toBe(1);
  });

  it('revives nothing when the log was restored meanwhile', async () => {
    const { server, token } = await aLogOnDisk();
    server.restore(2);
    const guard = aFollower([server], { feed: { snapshotFile } });
    await until('it knows the restored log', () => guard.status().cursor === server.cursor);
    expect(await verdictOn(guard, token)).toBe('token_revoked');
  });

  it.each([
    ['has a byte changed', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 100 ? byte ^ 1 : byte)))],
    ['broke off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 5)],
    ['is empty', () => Buffer.alloc(0)],
    ['is something else', () => Buffer.from('#!/bin/sh\n')],
  ])('is not believed when it %s', async (_, spoil) => {
    const { server, token } = await aLogOnDisk();
    writeFileSync(snapshotFile, spoil(readFileSync(snapshotFile)));
    const guard = aFollower([server], { feed: { snapshotFile } });
    await guard.ready();
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(server.count('GET /feed/snapshot')).toBe(2);
    await until('the file is a good one again', () => readFileSync(snapshotFile).equals(server.snapshotSent));
  });

  it('is not believed when somebody else signed it', async () => {
    const { server } = await aLogOnDisk();
    const signer = server.signer;
    server.signer = await generateKey('ES256', { keyId: 'issuer-1' });
    writeFileSync(snapshotFile, server.snapshot());
    server.signer = signer;
    await server.stop();
    const guard = aFollower([server], { feed: { snapshotFile, maxStaleness: 'until-expiry' } });
    await expect(guard.ready(0.5)).rejects.toThrow();
    expect(guard.status().entries).toBe(0);
  });

  it('is not needed: a disk that fails stops nothing, and shows', async () => {
    const { server, honest } = await aLogOnDisk();
    const guard = aFollower([server], { feed: { snapshotFile: join(folder, 'feed.snapshot') } });
    rmSync(folder, { recursive: true });
    // What was on disk may just have been read, which is enough to be ready.
    await until('it follows', () => guard.status().connected);
    server.say('resync', {});
    await until('it says so', () => guard.status().problem?.includes('cannot be written'));
    await until('it decides', () => verdictNow(guard, honest) === 'granted');
    expect(guard.status().ready).toBe(true);
  });

  it('is brought up to date from time to time, and not fetched when nothing has changed', async () => {
    const { server } = await aLogOnDisk();
    const log = new FollowedLog(
      clocksWith(() => new Date()),
      () => undefined,
    );
    const check = createProofCheck({
      issuer,
      keys: issuerKeys,
      algorithms: undefined,
      clockTolerance: 5,
      now: () => new Date(),
    });
    const file = new SnapshotFile(snapshotFile);
    const keeper = new SnapshotKeeper({ log, clocks: clocksWith(() => new Date()), check, file });
    const node = new FeedNode(server.url, server.credential);
    const { signal } = new AbortController();
    await keeper.restore();
    const sent = server.snapshotSent;
    await keeper.refreshFile(node, signal);
    expect(server.snapshotSent).toBe(sent);
    server.append(theEndOf('session-2'));
    await keeper.refreshFile(node, signal);
    expect(readFileSync(snapshotFile)).toEqual(server.snapshotSent);
    expect(keeper.problem).toBeUndefined();
    server.statuses = { '/feed/snapshot': 500 };
    await keeper.refreshFile(node, signal);
    expect(keeper.problem).toMatchObject({ reason: 'unavailable' });
    node.close();
  });
});

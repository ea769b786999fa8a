import { describe, expect, it } from 'vitest';
import { changeKinds, type Change } from '../src/changes/change.ts';
import { LiveEntries } from '../src/feed/live-entries.ts';
import { writeSnapshot } from '../src/feed/snapshot.ts';
import { readSnapshot, type ReadSnapshot } from './snapshot-reader.ts';

const hashKey = Buffer.from('0011223344556677', 'hex');

function aDeath(sequence: number, expiresAt: number | undefined = 1_000): Change {
  const key = `session-${String(sequence)}`;
  return { sequence, kind: changeKinds.sessionDead, key, expiresAt, critical: true, acknowledge: false };
}

const anOverride = (sequence: number, expiresAt: number): Change => ({
  ...aDeath(sequence, expiresAt),
  kind: changeKinds.userOverride,
  key: 'ada',
  data: { roles: [] },
});

async function written(entries: LiveEntries, head: number, issuedAt = 0): Promise<ReadSnapshot> {
  const chunks = await writeSnapshot({
    header: { issuer: 'https://auth.test', incarnation: 'i', head, issuedAt, hashKey, tokenLifetime: 900 },
    blocks: entries.blocks,
    others: entries.others,
    prove: (digest) => digest,
  });
  return readSnapshot(Buffer.concat(chunks));
}

describe('what is alive', () => {
  it('goes into a snapshot whole, however many blocks it takes, and nothing that comes meanwhile', async () => {
    const entries = new LiveEntries(hashKey);
    for (let sequence = 1; sequence <= 50_000; sequence += 1) entries.add(aDeath(sequence));
    const writing = written(entries, 50_000);
    entries.add(aDeath(50_001));
    const { packed, header } = await writing;
    expect(header['count']).toBe(50_000);
    expect(packed.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 50_000 }, (_, index) => index + 1));
    expect(new Set(packed.map(({ low, high }) => `${String(low)} ${String(high)}`)).size).toBe(50_000);
  });

  it('knows the place of an entry beyond four billion', async () => {
    const entries = new LiveEntries(hashKey);
    const first = 2 ** 40 + 7;
    entries.add(aDeath(first));
    entries.add(aDeath(first + 2 ** 31));
    const { packed } = await written(entries, first + 2 ** 31 + 5);
    expect(packed.map(({ sequence }) => sequence)).toEqual([first, first + 2 ** 31]);
  });

  it('stays for ever where it never expires, or later than a word can say', async () => {
    const entries = new LiveEntries(hashKey);
    entries.add({ ...aDeath(1), expiresAt: undefined });
    entries.add(aDeath(2, 2 ** 32));
    entries.sweep(2 ** 31);
    expect((await written(entries, 2, 2 ** 31)).packed.map(({ expiresAt }) => expiresAt)).toEqual([0, 0]);
  });

  it('is forgotten when it has expired', async () => {
    const entries = new LiveEntries(hashKey);
    for (let sequence = 1; sequence <= 40_000; sequence += 1) entries.add(aDeath(sequence, 1_000 + sequence));
    entries.add(anOverride(40_001, 1_500));
    expect((await written(entries, 40_001, 21_000)).header['count']).toBe(20_001);
    const before = entries.blocks.length;
    entries.sweep(21_000);
    expect(entries.blocks.length).toBe(before - 1);
    expect(entries.others).toEqual([]);
    entries.sweep(50_000);
    expect(entries.blocks).toEqual([]);
  });

  it('keeps the newest about each thing, in whatever order it comes', () => {
    const entries = new LiveEntries(hashKey);
    for (const sequence of [3, 5, 4]) entries.add(anOverride(sequence, 2_000));
    entries.add({ ...anOverride(1, 2_000), kind: 77 });
    expect(entries.others.map(({ sequence }) => sequence)).toEqual([1, 5]);
  });
});

import { describe, expect, it } from 'vitest';
import { type Change, changeKinds } from '@sallyport/guard';
import { ChangeTable } from '../../src/replica/change-table.ts';

const aChange = (change: Partial<Change> = {}): Change => ({
  sequence: 1,
  kind: changeKinds.sessionDead,
  key: 'session-1',
  expiresAt: undefined,
  critical: true,
  ...change,
});

const tableOf = (...changes: Change[]): ChangeTable => {
  const table = new ChangeTable();
  for (const change of changes) table.apply(change);
  return table;
};

describe('ChangeTable', () => {
  it('keeps the newest change of a kind and key, in whatever order they come', () => {
    const older = aChange({ sequence: 1 });
    const newer = aChange({ sequence: 2 });
    for (const table of [tableOf(older, newer), tableOf(newer, older), tableOf(newer, newer, older)]) {
      expect(table.find(changeKinds.sessionDead, 'session-1')).toBe(newer);
    }
  });

  it('keeps kinds and keys apart', () => {
    const table = tableOf(aChange());
    expect(table.find(changeKinds.sessionDead, 'session-2')).toBeUndefined();
    expect(table.find(changeKinds.userFloor, 'session-1')).toBeUndefined();
    expect(table.find(changeKinds.sessionDead, '__proto__')).toBeUndefined();
  });

  it('sweeps what expired, never what does not expire', () => {
    const table = tableOf(
      aChange({ key: 'old', expiresAt: 99 }),
      aChange({ key: 'young', expiresAt: 100 }),
      aChange({ key: 'eternal' }),
    );
    table.sweep(100);
    const alive = ['old', 'young', 'eternal'].filter((key) => table.find(changeKinds.sessionDead, key) !== undefined);
    expect(alive).toEqual(['young', 'eternal']);
  });

  it('remembers critical changes of unknown kinds until they expire, and skips the others', () => {
    expect(tableOf(aChange({ kind: 77, critical: false })).findUnsupported()).toBeUndefined();
    const table = tableOf(aChange({ kind: 77, expiresAt: 99 }), aChange({ kind: 78, expiresAt: 199 }));
    expect(table.findUnsupported()).toMatchObject({ kind: 77 });
    table.sweep(100);
    expect(table.findUnsupported()).toMatchObject({ kind: 78 });
    table.sweep(200);
    expect(table.findUnsupported()).toBeUndefined();
  });

  it('absorbs another table by the same rule', () => {
    const table = tableOf(aChange({ sequence: 5 }));
    table.absorb(tableOf(aChange({ sequence: 3 }), aChange({ key: 'session-2' })));
    expect(table.find(changeKinds.sessionDead, 'session-1')?.sequence).toBe(5);
    expect(table.find(changeKinds.sessionDead, 'session-2')?.sequence).toBe(1);
  });
});

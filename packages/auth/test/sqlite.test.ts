import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sqlite } from '../src/stores/sqlite.ts';
import { openToWrite, SqliteConnection } from '../src/stores/sqlite/connection.ts';
import { ring } from '../src/stores/sqlite/doorbell.ts';
import { Reader } from '../src/stores/sqlite/reader.ts';
import { aSession } from '../src/stores/contract/records.ts';
import type { Store } from '../src/stores/store.ts';

const script = fileURLToPath(new URL('write-sessions.js', import.meta.url));
const unavailable = { code: 'store_unavailable' };

let folder: string;
let file: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-sqlite-'));
  file = join(folder, 'test.db');
  store = sqlite(file);
  await store.migrate();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What this process has open. Some of it may be closed at any moment. */
function openFiles(): string[] {
  const descriptors = '/proc/self/fd';
  return readdirSync(descriptors).flatMap((descriptor) => {
    try {
      return [readlinkSync(join(descriptors, descriptor))];
    } catch {
      return [];
    }
  });
}

async function addAda(): Promise<void> {
  await store.transaction((transaction) =>
    transaction.users.insert({
      id: 'ada',
      username: { shown: 'ada', folded: 'ada' },
      email: undefined,
      passwordHash: 'hash',
      roles: [],
      createdAt: new Date('2026-01-01T00:00:00Z'),
    }),
  );
}

/** A process that writes; `acknowledged` are the sessions it called durable. */
function writeInProcess(name: string, perLane: number): { child: ChildProcess; acknowledged: Promise<string[]> } {
  const child = spawn(process.execPath, [script, file, name, String(perLane)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const acknowledged = new Promise<string[]>((resolve) => {
    child.on('close', () => resolve(output.split('\n').slice(0, -1)));
  });
  return { child, acknowledged };
}

async function missing(ids: readonly string[]): Promise<string[]> {
  const found = await Promise.all(ids.map((id) => store.sessions.find(id)));
  return ids.filter((_, index) => found[index] === undefined);
}

/** The log has every place from 1 to its head, each once. */
async function expectGaplessLog(): Promise<void> {
  const { head, changes } = await store.changes.readSince(0);
  expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
}

describe('several processes on one file', () => {
  it('write side by side, and end by themselves when there is nothing left to do', async () => {
    await addAda();
    const writers = ['a', 'b', 'c'].map((name) => writeInProcess(name, 50));
    const acknowledged = (await Promise.all(writers.map((writer) => writer.acknowledged))).flat();
    expect(writers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0]);
    expect(acknowledged).toHaveLength(3 * 8 * 50);
    expect(await missing(acknowledged)).toEqual([]);
    expect(await store.changes.head()).toBe(2 + 3 * 8 * 5);
    await expectGaplessLog();
  });

  it('lose nothing that was acknowledged when one is killed in the middle of its writes', async () => {
    await addAda();
    for (const name of ['a', 'b', 'c']) {
      const { child, acknowledged } = writeInProcess(name, 1_000_000);
      let seen = 0;
      child.stdout?.on('data', (text: string) => {
        seen += text.split('\n').length - 1;
        if (seen > 300) child.kill('SIGKILL');
      });
      const ids = await acknowledged;
      expect(child.signalCode).toBe('SIGKILL');
      expect(ids.length).toBeGreaterThan(300);
      expect(await missing(ids)).toEqual([]);
      await expectGaplessLog();
    }
  });

  it('wait for each other’s transactions, and read meanwhile', async () => {
    const other = openToWrite(file, 0);
    other.run({ query: { sql: 'begin immediate' }, parameters: [] });
    const write = store.roles.set('editor', ['todos:write']);
    expect(await store.roles.find('editor')).toBeUndefined();
    other.run({ query: { sql: 'commit' }, parameters: [] });
    other.close();
    await write;
    expect(await store.roles.find('editor')).toMatchObject({ scopes: ['todos:write'] });
  });
});

describe('a thread that dies', () => {
  /** Ends the thread that gets the next message. */
  async function endThread(): Promise<void> {
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    await store.roles.set('before', []);
    await (post.mock.contexts[0] as Worker).terminate();
  }

  it('leaves a store that works, with everything that was acknowledged', async () => {
    await endThread();
    await store.roles.set('after', []);
    expect((await store.roles.list()).map((role) => role.name)).toEqual(['admin', 'after', 'before', 'user']);
  });

  it('refuses what it had been asked for, and undoes the transaction it was in', async () => {
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const transaction = store.transaction(async ({ roles }) => {
      await roles.set('undone', []);
      const writing = store.roles.set('waiting', []);
      writing.catch(() => undefined);
      await (post.mock.contexts[0] as Worker).terminate();
      await expect(writing).rejects.toMatchObject(unavailable);
      await roles.set('too late', []);
    });
    await expect(transaction).rejects.toMatchObject(unavailable);
    await store.roles.set('after', []);
    expect((await store.roles.list()).map((role) => role.name)).toEqual(['admin', 'after', 'user']);
  });
});

describe('a reader', () => {
  it('reads before it closes what it was asked for, and leaves no file open', async () => {
    const close = vi.spyOn(SqliteConnection.prototype, 'close');
    const run = vi.spyOn(SqliteConnection.prototype, 'run');
    const reader = new Reader(file);
    const read = reader.read({ query: { sql: 'select 1 as one' }, parameters: [] });
    reader.close();
    expect((await read).rows).toEqual([[1]]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(run).toHaveBeenCalledTimes(1);
    expect(close.mock.invocationCallOrder[0]).toBeGreaterThan(run.mock.invocationCallOrder[0] ?? Infinity);
  });
});

describe('a store in a file', () => {
  it('keeps everybody else out of its files', async () => {
    await store.append({ kind: 1, key: 'a session', issuedUntil: undefined, critical: true });
    for (const suffix of ['', '-wal', '-shm', '-bell']) expect(statSync(`${file}${suffix}`).mode & 0o777).toBe(0o600);
  });

  it.each<[string, (other: Store) => Promise<unknown>]>([
    ['adds an entry', (other) => other.append({ kind: 1, key: 'k', issuedUntil: undefined, critical: true })],
    ['ends a session', (other) => other.sessions.end('s', 'signed_out', new Date())],
    [
      'does either in a transaction',
      (other) => other.transaction(({ sessions }) => sessions.end('s', 'signed_out', new Date())),
    ],
  ])('wakes other processes when one %s, and by nothing that changes nothing', async (_what, change) => {
    await addAda();
    await store.transaction(({ sessions }) => sessions.insert({ ...aSession('ada'), id: 's' }));
    const other = sqlite(file);
    let wakes = 0;
    store.watch(() => (wakes += 1));
    await other.sessions.end('nobody', 'signed_out', new Date());
    await other.roles.set('reader', []);
    await pause(100);
    expect(wakes).toBe(0);
    await change(other);
    await vi.waitFor(() => expect(wakes).toBeGreaterThan(0), { timeout: 5_000 });
    await other.close();
  });

  it('gives back every file it opens to wake others, also where that fails', () => {
    for (let index = 0; index < 20; index += 1) ring('/dev/full');
    expect(openFiles().filter((name) => name === '/dev/full')).toEqual([]);
  });

  it('leaves everything in the file itself when it is closed, so that a copy of that alone is whole', async () => {
    await addAda();
    await store.users.find('ada');
    await store.close();
    const copied = join(folder, 'copy.db');
    copyFileSync(file, copied);
    const copy = sqlite(copied);
    const found = await copy.users.find('ada');
    await copy.close();
    expect(found).toMatchObject({ id: 'ada' });
    expect(statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
  });

  it('is closed while another one is in the middle of a transaction, which goes on', async () => {
    await addAda();
    const other = sqlite(file);
    const found = await other.transaction(async ({ users }) => {
      await users.find('ada');
      await store.close();
      return users.find('ada');
    });
    await other.close();
    expect(found).toMatchObject({ id: 'ada' });
  });

  it('does before it closes what it was asked for', async () => {
    const writes = ['a', 'b', 'c'].map((name) => store.roles.set(name, []));
    await store.close();
    await Promise.all(writes);
    store = sqlite(file);
    expect((await store.roles.list()).map((role) => role.name)).toEqual(['a', 'admin', 'b', 'c', 'user']);
  });

  it('tells a broken rule of the database from a database that is away', async () => {
    await addAda();
    const again = store.transaction(async ({ users }) => {
      await users.setRoles('ada', ['no such role']);
    });
    await expect(again).rejects.toThrow('FOREIGN KEY constraint failed');
    await expect(again).rejects.not.toHaveProperty('code');
  });

  it('R13: reads on, and rightly, when a later version adds columns meanwhile', async () => {
    await addAda();
    const now = new Date('2026-01-01T00:00:00Z');
    const session = { id: 's', userId: 'ada', userEpoch: 0, generation: 1, base: 0, salt: new Uint8Array(16) };
    const moments = {
      mintedAt: now,
      rotatedAt: now,
      createdAt: now,
      lastUsedAt: now,
      idleExpiresAt: now,
      expiresAt: now,
    };
    const rest = { scope: undefined, endedAt: undefined, userAgent: undefined, address: undefined };
    await store.sessions.insert({ ...session, ...moments, ...rest });
    const read = async (): Promise<unknown> => [
      await store.sessions.findStanding('s'),
      await store.users.find('ada'),
      await store.transaction(({ sessions }) => sessions.findStanding('s')),
    ];
    const before = await read();
    expect(before).toMatchObject([{ user: { id: 'ada', epoch: 0 } }, { epoch: 0 }, { session: { generation: 1 } }]);
    const later = openToWrite(file, 5000);
    for (const table of ['sessions', 'users']) {
      later.run({ query: { sql: `alter table ${table} add column later integer not null default 7` }, parameters: [] });
    }
    later.close();
    expect(await read()).toEqual(before);
    await store.users.advanceEpoch('ada');
    expect(await store.sessions.findStanding('s')).toMatchObject({ user: { epoch: 1 } });
  });

  it('is unavailable while the file is no database', async () => {
    const broken = join(folder, 'broken.db');
    writeFileSync(broken, 'no database at all'.repeat(100));
    const other = sqlite(broken);
    await expect(other.migrate()).rejects.toMatchObject(unavailable);
    await expect(other.users.count()).rejects.toMatchObject(unavailable);
    writeFileSync(broken, '');
    await other.migrate();
    expect(await other.users.count()).toBe(0);
    await other.close();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openToRead, openToWrite, type SqliteConnection } from '../src/stores/sqlite/connection.ts';
import { GroupCommit } from '../src/stores/sqlite/group-commit.ts';
import type { Answer, Request, Statement, Step } from '../src/stores/sqlite/messages.ts';

const statement = (sql: string): Statement => ({ query: { sql }, parameters: [] });
const append = (entry: string): Statement => ({
  query: { sql: 'insert into kept values (?)', appends: true },
  parameters: [entry],
});
const appendNothing: Statement = {
  query: { sql: 'insert into kept select value from kept where false', appends: true },
  parameters: [],
};
const insert = (value: string): Statement => ({
  query: { sql: 'insert into kept values (?)' },
  parameters: [value],
});
const returning = (value: string): Statement => ({
  query: { sql: 'insert into kept values (?) returning value' },
  parameters: [value],
});
const only = (value: string): Step => ({ kind: 'only', statements: [insert(value)] });

let folder: string;
let file: string;
let connection: SqliteConnection;
/** What was answered, in the batches it came in. */
let answers: Answer[][];
let work: GroupCommit;
let lastId: number;
/** What others saw each time they heard that the log has grown. */
let seen: object[];

function open(): SqliteConnection {
  return openToWrite(file, 0);
}

/** Asks for steps, all of them at once, numbered from where the last call ended. */
function take(...steps: readonly Step[]): void {
  const requests = steps.map((step): Request => {
    lastId += 1;
    return { id: lastId, step };
  });
  work.take(requests);
}

/** What somebody else sees who opens the file now. */
function kept(): unknown[] {
  const reader = openToRead(file, 0);
  const { rows } = reader.run(statement('select value from kept order by rowid'));
  reader.close();
  return rows.map(([value]) => value);
}

const failed = (): number[] =>
  answers
    .flat()
    .filter(({ result }) => 'failed' in result)
    .map(({ id }) => id);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-group-commit-'));
  file = join(folder, 'test.db');
  connection = open();
  connection.run(statement('create table kept (value text unique)'));
  answers = [];
  seen = [];
  lastId = 0;
  work = new GroupCommit(
    () => connection,
    (batch) => answers.push([...batch]),
    () => seen.push({ kept: kept(), answered: answers.flat().map(({ id }) => id) }),
  );
});
afterEach(() => {
  connection.close();
  rmSync(folder, { recursive: true });
});

describe('processes that write to one file', () => {
  it('wait for each other for as long as they may, then say that it is busy', () => {
    const other = openToWrite(file, 20);
    connection.begin();
    expect(() => other.begin()).toThrow('database is locked');
    connection.rollback();
    other.begin();
    expect(() => connection.begin()).toThrow('database is locked');
    other.commit();
    connection.begin();
    connection.commit();
    other.close();
    expect(() => other.begin()).toThrow('database is not open');
  });
});

describe('group commit', () => {
  it('answers together, and durably, what was asked together', () => {
    take(only('a'), only('b'), only('c'));
    expect(answers.map((batch) => batch.map(({ id }) => id))).toEqual([[1, 2, 3]]);
    expect(failed()).toEqual([]);
    expect(kept()).toEqual(['a', 'b', 'c']);
  });

  it('undoes a unit that fails, and not its neighbours', () => {
    take(
      only('a'),
      { kind: 'begin', unit: 1 },
      { kind: 'statements', unit: 1, statements: [insert('undone')] },
      { kind: 'statements', unit: 1, statements: [insert('a')] },
      { kind: 'rollback', unit: 1 },
      only('a'),
      only('b'),
    );
    expect(failed()).toEqual([4, 6]);
    expect(kept()).toEqual(['a', 'b']);
  });

  it('does all statements of a step or none, and tells what the first one did', () => {
    take({ kind: 'only', statements: [returning('a'), insert('b')] });
    take(
      only('before'),
      { kind: 'only', statements: [returning('undone'), insert('a'), insert('too late')] },
      { kind: 'begin', unit: 1 },
      { kind: 'statements', unit: 1, statements: [insert('undone'), insert('a')] },
      { kind: 'statements', unit: 1, statements: [insert('c'), insert('d')] },
      { kind: 'commit', unit: 1 },
    );
    expect(answers[0]?.[0]?.result).toMatchObject({ rows: [['a']] });
    expect(failed().toSorted()).toEqual([3, 5]);
    expect(kept()).toEqual(['a', 'b', 'before', 'c', 'd']);
  });

  it('tells that the log has grown once for a commit, when others can see it and before anybody is answered', () => {
    take(only('a'), { kind: 'only', statements: [append('entry')] }, { kind: 'begin', unit: 1 });
    expect(seen).toEqual([]);
    take({ kind: 'statements', unit: 1, statements: [insert('b'), append('another')] }, { kind: 'commit', unit: 1 });
    const answered = answers.flat().map(({ id }) => id);
    expect(seen).toEqual([{ kept: ['a', 'entry', 'b', 'another'], answered: [3, 4] }]);
    expect(answered).toEqual([3, 4, 1, 2, 5]);
    take(only('c'), { kind: 'only', statements: [append('entry')] }, { kind: 'only', statements: [appendNothing] });
    expect(seen).toHaveLength(1);
  });

  it('says what a step of a unit did at once, and that the unit has ended when it is durable', () => {
    take({ kind: 'begin', unit: 1 }, { kind: 'statements', unit: 1, statements: [insert('a')] });
    expect(answers.flat().map(({ id }) => id)).toEqual([1, 2]);
    expect(kept()).toEqual([]);
    take({ kind: 'commit', unit: 1 });
    expect(answers.flat().map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(kept()).toEqual(['a']);
  });

  it('lets nobody in between the steps of a unit, and nobody wait once it has ended', () => {
    take({ kind: 'begin', unit: 1 }, only('later'), { kind: 'begin', unit: 2 });
    take({ kind: 'statements', unit: 2, statements: [insert('last')] }, { kind: 'commit', unit: 2 });
    take({ kind: 'statements', unit: 1, statements: [insert('first')] });
    expect(kept()).toEqual([]);
    take({ kind: 'commit', unit: 1 });
    expect(kept()).toEqual(['first', 'later', 'last']);
  });

  it('refuses everybody who waits when another process holds the file, and works again afterwards', () => {
    const other = open();
    other.run(statement('begin immediate'));
    take(only('a'), { kind: 'begin', unit: 1 }, { kind: 'statements', unit: 1, statements: [insert('b')] });
    take({ kind: 'commit', unit: 1 });
    expect(failed()).toEqual([1, 2, 3, 4]);
    other.run(statement('commit'));
    other.close();
    take(only('c'));
    expect(kept()).toEqual(['c']);
  });

  it('acknowledges nothing of a transaction that the database gave up', () => {
    connection.run(statement('pragma max_page_count = 20'));
    const large = 'x'.repeat(30_000);
    take(only('small'), only(`${large}1`), only(`${large}2`), only(`${large}3`), only('another'));
    expect(failed()).not.toEqual([]);
    const acknowledged = ['small', `${large}1`, `${large}2`, `${large}3`, 'another'].filter(
      (_, index) => !failed().includes(index + 1),
    );
    expect(kept()).toEqual(acknowledged);
    connection.run(statement('pragma max_page_count = 1000'));
    take(only('after'));
    expect(kept()).toContain('after');
  });

  it('refuses the rest of a unit whose transaction was given up', () => {
    take({ kind: 'begin', unit: 1 });
    connection.run(statement('rollback'));
    take({ kind: 'statements', unit: 1, statements: [statement('insert into missing values (1)')] });
    take({ kind: 'statements', unit: 1, statements: [insert('a')] }, { kind: 'commit', unit: 1 }, only('b'));
    expect(failed()).toEqual([2, 3, 4]);
    expect(kept()).toEqual(['b']);
  });

  it('closes when everything before has been done', () => {
    take({ kind: 'begin', unit: 1 }, { kind: 'close' }, { kind: 'statements', unit: 1, statements: [insert('a')] });
    expect(answers.flat().map(({ id }) => id)).toEqual([1, 3]);
    take({ kind: 'commit', unit: 1 });
    expect(answers.flat().map(({ id }) => id)).toEqual([1, 3, 4, 2]);
    connection = open();
    expect(kept()).toEqual(['a']);
  });
});

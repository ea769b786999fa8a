import type { Kysely } from 'kysely';
import { latest, marked, sessionDead, type NewChange } from '../../changes/change.ts';
import { Batches } from './batches.ts';
import { type List, toList } from './list.ts';
import type { Database } from './schema.ts';
import type { EndedRow, Ending, SessionQueries } from './session-queries.ts';

/** Ends one session and says so in the log; false when it does not exist or had ended. */
export type End = (ending: Ending, isAwaited: boolean) => Promise<boolean>;

/** Does something in one transaction, and last of all adds the changes that it comes to. */
export type Transact = <Result>(
  work: (connection: Kysely<Database>) => Promise<{ readonly result: Result; readonly changes: readonly NewChange[] }>,
) => Promise<{ readonly result: Result; readonly changes: readonly NewChange[] }>;

/** An end, and whether somebody waits until guards know of it. */
interface SingleEnding {
  readonly ending: Ending;
  readonly isAwaited: boolean;
}

/** What makes one entry in the log, with a session that ends by it or by itself. */
type SingleChange = SingleEnding | { readonly change: NewChange };

/** Changes of one entry each, outside transactions. */
export interface SingleChanges {
  readonly end: End;
  readonly append: (change: NewChange) => Promise<void>;
}

/** Ends sessions and says so in the log at once; tells which ended. */
export type EndAtOnce = (list: List) => Promise<readonly { readonly id: string }[]>;

/**
 * Makes changes of one entry together: the head row of the log is locked until its transaction is durable, so that
 * otherwise no more than one of them could be made durable at a time, by all servers.
 *
 * @param endAtOnce for a database that can do it by one statement
 */
export function changingTogether(queries: SessionQueries, transact: Transact, endAtOnce?: EndAtOnce): SingleChanges {
  const together = async (singles: readonly SingleChange[]): Promise<ReadonlyMap<unknown, boolean>> => {
    const endings = singles.filter((single) => 'ending' in single);
    const others = singles.filter((single) => 'change' in single);
    if (endAtOnce !== undefined && others.length === 0) return endedAtOnce(endings, endAtOnce);
    const { result } = await transact(async (connection) => {
      const ended = await endMany(connection, queries, endings);
      const isAwaited = new Map(endings.map((single) => [single.ending.id, single.isAwaited]));
      const deaths = ended.map((row) => deathOf(row, isAwaited.get(row.id) === true));
      const subjects: readonly unknown[] = [...ended.map(({ id }) => id), ...others];
      return {
        result: new Map(subjects.map((subject) => [subject, true])),
        changes: [...deaths, ...others.map(({ change }) => change)],
      };
    });
    return result;
  };
  const alone = async (single: SingleChange): Promise<boolean> => {
    const { changes } = await transact(async (connection) => {
      if ('change' in single) return { result: undefined, changes: [single.change] };
      const { rows } = await queries.end(connection, single.ending);
      return { result: undefined, changes: rows.map((row) => deathOf(row, single.isAwaited)) };
    });
    return changes.length > 0;
  };
  const batches = new Batches<SingleChange, boolean>({
    most: 256,
    atOnce: 1,
    // The figures are in docs/decisions/0029.
    patience: 3,
    subjectOf: (single) => ('ending' in single ? single.ending.id : single),
    together,
    alone,
  });
  return {
    end: (ending, isAwaited) => batches.ask({ ending, isAwaited }),
    append: async (change) => {
      await batches.ask({ change });
    },
  };
}

async function endedAtOnce(
  endings: readonly SingleEnding[],
  endAtOnce: EndAtOnce,
): Promise<ReadonlyMap<unknown, boolean>> {
  const list = toList(
    endings.map(({ ending: { id, now, reason }, isAwaited }) => [id, now, reason, Number(isAwaited)]),
  );
  const ended = list === undefined ? [] : await endAtOnce(list);
  return new Map(ended.map(({ id }) => [id, true]));
}

async function endMany(
  connection: Kysely<Database>,
  queries: SessionQueries,
  endings: readonly SingleEnding[],
): Promise<readonly EndedRow[]> {
  const list = toList(endings.map(({ ending: { id, now, reason } }) => [id, now, reason]));
  return endings.length === 0 || list === undefined ? [] : (await queries.endMany(connection, { list })).rows;
}

/** The entry about a session that has ended: from then on no tokens are made for it. */
export function deathOf({ id, ended_at: endedAt, minted_at: mintedAt }: EndedRow, isAwaited: boolean): NewChange {
  return marked(sessionDead(id, latest(new Date(endedAt), new Date(mintedAt))), isAwaited);
}

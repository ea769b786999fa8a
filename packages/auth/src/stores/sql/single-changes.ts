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

/** The figures are in docs/decisions/0029. */
const pace = { most: 256, atOnce: 1, patience: 3 };

/** Changes of one entry each, outside transactions. */
export interface SingleChanges {
  readonly end: End;
  readonly append: (change: NewChange) => Promise<void>;
}

/** Ends sessions and says so in the log at once; tells which ended. */
export type EndAtOnce = (list: List) => Promise<readonly { readonly id: string }[]>;

/**
 * Makes changes of one entry together: the log is held until their transaction is durable, so that otherwise no more than
 * one of them could be made durable at a time, by all servers.
 */
export function changingTogether(queries: SessionQueries, transact: Transact, endAtOnce: EndAtOnce): SingleChanges {
  const endings = new Batches<SingleEnding, boolean>({
    ...pace,
    subjectOf: ({ ending }) => ending.id,
    together: async (all) => {
      const list = toList(
        all.map(({ ending: { id, now, reason }, isAwaited }) => [id, now, reason, Number(isAwaited)]),
      );
      const ended = list === undefined ? [] : await endAtOnce(list);
      return new Map(ended.map(({ id }) => [id, true]));
    },
    alone: async ({ ending, isAwaited }) => {
      const { changes } = await transact(async (connection) => {
        const { rows } = await queries.end(connection, ending);
        return { result: undefined, changes: rows.map((row) => deathOf(row, isAwaited)) };
      });
      return changes.length > 0;
    },
  });
  const add = (changes: readonly NewChange[]): Promise<unknown> =>
    transact(() => Promise.resolve({ result: undefined, changes }));
  const additions = new Batches<NewChange, true>({
    ...pace,
    subjectOf: (change) => change,
    together: async (changes) => {
      await add(changes);
      return new Map(changes.map((change) => [change, true]));
    },
    alone: async (change) => {
      await add([change]);
      return true;
    },
  });
  return {
    end: (ending, isAwaited) => endings.ask({ ending, isAwaited }),
    append: async (change) => {
      await additions.ask(change);
    },
  };
}

/** The entry about a session that has ended: from then on no tokens are made for it. */
export function deathOf({ id, ended_at: endedAt, minted_at: mintedAt }: EndedRow, isAwaited: boolean): NewChange {
  return marked(sessionDead(id, latest(new Date(endedAt), new Date(mintedAt))), isAwaited);
}

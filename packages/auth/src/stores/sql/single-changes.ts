import type { Kysely } from 'kysely';
import { latest, sessionDead, type NewChange } from '../../changes/change.ts';
import { Batches } from './batches.ts';
import { toList } from './json-list.ts';
import type { Database } from './schema.ts';
import type { EndedRow, Ending, SessionQueries } from './session-queries.ts';
import { appendChanges } from './sql-changes.ts';

/** Ends one session and says so in the log; false when it does not exist or had ended. */
export type End = (ending: Ending) => Promise<boolean>;

/** Does something in one transaction. */
type Transact = <Result>(work: (connection: Kysely<Database>) => Promise<Result>) => Promise<Result>;

/** What makes one entry in the log, with a session that ends by it or by itself. */
type SingleChange = { readonly ending: Ending } | { readonly change: NewChange };

/** Changes of one entry each, outside transactions. */
export interface SingleChanges {
  readonly end: End;
  readonly append: (change: NewChange) => Promise<void>;
}

/**
 * Makes changes of one entry together: the head row of the log is locked until its transaction is durable, so that
 * otherwise no more than one of them could be made durable at a time, by all servers.
 */
export function changingTogether(queries: SessionQueries, transact: Transact): SingleChanges {
  const batches = new Batches<SingleChange, boolean>({
    most: 256,
    atOnce: 1,
    subjectOf: (single) => ('ending' in single ? single.ending.id : single),
    together: (singles) =>
      transact(async (connection) => {
        const ended = await endMany(connection, queries, singles);
        const others = singles.flatMap((single) => ('change' in single ? [single] : []));
        await appendChanges(connection, [...ended.map(deathOf), ...others.map(({ change }) => change)]);
        return new Map<unknown, boolean>([...ended.map(({ id }) => id), ...others].map((subject) => [subject, true]));
      }),
    alone: (single) =>
      transact(async (connection) => {
        const ended = 'ending' in single ? (await queries.end(connection, single.ending)).rows : [];
        await appendChanges(connection, 'change' in single ? [single.change] : ended.map(deathOf));
        return 'change' in single || ended.length > 0;
      }),
  });
  return {
    end: (ending) => batches.ask({ ending }),
    append: async (change) => {
      await batches.ask({ change });
    },
  };
}

async function endMany(
  connection: Kysely<Database>,
  queries: SessionQueries,
  singles: readonly SingleChange[],
): Promise<readonly EndedRow[]> {
  const endings = singles.flatMap((single) => ('ending' in single ? [single.ending] : []));
  const list = toList(endings.map(({ id, now, reason }) => [id, now, reason]));
  return endings.length === 0 || list === undefined ? [] : (await queries.endMany(connection, { list })).rows;
}

/** The entry about a session that has ended: from then on no tokens are made for it. */
export function deathOf({ id, ended_at: endedAt, minted_at: mintedAt }: EndedRow): NewChange {
  return sessionDead(id, latest(new Date(endedAt), new Date(mintedAt)));
}

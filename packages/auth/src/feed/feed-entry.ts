import type { Change } from '../changes/change.ts';

/** What an entry's flags mean, added up. */
const flags = { critical: 1, acknowledge: 2 } as const;

/** An entry as it travels: sequence, kind, key, when it expires (0: never), flags, and what its kind adds. */
export type FeedEntry =
  | readonly [number, number, string, number, number]
  | readonly [number, number, string, number, number, unknown];

/** Puts a change of the log into the form that guards read. */
export function toFeedEntry(change: Change): FeedEntry {
  const { sequence, kind, key, expiresAt = 0, data } = change;
  const marks = (change.critical ? flags.critical : 0) + (change.acknowledge ? flags.acknowledge : 0);
  return data === undefined ? [sequence, kind, key, expiresAt, marks] : [sequence, kind, key, expiresAt, marks, data];
}

import type { Confirmation } from '@sallyport/auth';
import type { CommandOption } from './command.ts';

/** The switch of commands that can wait for guards. */
export const confirmOption: CommandOption = {
  flags: '--confirm',
  meaning: 'wait until every guard on the feed knows, or grants no more, and say how many do',
};

/** What became of a wait, for people. */
export function confirmationText({ acknowledged, lapsed, pending, milliseconds }: Confirmation): string {
  const counts = [
    acknowledged === 1 ? '1 guard knows' : `${String(acknowledged)} guards know`,
    ...(lapsed === 0 ? [] : [`${String(lapsed)} did not answer and may not grant any more`]),
    ...(pending === 0 ? [] : [`${String(pending)} did not answer and MAY STILL GRANT by what they knew`]),
  ];
  return `${counts.join(', ')} (${String(milliseconds)} ms).`;
}

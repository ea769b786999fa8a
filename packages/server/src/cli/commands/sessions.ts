import type { Auth, Confirmation } from '@sallyport/auth';
import { showConfirmation, showSessions } from '../../representations.ts';
import { requiredParameter, type Command, type CommandContext, type CommandInput, type Reply } from '../command.ts';
import { confirmationText, confirmOption } from '../confirmation-text.ts';
import { UsageError } from '../errors.ts';
import { textTable, textTime } from '../text-table.ts';

export const sessionCommands: readonly Command[] = [
  {
    name: 'sessions list',
    parameters: ['<user>'],
    summary: 'list where a user is signed in',
    options: [],
    examples: ['sessions list ann'],
    run: listSessions,
  },
  {
    name: 'sessions revoke',
    parameters: ['[id]'],
    summary: 'end one session, all of a user, or everybody’s; their tokens stop working at once',
    options: [
      { flags: '--user <user>', meaning: 'every session of this user' },
      { flags: '--all', meaning: 'every session of everybody' },
      confirmOption,
    ],
    examples: ['sessions revoke pT2Vq0mYb3k', 'sessions revoke --user ann --confirm', 'sessions revoke --all'],
    run: revokeSessions,
  },
];

async function listSessions(input: CommandInput, context: CommandContext): Promise<Reply> {
  const auth = await context.auth();
  const user = await auth.users.find(requiredParameter(input, 0));
  const sessions = await auth.sessions.list(user.id);
  const rows = sessions.map((session) => [
    session.id,
    textTime(session.createdAt),
    textTime(session.lastUsedAt),
    textTime(session.expiresAt),
    session.address ?? '',
    session.userAgent ?? '',
  ]);
  return {
    text:
      sessions.length === 0
        ? `${user.username} is not signed in.`
        : textTable(['ID', 'SIGNED IN', 'LAST USED', 'EXPIRES', 'ADDRESS', 'DEVICE'], rows),
    json: { items: showSessions(sessions, undefined).items },
  };
}

async function revokeSessions(input: CommandInput, context: CommandContext): Promise<Reply> {
  const id = input.parameter(0);
  const user = input.option('user');
  const all = input.isSwitched('all');
  if ([id !== undefined, user !== undefined, all].filter(Boolean).length !== 1) {
    throw new UsageError('give a session id, --user or --all');
  }
  const { revoked, confirmation } = await revoke(await context.auth(), { id, user }, input.isSwitched('confirm'));
  const text = revoked === 1 ? 'Ended 1 session.' : `Ended ${revoked} sessions.`;
  return confirmation === undefined
    ? { text, json: { revoked } }
    : {
        text: `${text} ${confirmationText(confirmation)}`,
        json: { revoked, confirmation: showConfirmation(confirmation) },
      };
}

/** What is to end: one session, or all of a user, or everything. */
interface Chosen {
  readonly id: string | undefined;
  readonly user: string | undefined;
}

interface Revoked {
  readonly revoked: number;
  readonly confirmation?: Confirmation;
}

async function revoke({ sessions, users }: Auth, { id, user }: Chosen, isConfirmed: boolean): Promise<Revoked> {
  const userId = user === undefined ? undefined : (await users.find(user)).id;
  if (!isConfirmed) {
    if (userId !== undefined) return { revoked: await sessions.endAll(userId) };
    if (id === undefined) return { revoked: await sessions.endEverything() };
    await sessions.end(id);
    return { revoked: 1 };
  }
  const options = { confirm: true } as const;
  if (userId === undefined && id !== undefined) return { revoked: 1, confirmation: await sessions.end(id, options) };
  const { ended, confirmation } = await (userId === undefined
    ? sessions.endEverything(options)
    : sessions.endAll(userId, options));
  return { revoked: ended, confirmation };
}

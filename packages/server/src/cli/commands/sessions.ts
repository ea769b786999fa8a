import type { Auth } from '@sallyport/auth';
import { showSessions } from '../../representations.ts';
import { requiredParameter, type Command, type CommandContext, type CommandInput, type Reply } from '../command.ts';
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
    ],
    examples: ['sessions revoke pT2Vq0mYb3k', 'sessions revoke --user ann', 'sessions revoke --all'],
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
  const revoked = await revoke(await context.auth(), { id, user });
  return { text: revoked === 1 ? 'Ended 1 session.' : `Ended ${revoked} sessions.`, json: { revoked } };
}

async function revoke(auth: Auth, which: { id: string | undefined; user: string | undefined }): Promise<number> {
  if (which.user !== undefined) return auth.sessions.endAll((await auth.users.find(which.user)).id);
  if (which.id === undefined) return auth.sessions.endEverything();
  await auth.sessions.end(which.id);
  return 1;
}

import type { Auth, User } from '@sallyport/auth';
import { showUser } from '../../representations.ts';
import { requiredParameter, type Command, type CommandContext, type CommandInput, type Reply } from '../command.ts';
import { textFields, textTable, textTime } from '../text-table.ts';

export const userCommands: readonly Command[] = [
  {
    name: 'users create',
    parameters: ['<name>'],
    summary: 'make a user; the password is asked for, or read as one line from standard input',
    options: [
      { flags: '--role <role>', meaning: 'a role of the user, instead of "user"', repeats: true },
      { flags: '--email <address>', meaning: 'an e-mail address' },
    ],
    examples: ['users create admin --role admin', 'users create ann --email ann@example.com < password.txt'],
    makesDatabase: true,
    run: createUser,
  },
  {
    name: 'users list',
    parameters: [],
    summary: 'list all users',
    options: [{ flags: '--search <text>', meaning: 'only those with this in their name or e-mail address' }],
    examples: ['users list', 'users list --search example.com --json'],
    run: listUsers,
  },
  command('users show', 'show a user', (_auth, user) => Promise.resolve(showOne(user))),
  command('users disable', 'refuse a user from now on, sign-ins and tokens alike', async (auth, user) =>
    changed(await auth.users.disable(user.id), 'is disabled: every session has ended'),
  ),
  command('users enable', 'let a disabled user sign in again', async (auth, user) =>
    changed(await auth.users.enable(user.id), 'may sign in again'),
  ),
  {
    name: 'users set-password',
    parameters: ['<user>'],
    summary: 'give a user a new password, asked for or read from standard input',
    options: [],
    examples: ['users set-password ann'],
    run: async (input, context) => {
      const auth = await context.auth();
      const user = await auth.users.find(requiredParameter(input, 0));
      const password = await context.terminal.readNewPassword();
      return changed(await auth.users.setPassword(user.id, password), 'has a new password: every session has ended');
    },
  },
  {
    name: 'users set-roles',
    parameters: ['<user>', '<role...>'],
    summary: 'replace the roles of a user',
    options: [],
    examples: ['users set-roles ann user editor'],
    run: async (input, context) => {
      const auth = await context.auth();
      const user = await auth.users.find(requiredParameter(input, 0));
      const updated = await auth.users.setRoles(user.id, input.repeated(1));
      return changed(updated, `now has ${rolesText(updated)}`);
    },
  },
  command('users delete', 'delete a user and everything that belongs to the user', async (auth, user) => {
    await auth.users.delete(user.id);
    return { text: `Deleted ${user.username} (${user.id}).`, json: { deleted: user.id } };
  }),
];

/** A command on one user, named by user name or id. */
function command(name: string, summary: string, act: (auth: Auth, user: User) => Promise<Reply>): Command {
  return {
    name,
    parameters: ['<user>'],
    summary,
    options: [],
    examples: [`${name} ann`],
    run: async (input, context) => {
      const auth = await context.auth();
      return act(auth, await auth.users.find(requiredParameter(input, 0)));
    },
  };
}

async function createUser(input: CommandInput, context: CommandContext): Promise<Reply> {
  // An unusable environment is told before the password is asked for, and no database is made before it is given.
  await context.settings();
  const password = await context.terminal.readNewPassword();
  const auth = await context.auth();
  const roles = input.optionList('role');
  const email = input.option('email');
  const user = await auth.users.create({
    username: requiredParameter(input, 0),
    password,
    ...(roles.length > 0 && { roles }),
    ...(email !== undefined && { email }),
  });
  return changed(user, `is made with ${rolesText(user)}`);
}

async function listUsers(input: CommandInput, context: CommandContext): Promise<Reply> {
  const auth = await context.auth();
  const q = input.option('search');
  const users: User[] = [];
  let cursor: string | undefined;
  do {
    const page = await auth.users.list({ limit: 100, q, cursor });
    users.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const rows = users.map((user) => [
    user.username,
    user.email ?? '',
    user.roles.join(' '),
    user.disabled ? 'disabled' : '',
    textTime(user.createdAt),
    user.id,
  ]);
  return {
    text: users.length === 0 ? 'No users.' : textTable(['NAME', 'E-MAIL', 'ROLES', 'STATE', 'MADE', 'ID'], rows),
    json: { items: users.map(showUser) },
  };
}

function showOne(user: User): Reply {
  const text = textFields([
    ['Name', user.username],
    ['Id', user.id],
    ['E-mail', user.email ?? '—'],
    ['Roles', user.roles.join(' ')],
    ['State', user.disabled ? 'disabled' : 'enabled'],
    ['Made', textTime(user.createdAt)],
  ]);
  return { text, json: showUser(user) };
}

function rolesText({ roles }: User): string {
  return `${roles.length === 1 ? 'the role' : 'the roles'} ${roles.join(', ')}`;
}

function changed(user: User, what: string): Reply {
  return { text: `${user.username} ${what}.`, json: showUser(user) };
}

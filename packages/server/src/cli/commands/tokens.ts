import type { Auth } from '@sallyport/auth';
import { showConfirmation } from '../../representations.ts';
import { requiredParameter, type Command, type CommandContext, type CommandInput, type Reply } from '../command.ts';
import { confirmationText, confirmOption } from '../confirmation-text.ts';
import { UsageError } from '../errors.ts';
import { textFields, textTime } from '../text-table.ts';

export const tokenCommands: readonly Command[] = [
  {
    name: 'tokens issue',
    parameters: ['<user>'],
    summary: 'sign a user in without a password and print the tokens',
    options: [{ flags: '--scope <scopes>', meaning: 'only these of the user’s scopes, separated by spaces' }],
    examples: ['tokens issue ann', 'tokens issue ann --scope "todos:read" --json'],
    run: issueTokens,
  },
  {
    name: 'tokens inspect',
    parameters: ['<token>'],
    summary: 'tell what a token is and whether it works; - reads it from standard input',
    options: [],
    examples: ['tokens inspect - < token.txt'],
    run: inspectToken,
  },
  {
    name: 'tokens revoke',
    parameters: ['<token>'],
    summary: 'end the session of an access or refresh token; - reads it from standard input',
    options: [confirmOption],
    examples: ['tokens revoke - < token.txt'],
    run: revokeToken,
  },
];

async function issueTokens(input: CommandInput, context: CommandContext): Promise<Reply> {
  const auth = await openWithIssuer(context);
  const user = await auth.users.find(requiredParameter(input, 0));
  const scope = input.option('scope');
  const { accessToken, refreshToken, expiresIn } = await auth.tokens.issue(user.id, {
    device: { userAgent: 'sallyport tokens issue' },
    ...(scope !== undefined && { scope }),
  });
  const text = `Access token of ${auth.issuer}, works for ${expiresIn} seconds:\n${accessToken}\n\nRefresh token:\n${refreshToken}`;
  return { text, json: { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } };
}

async function inspectToken(input: CommandInput, context: CommandContext): Promise<Reply> {
  const introspection = await (await openWithIssuer(context)).introspect(await tokenOf(input, context));
  if (!introspection.active) return { text: 'Not a live token of this server.', json: introspection };
  const { username, sub, scope, roles, sid, exp, token_type: type } = introspection;
  const text = textFields([
    ['Type', type === 'refresh_token' ? 'refresh token' : 'access token'],
    ['User', `${username} (${sub})`],
    ['Roles', roles.join(' ')],
    ['Scope', scope],
    ['Session', sid],
    ['Expires', textTime(new Date(exp * 1000))],
  ]);
  return { text, json: introspection };
}

async function revokeToken(input: CommandInput, context: CommandContext): Promise<Reply> {
  const token = await tokenOf(input, context);
  const auth = await openWithIssuer(context);
  const confirmation = input.isSwitched('confirm') ? await auth.revoke(token, { confirm: true }) : undefined;
  if (confirmation === undefined) await auth.revoke(token);
  const revoked = context.events.filter(({ type }) => type === 'session_ended').length;
  const text = revoked === 0 ? 'No live session has this token: nothing to revoke.' : 'Revoked: its session has ended.';
  return confirmation === undefined
    ? { text, json: { revoked } }
    : {
        text: `${text} ${confirmationText(confirmation)}`,
        json: { revoked, confirmation: showConfirmation(confirmation) },
      };
}

async function tokenOf(input: CommandInput, context: CommandContext): Promise<string> {
  const given = requiredParameter(input, 0);
  return given === '-' ? (await context.terminal.readLine('token')).trim() : given;
}

/** Tokens name their issuer, which must be the server's own. */
async function openWithIssuer(context: CommandContext): Promise<Auth> {
  const { issuer, port } = await context.settings();
  if (issuer === undefined && port === 0)
    throw new UsageError('ISSUER must be set: with PORT=0 only the server knows its own');
  return context.auth();
}

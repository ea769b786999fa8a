import type { AuthErrorCode, AuthErrorDetails } from '@sallyport/auth';
import type { EnvironmentProblem } from '../environment.ts';
import { DatabaseMissingError, InterruptedError, UsageError } from './errors.ts';

/** How a command failed, for the exit status, for people and for machines. */
export interface Failure {
  /** 1: refused. 2: wrong usage or unusable configuration. 130: interrupted. */
  readonly exitCode: 1 | 2 | 130;
  readonly code: string;
  readonly message: string;
  readonly problems?: readonly string[];
  /** How the command is called, for people who called it otherwise. */
  readonly usage?: string;
}

const refusals: { readonly [Code in AuthErrorCode]: (details: AuthErrorDetails[Code]) => string } = {
  config_invalid: () => 'The configuration is unusable',
  credentials_invalid: () => 'The user name or the password is wrong',
  sign_in_too_old: () => 'The session is too old for this: sign in again',
  value_invalid: ({ field, reason }) => `${field}: ${reason}`,
  password_refused: ({ reason }) => `The password is refused: ${reason}`,
  username_taken: () => 'Another user has this name',
  email_taken: () => 'Another user has this e-mail address',
  registration_closed: () => 'Registration is closed',
  user_not_found: () => 'No user has this name or id',
  session_not_found: () => 'No live session has this id',
  key_not_found: ({ keyId }) => `no signing key is called ${keyId}`,
  role_not_found: ({ role }) => `There is no role ${role}: see "roles list", make it with "roles set"`,
  role_built_in: ({ role }) => `The role ${role} is built in and cannot be changed like this`,
  last_administrator: () => 'Nobody could administer the system after this: make another administrator first',
  passwordless_account: () => 'An application signs this user in: the account has no password',
  refresh_token_invalid: () => 'The refresh token is not valid',
  scope_invalid: () => 'The scope is malformed or more than the user may have',
  feed_credential_invalid: () => 'The feed credential is not valid',
  feed_credential_taken: () => 'There is a feed credential of this name: revoke it first, or choose another name',
  feed_credential_not_found: () => 'No feed credential has this name: see "feed-credentials list"',
  feed_full: () => 'As many guards follow the feed as one process serves',
  busy: () => 'The computer is too busy to check passwords: try again',
  store_unavailable: () => 'The database cannot be used: is DATABASE_URL right?',
};

/** Tells what to say about anything a command threw. */
export async function failureOf(error: unknown): Promise<Failure> {
  if (error instanceof UsageError) return { exitCode: 2, code: error.code, message: error.message };
  if (error instanceof DatabaseMissingError) return { exitCode: 1, code: error.code, message: error.message };
  if (error instanceof InterruptedError) return { exitCode: 130, code: error.code, message: error.message };
  // Loaded only now: recognising errors must not slow down the commands that succeed.
  const { EnvironmentError } = await import('../environment.ts');
  if (error instanceof EnvironmentError) {
    return { ...unusable, code: error.code, problems: error.problems.map(textOfProblem) };
  }
  const { isAuthError } = await import('@sallyport/auth');
  const { redact } = await import('../logging/redaction.ts');
  if (isAuthError(error)) {
    const failure = refusal(error.code, error.details);
    const cause = error.cause instanceof Error ? redact(error.cause.message) : '';
    return cause === '' ? failure : { ...failure, message: `${failure.message} (${cause})` };
  }
  const message = error instanceof Error ? error.message : String(error);
  const { ListenError } = await import('../node/listening.ts');
  if (error instanceof ListenError) return { exitCode: 1, code: error.code, message };
  return { exitCode: 1, code: 'unexpected', message: redact(message) };
}

const unusable = { exitCode: 2, message: 'The configuration is unusable' } as const;

function refusal<Code extends AuthErrorCode>(code: Code, details: AuthErrorDetails[Code]): Failure {
  const failure = { exitCode: 1, code, message: refusals[code](details) } as const;
  return 'problems' in details ? { ...failure, ...unusable, problems: details.problems } : failure;
}

function textOfProblem({ variable, problem, example }: EnvironmentProblem): string {
  return example === undefined ? `${variable} ${problem}` : `${variable} ${problem}. Example: ${example}`;
}

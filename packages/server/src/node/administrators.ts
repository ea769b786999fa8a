import { administratorRole, isAuthError, type Auth } from '@sallyport/auth';
import { EnvironmentError } from '../environment.ts';
import type { Settings } from '../environment/settings.ts';

/**
 * Makes the administrator that `ADMIN_USERNAME` and `ADMIN_PASSWORD` name, unless any user exists.
 *
 * @throws {EnvironmentError} `environment_invalid` when the name or the password is refused
 */
export async function createFirstAdministrator(auth: Auth, wanted: Settings['firstAdministrator']): Promise<void> {
  if (wanted === undefined || (await auth.users.count()) > 0) return;
  try {
    await auth.users.create({ ...wanted, roles: [administratorRole] });
  } catch (error) {
    if (!isAuthError(error)) throw error;
    // Another process of the same deployment was faster.
    if (error.code === 'username_taken') return;
    const refused = refusedVariable(error);
    if (refused === undefined) throw error;
    throw new EnvironmentError([{ ...refused, example: undefined }]);
  }
}

function refusedVariable(error: unknown): { variable: string; problem: string } | undefined {
  if (!isAuthError(error)) return undefined;
  if (error.code === 'password_refused')
    return { variable: 'ADMIN_PASSWORD', problem: `is refused: ${error.details.reason}` };
  if (error.code === 'value_invalid')
    return { variable: 'ADMIN_USERNAME', problem: `is refused: ${error.details.reason}` };
  return undefined;
}

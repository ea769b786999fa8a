import { isLoopback } from './addresses.ts';
import { leastSecretBytes } from './secret-strength.ts';
import type { VariableName, VariableValues } from './variables.ts';

/** What several variables make impossible together, told of the one to change. */
export interface Contradiction {
  readonly variable: VariableName;
  readonly problem: string;
  /** A value that would do, where the table's example may not. */
  readonly example?: string;
}

const minutesOfDay = 24 * 60;

type Rule = (values: Partial<VariableValues>) => Contradiction | false;

const rules: readonly Rule[] = [
  ({ HOST, ISSUER }) =>
    HOST !== undefined &&
    ISSUER === undefined &&
    !isLoopback(HOST) && { variable: 'ISSUER', problem: `must be set when HOST is not loopback (HOST is ${HOST})` },

  ({ SECRET_KEY, ALGORITHM }) => {
    if (SECRET_KEY === undefined || ALGORITHM === undefined) return false;
    const bytes = Buffer.byteLength(SECRET_KEY);
    const least = leastSecretBytes(ALGORITHM);
    return (
      bytes < least && { variable: 'SECRET_KEY', problem: `has ${bytes} bytes and ${ALGORITHM} needs ${least} or more` }
    );
  },

  ({ SECRET_KEY, SECRET_KEY_PREVIOUS }) =>
    SECRET_KEY_PREVIOUS !== undefined &&
    SECRET_KEY_PREVIOUS === SECRET_KEY && {
      variable: 'SECRET_KEY_PREVIOUS',
      problem: 'is SECRET_KEY itself: remove it, or give the secret of before',
    },

  ({ SECRET_KEY, DATABASE_URL }) =>
    SECRET_KEY === undefined &&
    DATABASE_URL?.kind === 'postgres' && {
      variable: 'SECRET_KEY',
      problem: 'must be set with PostgreSQL: every machine needs the same key',
    },

  ({ REFRESH_TOKEN_EXPIRE_DAYS: idle, SESSION_MAX_DAYS: most }) =>
    idle !== undefined &&
    most !== undefined &&
    most < idle && {
      variable: 'SESSION_MAX_DAYS',
      problem: `must be at least REFRESH_TOKEN_EXPIRE_DAYS (${idle}), not ${most}`,
      example: String(idle),
    },

  ({ ACCESS_TOKEN_EXPIRE_MINUTES: token, REFRESH_TOKEN_EXPIRE_DAYS: idle }) =>
    token !== undefined &&
    idle !== undefined &&
    token > idle * minutesOfDay && {
      variable: 'ACCESS_TOKEN_EXPIRE_MINUTES',
      problem: `must not outlive REFRESH_TOKEN_EXPIRE_DAYS (${idle * minutesOfDay} minutes), not ${token}`,
      example: '15',
    },

  ({ ADMIN_USERNAME, ADMIN_PASSWORD }) =>
    ADMIN_USERNAME !== undefined &&
    ADMIN_PASSWORD === undefined && { variable: 'ADMIN_PASSWORD', problem: 'must be set together with ADMIN_USERNAME' },

  ({ ADMIN_USERNAME, ADMIN_PASSWORD }) =>
    ADMIN_PASSWORD !== undefined &&
    ADMIN_USERNAME === undefined && { variable: 'ADMIN_USERNAME', problem: 'must be set together with ADMIN_PASSWORD' },
];

/** Everything that can only be said about several variables together. */
export function contradictions(values: Partial<VariableValues>): readonly Contradiction[] {
  return rules.map((rule) => rule(values)).filter((found) => found !== false);
}

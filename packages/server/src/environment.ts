import { contradictions } from './environment/contradictions.ts';
import { nearestName } from './environment/nearest-name.ts';
import type { Settings } from './environment/settings.ts';
import { variables, type Variable, type VariableName, type VariableValues } from './environment/variables.ts';

export type { Settings } from './environment/settings.ts';

/** Where settings come from: the process, and what `.env` adds to it. */
export interface EnvironmentSource {
  readonly process: Readonly<Record<string, string | undefined>>;
  /** The variables of `.env`; those of the process win. */
  readonly file?: Readonly<Record<string, string | undefined>>;
  /** What is wrong with `.env` itself. */
  readonly fileProblems?: readonly EnvironmentProblem[];
}

/** One thing that is wrong with the environment. Never contains the value of a secret. */
export interface EnvironmentProblem {
  readonly variable: string;
  /** What is wrong, as a phrase that follows the variable's name. */
  readonly problem: string;
  /** A line that would be right. */
  readonly example: string | undefined;
}

/** Thrown when the environment is unusable; `problems` lists everything that is wrong at once. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  readonly code = 'environment_invalid';
  readonly problems: readonly EnvironmentProblem[];

  constructor(problems: readonly EnvironmentProblem[]) {
    super(problems.map(({ variable, problem }) => `${variable} ${problem}`).join('; '));
    this.problems = problems;
  }
}

/** One row of the documentation. */
export interface EnvironmentRow {
  readonly name: string;
  readonly meaning: string;
  /** What holds when the variable is not set, in Markdown. */
  readonly default: string;
  readonly example: string;
}

const names = Object.keys(variables) as VariableName[];

/** Every variable with its meaning, default and an example, in the order of the documentation. */
export const environmentTable: readonly EnvironmentRow[] = names.map((name) => {
  const { meaning, default: fallback, example } = variables[name];
  return { name, meaning, default: fallback, example };
});

/**
 * Reads the settings from the environment; an empty environment gives every default.
 *
 * Does not touch files, the network or `process.env`: pass in what was read.
 *
 * @example
 * const settings = readEnvironment({ process: { PORT: '8080' } });
 *
 * @throws {EnvironmentError} `environment_invalid`, with every problem at once
 */
export function readEnvironment(source: EnvironmentSource): Settings {
  const file = source.file ?? {};
  const problems = [...(source.fileProblems ?? []), ...unknownNames(file)];
  const values: Partial<VariableValues> = {};
  for (const name of names) readVariable(name, source.process[name] ?? file[name], values, problems);
  const refused = new Set(problems.map(({ variable }) => variable));
  for (const { variable, problem, example } of contradictions(values)) {
    if (!refused.has(variable)) problems.push({ variable, problem, example: exampleOf(variable, example) });
  }
  if (problems.length > 0) throw new EnvironmentError(problems);
  return toSettings(values as VariableValues);
}

function unknownNames(file: Readonly<Record<string, string | undefined>>): EnvironmentProblem[] {
  return Object.keys(file)
    .filter((name) => !Object.hasOwn(variables, name))
    .map((name) => {
      const near = names.find((known) => known === nearestName(name, names));
      const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
      return {
        variable: shown(name),
        problem: `in .env is not a variable of Sallyport${hint}`,
        example: near === undefined ? undefined : exampleOf(near),
      };
    });
}

function readVariable<Name extends VariableName>(
  name: Name,
  given: string | undefined,
  values: Partial<Pick<VariableValues, Name>>,
  problems: EnvironmentProblem[],
): void {
  const variable: Variable<VariableValues[Name]> = variables[name];
  const text = given ?? variable.fallback;
  if (text === undefined) return;
  const parsed = variable.parse(text);
  if ('value' in parsed) {
    values[name] = parsed.value;
    return;
  }
  problems.push({
    variable: name,
    problem: problemWith(text, parsed.problem, variable.secret === true),
    example: exampleOf(name, parsed.example),
  });
}

function problemWith(text: string, problem: string, isSecret: boolean): string {
  if (text === '') return 'is empty: remove it, or give it a value';
  return isSecret ? problem : `${problem}, not ${JSON.stringify(shown(text))}`;
}

function exampleOf(name: VariableName, value: string = variables[name].example): string {
  return `${name}=${value}`;
}

/** Control characters would let a value repaint the terminal, and a long one would bury the message. */
function shown(text: string): string {
  const plain = text.replace(/\p{C}/gu, '?');
  return plain.length > 60 ? `${plain.slice(0, 60)}…` : plain;
}

const minute = 60;
const day = 24 * 60 * minute;

function toSettings(values: VariableValues): Settings {
  const { ADMIN_USERNAME: username, ADMIN_PASSWORD: password } = values;
  return {
    host: values.HOST,
    port: values.PORT,
    issuer: values.ISSUER,
    audience: values.AUDIENCE,
    database: values.DATABASE_URL,
    secretKey: values.SECRET_KEY,
    previousSecretKey: values.SECRET_KEY_PREVIOUS,
    algorithm: values.ALGORITHM,
    signingKeyRotation: values.SIGNING_KEY_ROTATION_DAYS * day,
    accessTokenLifetime: values.ACCESS_TOKEN_EXPIRE_MINUTES * minute,
    refreshTokenIdleLifetime: values.REFRESH_TOKEN_EXPIRE_DAYS * day,
    sessionLifetime: values.SESSION_MAX_DAYS * day,
    refreshPolicy: values.REFRESH_POLICY,
    registration: values.REGISTRATION,
    passwordMinLength: values.PASSWORD_MIN_LENGTH,
    firstAdministrator: username === undefined || password === undefined ? undefined : { username, password },
    trustedProxies: values.TRUSTED_PROXIES,
    corsOrigins: values.CORS_ORIGINS,
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
  };
}

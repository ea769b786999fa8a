import type { Auth, AuthEvent } from '@sallyport/auth';
import type { Settings } from '../environment/settings.ts';
import { UsageError } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** One row of the table of commands. */
export interface Command {
  /** The words that call it: `users create`. */
  readonly name: string;
  /** In commander's notation: `<name>` is needed, `[id]` may be left out, `<scope...>` repeats. */
  readonly parameters: readonly string[];
  readonly summary: string;
  readonly options: readonly CommandOption[];
  /** What follows the program's name. */
  readonly examples: readonly string[];
  /** It may make a database where there is none; without this a mistyped `DATABASE_URL` is told instead. */
  readonly makesDatabase?: true;
  /** Does it; undefined when it has nothing to print. */
  readonly run: (input: CommandInput, context: CommandContext) => Promise<Reply | undefined>;
}

export interface CommandOption {
  /** In commander's notation: `--email <address>`; without a value it is a switch. */
  readonly flags: string;
  readonly meaning: string;
  /** Whether it may be given several times. */
  readonly repeats?: true;
}

/** What was typed after a command's name. */
export interface CommandInput {
  /** The parameter at a position; undefined when it was left out. */
  parameter(position: number): string | undefined;
  /** The values of the last, repeating parameter. */
  repeated(position: number): readonly string[];
  option(name: string): string | undefined;
  optionList(name: string): readonly string[];
  isSwitched(name: string): boolean;
}

/** What a command works with. Nothing is opened before it is asked for. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Reads the environment; rejects with `EnvironmentError` when it is unusable. */
  readonly settings: () => Promise<Settings>;
  /** What the engine reported so far. */
  readonly events: readonly AuthEvent[];
  /** Opens the engine on the database, once; rejects with `DatabaseMissingError` where there is none to open. */
  readonly auth: () => Promise<Auth>;
}

/** What a command answers, for people and for machines. */
export interface Reply {
  readonly text: string;
  readonly json: unknown;
}

/** A parameter that commander has made sure of. */
export function requiredParameter(input: CommandInput, position: number): string {
  const value = input.parameter(position);
  if (value === undefined) throw new UsageError('a parameter is missing');
  return value;
}

import { Command as CommanderCommand, CommanderError, Option } from 'commander';
import type { Command, CommandInput, CommandOption, Reply } from './command.ts';
import { commands } from './commands.ts';
import { failureOf, type Failure } from './failure.ts';
import { openContext } from './open-context.ts';
import { groupOverview, overview, usageOf } from './overview.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from '../version.ts';

/** A command line that was understood. */
interface Call {
  readonly command: Command;
  readonly input: CommandInput;
}

/**
 * Runs one command line and tells its exit status: 0 done, 1 refused, 2 wrong usage or unusable configuration.
 *
 * @example
 * process.exitCode = await runCommandLine(['users', 'list', '--json'], processTerminal());
 */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<number> {
  const json = words.includes('--json');
  const parsed = await parse(words, terminal, json);
  if ('exitCode' in parsed) return parsed.exitCode;
  if ('failure' in parsed) return reportFailure(parsed.failure, terminal, json);

  const { context, close } = openContext(parsed.command, terminal, json);
  try {
    const reply = await parsed.command.run(parsed.input, context);
    if (reply !== undefined) terminal.print(textOf(reply, json));
    return 0;
  } catch (error) {
    return reportFailure(await failureOf(error), terminal, json);
  } finally {
    await close();
  }
}

function textOf(reply: Reply, json: boolean): string {
  return json ? JSON.stringify(reply.json) : reply.text;
}

function reportFailure(failure: Failure, terminal: Terminal, json: boolean): number {
  const { exitCode, code, message, problems, usage } = failure;
  if (json) terminal.note(JSON.stringify({ error: { code, message, ...(problems && { problems }) } }));
  else if (problems !== undefined)
    terminal.note([`sallyport: ${message}:`, ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  else terminal.note(`sallyport: ${message}${usage === undefined ? '' : `\nUsage: ${usage}`}`);
  return exitCode;
}

type Parsed = Call | { readonly exitCode: number } | { readonly failure: Failure };

async function parse(words: readonly string[], terminal: Terminal, json: boolean): Promise<Parsed> {
  let call: Call | undefined;
  const program = buildProgram(terminal, json, (found) => {
    call = found;
  });
  try {
    await program.parseAsync(afterDashes(helpLast(words)), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { exitCode: 0 };
    // A group that was called without a command: people have got its help already.
    if (error.code === 'commander.help' && !json) return { exitCode: 2 };
    return { failure: wrongUsage(error, words) };
  }
  return call ?? { exitCode: 2 };
}

function wrongUsage(error: CommanderError, words: readonly string[]): Failure {
  const called = words.filter((word) => !word.startsWith('-'));
  const command = commands.find(({ name }) => name.split(' ').every((word, index) => word === called[index]));
  const failure = { exitCode: 2, code: 'usage', message: usageMessage(error) } as const;
  return command === undefined ? failure : { ...failure, usage: `sallyport ${usageOf(command)} [options]` };
}

function usageMessage({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'a command is missing: see sallyport help';
  return message
    .replace(/^error: /, '')
    .replace(/^missing required argument '(.+)'$/, (_, name: string) => `${name.toUpperCase()} is missing`)
    .replace(/\n\(Did you mean (.+)\?\)$/s, ' (did you mean $1?)');
}

/** Reads `help users create` and `--help users create` as `users create --help`. */
function helpLast(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words;
  return ['help', '--help', '-h'].includes(first) ? [...rest, '--help'] : words;
}

/**
 * Moves words such as `-3kQx…` behind a `--`: ids and tokens may begin with a dash, and no option of ours has a single
 * dash and more than one letter.
 */
function afterDashes(words: readonly string[]): readonly string[] {
  const isValue = (word: string): boolean => /^-[^-]{2}/.test(word);
  if (words.includes('--') || !words.some(isValue)) return words;
  return [...words.filter((word) => !isValue(word)), '--', ...words.filter(isValue)];
}

function buildProgram(terminal: Terminal, json: boolean, choose: (call: Call) => void): CommanderCommand {
  const version = packageVersion();
  const program = new CommanderCommand('sallyport')
    .version(json ? JSON.stringify({ version }) : version, '-V, --version', 'print the version')
    .option('--json', 'print JSON')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => (json ? undefined : terminal.note(text.trimEnd())),
      // Told once, by reportFailure.
      outputError: () => undefined,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const command of commands) addCommand(program, command, choose);
  return program.configureHelp({ formatHelp: () => overview(commands, version) });
}

function addCommand(program: CommanderCommand, command: Command, choose: (call: Call) => void): void {
  const names = command.name.split(' ');
  const leafName = names.pop() ?? command.name;
  const parent = names.reduce(groupOf, program);
  const leaf = parent.command(leafName).description(command.summary).option('--json', 'print JSON');
  // Not its group's, which commander hands down.
  leaf.configureHelp({});
  for (const parameter of command.parameters) leaf.argument(parameter);
  for (const option of command.options) leaf.addOption(optionOf(option));
  const examples = command.examples.map((example) => `  sallyport ${example}`).join('\n');
  leaf.usage(`${usageOf(command).slice(command.name.length + 1)} [options]`.trim());
  leaf.addHelpText('after', `\nExamples:\n${examples}`);
  leaf.action(() => choose({ command, input: inputOf(leaf.processedArgs, leaf.opts()) }));
}

function groupOf(parent: CommanderCommand, name: string): CommanderCommand {
  const existing = parent.commands.find((command) => command.name() === name);
  if (existing !== undefined) return existing;
  const help = { formatHelp: (): string => groupOverview(commands, name) };
  return parent.command(name).helpCommand(false).configureHelp(help);
}

function optionOf({ flags, meaning, repeats }: CommandOption): Option {
  const option = new Option(flags, repeats ? `${meaning}; may be repeated` : meaning);
  return repeats ? option.argParser((value: string, before: unknown) => [...textsIn(before), value]) : option;
}

/** Reads what commander parsed, which it types as anything at all. */
function inputOf(parameters: readonly unknown[], options: Readonly<Record<string, unknown>>): CommandInput {
  const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    parameter: (position) => textIn(parameters[position]),
    repeated: (position) => textsIn(parameters[position]),
    option: (name) => textIn(options[name]),
    optionList: (name) => textsIn(options[name]),
    isSwitched: (name) => options[name] === true,
  };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

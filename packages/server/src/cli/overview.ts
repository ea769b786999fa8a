import type { Command } from './command.ts';

/** The help of the program itself: every command in one table. */
export function overview(commands: readonly Command[], version: string): string {
  return `Sallyport ${version}: users, sessions and tokens from the command line

Usage: sallyport <command> [--json]

${listing(commands)}

Examples:
  sallyport serve
  sallyport users create admin --role admin
  sallyport tokens issue admin --json

Reads the environment and .env like the server, and works on its database: running servers notice at once.
Exit status: 0 done, 1 refused, 2 wrong usage or unusable configuration.
More about a command: sallyport help <command>
`;
}

/** The help of a group: its commands only. */
export function groupOverview(commands: readonly Command[], group: string): string {
  const members = commands.filter((command) => groupOf(command) === group);
  return `Usage: sallyport ${group} <command> [--json]

${listing(members)}

More about a command: sallyport help ${group} <command>
`;
}

function listing(commands: readonly Command[]): string {
  const rows = commands.map((command) => ({
    usage: usageOf(command),
    summary: firstClause(command.summary),
    group: groupOf(command),
  }));
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const lines = rows.map(({ usage, summary, group }, index) => {
    const isNewGroup = index > 0 && rows[index - 1]?.group !== group;
    return `${isNewGroup ? '\n' : ''}  ${usage.padEnd(width)}  ${summary}`;
  });
  return lines.join('\n');
}

/** A command as it is typed: `users create NAME`. */
export function usageOf({ name, parameters }: Command): string {
  return [name, ...parameters.map((parameter) => parameter.replace(/[<>]/g, '').toUpperCase())].join(' ');
}

/** Commands that belong together: those with the same first word, and those with one word only. */
function groupOf({ name }: Command): string {
  const [first = '', second] = name.split(' ');
  return second === undefined ? '' : first;
}

function firstClause(summary: string): string {
  return summary.split(';')[0] ?? summary;
}

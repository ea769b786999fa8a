import type { Settings } from '../../environment/settings.ts';
import type { Log } from '../../logging.ts';
import type { RunningServer } from '../../node.ts';
import type { Command, CommandContext } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../../version.ts';

export const serveCommand: Command = {
  name: 'serve',
  parameters: [],
  summary: 'run the server until Ctrl+C',
  options: [],
  makesDatabase: true,
  examples: ['serve', 'serve --json   # start-up lines and logs as JSON'],
  run: serve,
};

async function serve(_input: unknown, { settings, terminal, json }: CommandContext): Promise<undefined> {
  const chosen = await settings();
  const { createLog } = await import('../../logging.ts');
  const { holdLines } = await import('../../logging/destinations.ts');
  const { stopSignal } = await import('../../node/stop-signal.ts');

  const format = json ? 'json' : (chosen.logFormat ?? (terminal.isInteractive ? 'pretty' : 'json'));
  const lines = holdLines();
  if (format === 'json') lines.release();
  const log = await createLog({ level: chosen.logLevel, format, destination: lines });
  // A promise nobody awaited must not take everybody else's server down.
  process.on('unhandledRejection', (reason) => log.failure(reason));
  const stopping = stopSignal();
  // What happens during the start stands below the greeting, and is told as well when there is none.
  const server = await startAndGreet(chosen, log, format === 'json' ? undefined : terminal).finally(lines.release);
  for (const warning of server.warnings) log.warn(warning);

  const signal = await stopping;
  log.note('stopping: running requests may finish', { signal });
  await server.stop();
  log.note('stopped');
}

/** Greets on a terminal, or else by a line of the log. */
async function startAndGreet(settings: Settings, log: Log, terminal: Terminal | undefined): Promise<RunningServer> {
  const { startServer } = await import('../../node.ts');
  const { renderGreeting } = await import('../../node/greeting.ts');
  const { useLightResponses } = await import('../../node/light-responses.ts');
  const { letHeapGrow } = await import('../../node/heap-growth.ts');
  useLightResponses();
  letHeapGrow();
  const server = await startServer(settings, log);
  if (terminal === undefined) log.announce('listening', { ...server.greeting });
  else terminal.print(renderGreeting(server.greeting, packageVersion(), terminal.hasColors));
  return server;
}
